import { ConfigurationReader } from "../../../lib/configuration-reader.ts";
import type { Program } from "../../../lib/cel/program.ts";
import { BOOL, listOf, STRING, type Type } from "../../../lib/cel/types.ts";
import { type ClaimEnvironments, claimEnvironments, compileClaims } from "./claim-expressions.ts";

/** Where one property of a user comes from: a claim with a prefix, or an expression. */
export type ClaimSource = { claim: string; prefix: string } | { program: Program };

/** What must hold of claims or of the user that was made of them. */
export type ClaimRule =
  | { claim: string; requiredValue: string }
  | { program: Program; message: string };

/** An outside issuer of tokens, and how its tokens become users. */
export interface IssuerConfiguration {
  url: string;
  /** Where its discovery document is, when that is not below the URL. */
  discoveryUrl: string | undefined;
  /** PEM; the system's authorities when absent. */
  caPem: string | undefined;
  audiences: readonly string[];
  /** How tokens may be signed; all that are known when absent. */
  algorithms?: readonly string[];
  username: ClaimSource;
  groups: ClaimSource | undefined;
  uid: ClaimSource | undefined;
  extra: readonly { key: string; program: Program }[];
  claimRules: readonly ClaimRule[];
  userRules: readonly { program: Program; message: string }[];
}

const API_VERSIONS: readonly string[] = ["v1alpha1", "v1beta1", "v1"].map(
  (version) => `apiserver.config.k8s.io/${version}`,
);
const SUBJECT = "the authentication configuration";
const ISSUERS_MAX = 64;
const TEXTS: readonly Type[] = [STRING, listOf(STRING)];
/** Keys of extra attributes: a path below a domain that is not of Kubernetes itself. */
const EXTRA_KEY = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[a-z0-9._~!$&'()*+,;=:@/-]+$/;
const RESERVED_DOMAIN = /(^|\.)(kubernetes|k8s)\.io\//;

/**
 * Reads an `AuthenticationConfiguration` from decoded YAML or JSON.
 * @param ownIssuer issues the tokens of service accounts: nobody else may claim its name
 * @throws ConfigurationFileError that says which field wants what
 */
export function readIssuers(document: unknown, ownIssuer: string): IssuerConfiguration[] {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  const apiVersion = root.text("apiVersion") ?? "";
  if (!API_VERSIONS.includes(apiVersion)) {
    throw root.error("apiVersion", `must be one of ${API_VERSIONS.join(", ")}`);
  }
  root.requireKind({ apiVersion, kind: "AuthenticationConfiguration" });
  root.object("anonymous"); // read apart from the issuers
  const jwt = root.list("jwt");
  root.refuseOthers();
  if (jwt.length > ISSUERS_MAX) throw root.error("jwt", `must have at most ${ISSUERS_MAX} items`);
  const environments = claimEnvironments();
  const issuers = jwt.map((each) => new IssuerReader(each, environments).read(ownIssuer));
  for (const [at, { url, discoveryUrl }] of issuers.entries()) {
    const isTaken = issuers.slice(0, at).some((other) => {
      return other.url === url || (discoveryUrl && other.discoveryUrl === discoveryUrl);
    });
    if (isTaken) throw root.error(`jwt[${at}].issuer.url`, "is there twice");
  }
  return issuers;
}

class IssuerReader {
  readonly #from: ConfigurationReader;
  readonly #environments: ClaimEnvironments;

  constructor(from: ConfigurationReader, environments: ClaimEnvironments) {
    this.#from = from;
    this.#environments = environments;
  }

  read(ownIssuer: string): IssuerConfiguration {
    const mappings = this.#from.object("claimMappings");
    const configuration = {
      ...this.#issuer(ownIssuer),
      username: this.#username(mappings),
      groups: this.#source(mappings, "groups", { types: TEXTS, hasPrefix: true }),
      uid: this.#source(mappings, "uid", { types: [STRING], hasPrefix: false }),
      extra: this.#extra(mappings),
      claimRules: this.#claimRules(),
      userRules: this.#userRules(),
    };
    mappings.refuseOthers();
    this.#from.refuseOthers();
    return configuration;
  }

  #issuer(ownIssuer: string) {
    const issuer = this.#from.object("issuer");
    const url = httpsUrlOf(issuer, "url", issuer.requiredText("url"));
    if (url === ownIssuer) throw issuer.error("url", "is that of this cluster's service accounts");
    const given = issuer.text("discoveryURL");
    const discoveryUrl = given ? httpsUrlOf(issuer, "discoveryURL", given) : undefined;
    if (discoveryUrl?.replace(/\/$/, "") === url.replace(/\/$/, "")) {
      throw issuer.error("discoveryURL", "must be different from url");
    }
    const caPem = issuer.text("certificateAuthority") || undefined;
    if (caPem && !caPem.includes("-----BEGIN CERTIFICATE-----")) {
      throw issuer.error("certificateAuthority", "must be a certificate in PEM");
    }
    const audiences = issuer.texts("audiences");
    if (audiences.length === 0 || audiences.includes("")) {
      throw issuer.error("audiences", "must name at least one audience, and none that is empty");
    }
    if (new Set(audiences).size < audiences.length) {
      throw issuer.error("audiences", "must not name an audience twice");
    }
    const policy = issuer.text("audienceMatchPolicy") || undefined;
    if (policy !== undefined && policy !== "MatchAny") {
      throw issuer.error("audienceMatchPolicy", "must be MatchAny");
    }
    if (audiences.length > 1 && !policy) {
      throw issuer.error("audienceMatchPolicy", "must be MatchAny with more than one audience");
    }
    issuer.refuseOthers();
    return { url, discoveryUrl, caPem, audiences };
  }

  #username(mappings: ConfigurationReader): ClaimSource {
    const source = this.#source(mappings, "username", { types: [STRING], hasPrefix: true });
    if (!source) throw mappings.error("username", "needs a claim or an expression");
    const all = [
      ...this.#from.list("claimValidationRules"),
      ...mappings.list("extra"),
      mappings.object("username"),
    ].flatMap((each) => [each.text("expression"), each.text("valueExpression")]);
    const own = "program" in source ? source.program.source : "";
    const asksWhetherVerified = all.some((each) => each?.includes("claims.email_verified"));
    if (/\bclaims\.email\b(?!_)/.test(own) && !asksWhetherVerified) {
      throw mappings.error(
        "username.expression",
        "must use claims.email_verified where it uses claims.email, or a rule or extra value must",
      );
    }
    return source;
  }

  #source(
    mappings: ConfigurationReader,
    field: string,
    { types, hasPrefix }: { types: readonly Type[]; hasPrefix: boolean },
  ): ClaimSource | undefined {
    const from = mappings.object(field);
    const [claim, expression] = [from.text("claim"), from.text("expression")];
    const prefix = hasPrefix ? from.text("prefix") : "";
    from.refuseOthers();
    if (claim && expression) throw from.error("", "must have a claim or an expression, not both");
    if (expression) {
      if (hasPrefix && prefix !== undefined) {
        throw from.error("prefix", "cannot be set beside an expression");
      }
      return { program: compileClaims(from, { field: "expression", types, ...this.#claims }) };
    }
    if (!claim) {
      if (prefix) throw from.error("prefix", "cannot be set without a claim");
      return undefined;
    }
    if (prefix === undefined) {
      throw from.error("prefix", "must be set beside a claim; an empty text means no prefix");
    }
    return { claim, prefix };
  }

  get #claims() {
    return { environment: this.#environments.claims };
  }

  #extra(mappings: ConfigurationReader): { key: string; program: Program }[] {
    const keys = new Set<string>();
    return mappings.list("extra").map((from) => {
      const key = from.requiredText("key");
      if (!EXTRA_KEY.test(key)) {
        throw from.error("key", "must be a path below a domain, in lower case");
      }
      if (RESERVED_DOMAIN.test(key)) throw from.error("key", "must not be of Kubernetes' domains");
      if (keys.has(key)) throw from.error("key", "is there twice");
      keys.add(key);
      const of = { field: "valueExpression", types: TEXTS, ...this.#claims };
      const program = compileClaims(from, of);
      from.refuseOthers();
      return { key, program };
    });
  }

  #claimRules(): ClaimRule[] {
    return this.#from.list("claimValidationRules").map((from): ClaimRule => {
      const [claim, expression] = [from.text("claim"), from.text("expression")];
      const [requiredValue = "", message = ""] = [from.text("requiredValue"), from.text("message")];
      from.refuseOthers();
      if (claim && expression) throw from.error("", "must have a claim or an expression, not both");
      if (claim) {
        if (message) throw from.error("message", "cannot be set beside a claim");
        return { claim, requiredValue };
      }
      if (!expression) throw from.error("", "needs a claim or an expression");
      if (requiredValue) throw from.error("requiredValue", "cannot be set beside an expression");
      const of = { field: "expression", types: [BOOL], ...this.#claims };
      return { program: compileClaims(from, of), message };
    });
  }

  #userRules(): { program: Program; message: string }[] {
    const environment = this.#environments.user;
    return this.#from.list("userValidationRules").map((from) => {
      const program = compileClaims(from, { field: "expression", types: [BOOL], environment });
      const message = from.text("message") ?? "";
      from.refuseOthers();
      return { program, message };
    });
  }
}

function httpsUrlOf(from: ConfigurationReader, field: string, text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw from.error(field, "must be a URL");
  }
  if (url.protocol !== "https:") throw from.error(field, "must begin with https://");
  if (url.username || url.password) throw from.error(field, "must not name a user");
  if (url.search || url.hash) throw from.error(field, "must have neither query nor fragment");
  return text;
}
