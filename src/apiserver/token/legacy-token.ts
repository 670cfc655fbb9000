import { signToken } from "./jwt-codec.ts";
import { type ServiceAccountName, userNameOf } from "./service-account-user.ts";
import type { TokenKeys } from "./token-keys.ts";

/**
 * The token of a Secret of type `kubernetes.io/service-account-token`: it never expires, and is
 * good as long as Secret and ServiceAccount exist.
 */
export function issueLegacyToken(
  keys: TokenKeys,
  of: ServiceAccountName & { uid: string; secretName: string },
): string {
  const claims = {
    iss: "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": of.namespace,
    "kubernetes.io/serviceaccount/secret.name": of.secretName,
    "kubernetes.io/serviceaccount/service-account.name": of.name,
    "kubernetes.io/serviceaccount/service-account.uid": of.uid,
    sub: userNameOf(of),
  };
  return signToken(claims, keys.signing);
}
