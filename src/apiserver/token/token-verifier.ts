import { createHash } from "node:crypto";
import { NODES, PODS, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types/core-v1.ts";
import { INVALID_SINCE_LABEL } from "../../api/legacy-tokens.ts";
import type { UserInfo } from "../contract.ts";
import { isSignedBy, type ParsedToken, parseToken } from "./jwt-codec.ts";
import { serviceAccountUser, userNameOf } from "./service-account-user.ts";
import { type BoundClaims, readClaims, type TokenClaims } from "./token-claims.ts";
import type { LegacyUse, TokenSources } from "./token-issuer.ts";

const LEGACY_ISSUER = "kubernetes/serviceaccount";
const LEGACY = "kubernetes.io/serviceaccount/";
const CHECKED_MAX = 2048;
/** An object that is being deleted keeps its tokens this long, so that it can shut down. */
const DELETED_GRACE_MS = 60_000;
const EXTRA = "authentication.kubernetes.io/";

/** Outcome of a check: a user and the audiences that the token and the caller share. */
export type TokenVerdict =
  | { user: UserInfo; audiences: readonly string[]; legacy?: LegacyToken }
  | { user?: undefined; error: string; legacy?: LegacyToken };

/** A token without end: the Secret that it is of, and how that came to be. */
export interface LegacyToken {
  namespace: string;
  secret: string;
  use: LegacyUse;
}

/** Checks tokens, whoever issued them. */
export interface TokenChecker {
  /** `undefined` when nobody that is known here can have issued it. */
  verify(
    token: string,
    audiences: readonly string[],
  ): TokenVerdict | undefined | Promise<TokenVerdict | undefined>;
}

/** Checks service account tokens against keys, time and live objects. */
export interface TokenVerifier {
  /** `undefined` when the text is no token of this cluster at all. */
  verify(token: string, audiences: readonly string[]): TokenVerdict | undefined;
}

interface Live {
  metadata?: { uid?: string; deletionTimestamp?: string };
}

function extraOf(claims: TokenClaims): Record<string, string[]> {
  const { pod, node } = claims["kubernetes.io"];
  return {
    ...(claims.jti ? { [`${EXTRA}credential-id`]: [`JTI=${claims.jti}`] } : {}),
    ...(pod ? { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] } : {}),
    ...(node ? { [`${EXTRA}node-name`]: [node.name], [`${EXTRA}node-uid`]: [node.uid] } : {}),
  };
}

function refusedText(of: { namespace: string; name: string; secret: string }): string {
  const { namespace, name, secret } = of;
  return (
    `the token in secret ${namespace}/${secret} for service account ${namespace}/${name} has been ` +
    "marked invalid. Use tokens from the TokenRequest API or manually created secret-based " +
    `tokens, or remove the '${INVALID_SINCE_LABEL}' label from the secret to temporarily allow ` +
    "use of this token"
  );
}

/** Controllers of before 1.24 made Secrets for accounts, and named them there. */
function useOf(secret: Secret | undefined, account: ServiceAccount | undefined): LegacyUse {
  if (secret?.metadata?.labels?.[INVALID_SINCE_LABEL]) return "invalid";
  const isNamed = account?.secrets?.some(({ name }) => name === secret?.metadata?.name);
  return isNamed ? "auto-generated" : "manual";
}

/** Verifies signatures once per token text and everything that may change on each call. */
export function createTokenVerifier(sources: TokenSources): TokenVerifier {
  const { keys, reader, clock, issuer, legacyUsed } = sources;
  const checked = new Map<string, ParsedToken>();

  const signed = (token: string): ParsedToken | undefined => {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = checked.get(digest);
    if (known) return known;
    const parsed = parseToken(token);
    if (!parsed || !isSignedBy(parsed, keys.verification)) return undefined;
    if (checked.size >= CHECKED_MAX) {
      const [oldest = ""] = checked.keys();
      checked.delete(oldest);
    }
    checked.set(digest, parsed);
    return parsed;
  };

  const isAlive = (object: Live | undefined, uid: string): boolean => {
    if (!object || object.metadata?.uid !== uid) return false;
    const deleted = object.metadata.deletionTimestamp;
    return deleted === undefined || Date.parse(deleted) + DELETED_GRACE_MS > clock.now();
  };

  const deadBinding = (bound: BoundClaims): string | undefined => {
    const { namespace, serviceaccount, pod, secret, node } = bound;
    const at = (name: string) => ({ namespace, name });
    if (!isAlive(reader.get(SERVICE_ACCOUNTS, at(serviceaccount.name)), serviceaccount.uid)) {
      return "service account has been deleted";
    }
    if (pod && !isAlive(reader.get(PODS, at(pod.name)), pod.uid)) return "pod has been deleted";
    if (secret && !isAlive(reader.get(SECRETS, at(secret.name)), secret.uid)) {
      return "secret has been deleted";
    }
    // A token of a pod names its node for information only.
    if (node && !pod && !isAlive(reader.get(NODES, { name: node.name }), node.uid)) {
      return "node has been deleted";
    }
    return undefined;
  };

  const verifyBound = (parsed: ParsedToken, audiences: readonly string[]): TokenVerdict => {
    const claims = readClaims(parsed.claims);
    if (!claims) return { error: "token has unknown claims" };
    const now = clock.now() / 1000;
    if (now >= claims.exp) return { error: "service account token has expired" };
    if (now < claims.nbf - 5) return { error: "token is not valid yet" };
    const shared = claims.aud.filter((audience) => audiences.includes(audience));
    if (shared.length === 0) {
      return { error: `token audiences ${JSON.stringify(claims.aud)} are not accepted here` };
    }
    const bound = claims["kubernetes.io"];
    const account = { namespace: bound.namespace, ...bound.serviceaccount };
    if (claims.sub !== userNameOf(account)) return { error: "token subject does not match" };
    const dead = deadBinding(bound);
    if (dead) return { error: dead };
    return { user: { ...serviceAccountUser(account), extra: extraOf(claims) }, audiences: shared };
  };

  const verifyLegacy = (
    token: string,
    { claims }: ParsedToken,
    audiences: readonly string[],
  ): TokenVerdict => {
    const text = (key: string) => {
      const value = claims[LEGACY + key];
      return typeof value === "string" ? value : "";
    };
    const namespace = text("namespace");
    const name = text("service-account.name");
    const uid = text("service-account.uid");
    const shared = audiences.includes(issuer) ? [issuer] : [];
    if (shared.length === 0) return { error: "token audience is not accepted here" };
    if (claims["sub"] !== userNameOf({ namespace, name })) {
      return { error: "token subject does not match" };
    }
    const secret = reader.get(SECRETS, { namespace, name: text("secret.name") });
    const stored = Buffer.from(secret?.data?.["token"] ?? "", "base64").toString();
    if (stored !== token || secret?.metadata?.deletionTimestamp) {
      return { error: "service account token has been invalidated" };
    }
    const account = reader.get(SERVICE_ACCOUNTS, { namespace, name });
    if (!isAlive(account, uid)) return { error: "service account has been deleted" };
    const at = { namespace, secret: text("secret.name") };
    const use = useOf(secret, account);
    if (secret) legacyUsed?.(secret, use);
    const legacy = { ...at, use };
    if (use === "invalid") return { error: refusedText({ ...at, name }), legacy };
    return { user: serviceAccountUser({ namespace, name, uid }), audiences: shared, legacy };
  };

  return {
    verify: (token, audiences) => {
      const parsed = signed(token);
      if (!parsed) return undefined;
      const asked = audiences.length > 0 ? audiences : [issuer];
      if (parsed.claims["iss"] === LEGACY_ISSUER) return verifyLegacy(token, parsed, asked);
      if (parsed.claims["iss"] !== issuer) return undefined;
      return verifyBound(parsed, asked);
    },
  };
}
