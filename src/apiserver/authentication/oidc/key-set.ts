import { createPublicKey, type JsonWebKey, type KeyObject, constants, verify } from "node:crypto";
import type { ParsedToken } from "../../token/jwt-codec.ts";

/** Keys of an issuer, as RFC 7517 has them. */
export interface IssuerKey {
  keyId: string | undefined;
  /** What it is for, where it says so. */
  algorithm: string | undefined;
  key: KeyObject;
}

interface SignatureForm {
  hash: "sha256" | "sha384" | "sha512";
  type: "rsa" | "ec";
  curve?: string;
  isPss?: boolean;
}

/** RFC 7518 section 3.1, without those that share a secret and the one that signs nothing. */
const FORMS: Readonly<Record<string, SignatureForm>> = {
  RS256: { hash: "sha256", type: "rsa" },
  RS384: { hash: "sha384", type: "rsa" },
  RS512: { hash: "sha512", type: "rsa" },
  PS256: { hash: "sha256", type: "rsa", isPss: true },
  PS384: { hash: "sha384", type: "rsa", isPss: true },
  PS512: { hash: "sha512", type: "rsa", isPss: true },
  ES256: { hash: "sha256", type: "ec", curve: "prime256v1" },
  ES384: { hash: "sha384", type: "ec", curve: "secp384r1" },
  ES512: { hash: "sha512", type: "ec", curve: "secp521r1" },
};

/** Names of the algorithms by which tokens may be signed. */
export const SIGNATURE_ALGORITHMS: readonly string[] = Object.keys(FORMS);

/** The keys of a JWK set that check signatures; what cannot be read is left out. */
export function readKeySet(document: unknown): IssuerKey[] {
  const { keys } = (document ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new TypeError("the key set has no list of keys");
  return (keys as (JsonWebKey & { kid?: string; use?: string; alg?: string })[]).flatMap((jwk) => {
    if (jwk.use !== undefined && jwk.use !== "sig") return [];
    try {
      const key = createPublicKey({ key: jwk, format: "jwk" });
      return [{ keyId: jwk.kid, algorithm: jwk.alg, key }];
    } catch {
      return [];
    }
  });
}

/** Whether the token names a key that is not among these. */
export function isUnknownKey({ keyId }: ParsedToken, keys: readonly IssuerKey[]): boolean {
  return keyId !== undefined && !keys.some((each) => each.keyId === keyId);
}

/** Whether one of the keys made the signature. Without a name every key may have. */
export function isSignedWith(token: ParsedToken, keys: readonly IssuerKey[]): boolean {
  const form = FORMS[token.algorithm];
  if (!form) return false;
  return keys.some(({ keyId, algorithm, key }) => {
    if (token.keyId !== undefined && keyId !== undefined && keyId !== token.keyId) return false;
    if (algorithm !== undefined && algorithm !== token.algorithm) return false;
    if (key.asymmetricKeyType !== form.type) return false;
    if (form.curve && key.asymmetricKeyDetails?.namedCurve !== form.curve) return false;
    const options = form.isPss
      ? {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
        }
      : { key, dsaEncoding: "ieee-p1363" as const };
    return verify(form.hash, Buffer.from(token.signedText), options, token.signature);
  });
}
