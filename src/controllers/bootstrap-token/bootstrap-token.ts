import type { Secret } from "../../api/generated/types/core-v1.ts";

const PREFIX = "bootstrap-token-";
export const TOKEN_TYPE = "bootstrap.kubernetes.io/token";
export const TOKEN_NAMESPACE = "kube-system";

/** Whether a Secret holds a bootstrap token. */
export function isBootstrapToken({ type, metadata }: Secret): boolean {
  return type === TOKEN_TYPE && metadata?.namespace === TOKEN_NAMESPACE;
}

/** One value of the Secret; "" when it is absent. */
export function tokenText({ data }: Secret, key: string): string {
  return Buffer.from(data?.[key] ?? "", "base64").toString();
}

/** Epoch milliseconds when the token ends; `undefined` when it does not. */
export function expiryOf(secret: Secret): number | undefined {
  const text = tokenText(secret, "expiration");
  if (!text) return undefined;
  const time = Date.parse(text);
  // What cannot be read as a time has passed already.
  return Number.isFinite(time) ? time : 0;
}

/** Id and secret of a token that signs now. */
export function signingToken(
  secret: Secret,
  nowMs: number,
): { id: string; secret: string } | undefined {
  const id = tokenText(secret, "token-id");
  const value = tokenText(secret, "token-secret");
  if (!id || !value || secret.metadata?.name !== `${PREFIX}${id}`) return undefined;
  if ((expiryOf(secret) ?? Number.POSITIVE_INFINITY) <= nowMs) return undefined;
  return tokenText(secret, "usage-bootstrap-signing") === "true"
    ? { id, secret: value }
    : undefined;
}
