import { createHash, type KeyObject, sign, verify } from "node:crypto";

const TOKEN_MAX_BYTES = 16_384;
const ALGORITHMS = { ec: "ES256", rsa: "RS256" } as const;

/** A key that checks tokens, by its id. */
export interface VerificationKey {
  keyId: string;
  key: KeyObject;
}

/** A token whose shape is right; nothing about it is proven yet. */
export interface ParsedToken {
  algorithm: string;
  keyId: string | undefined;
  claims: Record<string, unknown>;
  signedText: string;
  signature: Uint8Array;
}

/** Base64url of the SHA-256 of the public key in DER, as upstream names its keys. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("base64url");
}

function algorithmOf(key: KeyObject): "ES256" | "RS256" {
  return key.asymmetricKeyType === "rsa" ? ALGORITHMS.rsa : ALGORITHMS.ec;
}

/** A compact JWS (RFC 7515) over `claims`: ES256 with a P-256 key, RS256 with an RSA key. */
export function signToken(
  claims: object,
  { keyId, key }: { keyId: string; key: KeyObject },
): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: algorithmOf(key), kid: keyId })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

function parseObject(base64url: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, "base64url").toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Takes a compact JWS apart; `undefined` when it is none. */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > TOKEN_MAX_BYTES || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return undefined;
  const [head = "", body = "", tail = ""] = token.split(".");
  const header = parseObject(head);
  const claims = parseObject(body);
  // "crit" names extensions that a verifier must understand; none is understood here.
  if (!header || !claims || "crit" in header) return undefined;
  return {
    algorithm: String(header["alg"]),
    keyId: typeof header["kid"] === "string" ? header["kid"] : undefined,
    claims,
    signedText: `${head}.${body}`,
    signature: Buffer.from(tail, "base64url"),
  };
}

/** Whether one of the keys made the signature. The key decides on the algorithm, not the token. */
export function isSignedBy(token: ParsedToken, keys: readonly VerificationKey[]): boolean {
  const named = keys.filter(({ keyId }) => keyId === token.keyId);
  const candidates = token.keyId === undefined ? keys : named;
  return candidates.some(
    ({ key }) =>
      algorithmOf(key) === token.algorithm &&
      verify(
        "sha256",
        Buffer.from(token.signedText),
        { key, dsaEncoding: "ieee-p1363" },
        token.signature,
      ),
  );
}

/** RFC 7517 form of a verification key. */
export function jwkOf({ keyId, key }: VerificationKey): Record<string, unknown> {
  return { use: "sig", kid: keyId, alg: algorithmOf(key), ...key.export({ format: "jwk" }) };
}
