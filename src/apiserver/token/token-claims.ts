/** Name and UID of an object that a token is bound to. */
export interface BoundReference {
  name: string;
  uid: string;
}

/** Private claims of a bound token, under "kubernetes.io". */
export interface BoundClaims {
  namespace: string;
  serviceaccount: BoundReference;
  pod?: BoundReference;
  secret?: BoundReference;
  node?: BoundReference;
}

/** Claims of a bound service account token; times are epoch seconds. */
export interface TokenClaims {
  aud: readonly string[];
  exp: number;
  iat: number;
  nbf: number;
  iss: string;
  jti: string;
  sub: string;
  "kubernetes.io": BoundClaims;
}

function referenceOf(value: unknown): BoundReference | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, uid } = value as Partial<BoundReference>;
  return typeof name === "string" && typeof uid === "string" ? { name, uid } : undefined;
}

function boundClaimsOf(value: unknown): BoundClaims | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { namespace, serviceaccount, pod, secret, node } = value as Record<string, unknown>;
  const account = referenceOf(serviceaccount);
  if (typeof namespace !== "string" || !account) return undefined;
  const claims: BoundClaims = { namespace, serviceaccount: account };
  for (const [key, bound] of Object.entries({ pod, secret, node })) {
    if (bound === undefined) continue;
    const reference = referenceOf(bound);
    // A binding that cannot be read must not become a token without binding.
    if (!reference) return undefined;
    claims[key as "pod" | "secret" | "node"] = reference;
  }
  return claims;
}

/** Checks the shape of claims; `undefined` when they are not those of a bound token. */
export function readClaims(claims: Record<string, unknown>): TokenClaims | undefined {
  const { aud, exp, iat, nbf, iss, jti, sub } = claims;
  const audiences = typeof aud === "string" ? [aud] : aud;
  const bound = boundClaimsOf(claims["kubernetes.io"]);
  const valid =
    Array.isArray(audiences) &&
    audiences.every((audience) => typeof audience === "string") &&
    typeof exp === "number" &&
    typeof iss === "string" &&
    typeof sub === "string";
  if (!valid || !bound) return undefined;
  return {
    aud: audiences,
    exp,
    iat: typeof iat === "number" ? iat : 0,
    nbf: typeof nbf === "number" ? nbf : 0,
    iss,
    jti: typeof jti === "string" ? jti : "",
    sub,
    "kubernetes.io": bound,
  };
}
