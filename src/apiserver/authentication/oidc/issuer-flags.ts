import { DEFAULT_ISSUER } from "../../token/token-issuer.ts";
import type { ClaimRule, IssuerConfiguration } from "./issuer-configuration.ts";
import { SIGNATURE_ALGORITHMS } from "./key-set.ts";

/** One issuer as the flags `--oidc-*` of kube-apiserver describe it. */
export interface IssuerFlags {
  issuerUrl: string;
  clientId: string;
  caPem?: string | undefined;
  usernameClaim?: string | undefined;
  /** "-" for none; the issuer's URL and "#" when absent, but for e-mail addresses. */
  usernamePrefix?: string | undefined;
  groupsClaim?: string | undefined;
  groupsPrefix?: string | undefined;
  /** RS256 when there are none. */
  signingAlgorithms?: readonly string[];
  /** "name=value" each. */
  requiredClaims?: readonly string[];
}

/** The issuer that flags describe. @throws TypeError that names the flag and what it wants */
export function issuerOfFlags(flags: IssuerFlags): IssuerConfiguration {
  const { issuerUrl, clientId, usernameClaim = "sub", usernamePrefix = "" } = flags;
  const { groupsClaim, groupsPrefix = "", signingAlgorithms = [] } = flags;
  if (!issuerUrl || !clientId) {
    const both = "--oidc-issuer-url and --oidc-client-id";
    throw new TypeError(`${both} must be given together when there are any --oidc- flags`);
  }
  checkUrl(issuerUrl);
  const algorithms = signingAlgorithms.length > 0 ? signingAlgorithms : ["RS256"];
  const unknown = algorithms.find((each) => !SIGNATURE_ALGORITHMS.includes(each));
  if (unknown !== undefined) {
    const known = SIGNATURE_ALGORITHMS.join(", ");
    throw new TypeError(`--oidc-signing-algs must be of ${known}, not "${unknown}"`);
  }
  const byDefault = usernameClaim === "email" ? "" : `${issuerUrl}#`;
  const prefix = usernamePrefix === "-" ? "" : usernamePrefix || byDefault;
  return {
    url: issuerUrl,
    discoveryUrl: undefined,
    caPem: flags.caPem,
    audiences: [clientId],
    algorithms,
    username: { claim: usernameClaim, prefix },
    groups: groupsClaim ? { claim: groupsClaim, prefix: groupsPrefix } : undefined,
    uid: undefined,
    extra: [],
    claimRules: (flags.requiredClaims ?? []).map(requiredClaim),
    userRules: [],
  };
}

function checkUrl(text: string): void {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below.
  }
  if (url?.protocol !== "https:") throw new TypeError("--oidc-issuer-url must begin with https://");
  if (text === DEFAULT_ISSUER) {
    throw new TypeError("--oidc-issuer-url is that of this cluster's service accounts");
  }
}

function requiredClaim(text: string): ClaimRule {
  const at = text.indexOf("=");
  if (at <= 0) throw new TypeError(`--oidc-required-claim must be key=value, not "${text}"`);
  return { claim: text.slice(0, at).trim(), requiredValue: text.slice(at + 1).trim() };
}
