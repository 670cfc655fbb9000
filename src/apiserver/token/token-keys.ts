import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { jwkOf, keyIdOf, type VerificationKey } from "./jwt-codec.ts";

/** The key that signs tokens and every key that may check them. */
export interface TokenKeys {
  signing: { keyId: string; key: KeyObject };
  verification: readonly VerificationKey[];
}

/** Reads keys in PEM; `olderKeyPems` (private or public) still check what they signed once. */
export function readTokenKeys(keyPem: string, olderKeyPems: readonly string[] = []): TokenKeys {
  const verification = [keyPem, ...olderKeyPems].map((pem) => {
    const key = createPublicKey(pem);
    return { keyId: keyIdOf(key), key };
  });
  const keyId = verification[0]?.keyId ?? "";
  return { signing: { keyId, key: createPrivateKey(keyPem) }, verification };
}

/** Body of `/openid/v1/jwks`. */
export function jwksDocument(keys: TokenKeys): object {
  return { keys: keys.verification.map(jwkOf) };
}

/** Body of `/.well-known/openid-configuration`; `jwksUri` is the URL of the keys. */
export function openidConfiguration(
  keys: TokenKeys,
  where: { issuer: string; jwksUri: string },
): object {
  const algorithms = keys.verification.map((key) => String(jwkOf(key)["alg"]));
  return {
    issuer: where.issuer,
    jwks_uri: where.jwksUri,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(algorithms)],
  };
}
