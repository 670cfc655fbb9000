import type { Secret, ServiceAccount } from "../../api/generated/types/core-v1.ts";
import { isTerminating, uidOf } from "../ownership.ts";

/** Type of the Secrets that hold a token of a ServiceAccount. */
export const TOKEN_TYPE = "kubernetes.io/service-account-token";
export const ACCOUNT_NAME = "kubernetes.io/service-account.name";
export const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** What a token Secret must say beside its token. */
export interface TokenSecretFacts {
  /** PEM that the API server is verified with. */
  caPem: string;
  /** Signs a token that lives as long as account and Secret do. */
  signToken(of: { namespace: string; name: string; uid: string; secretName: string }): string;
}

/** Name of the account that a Secret holds a token of; `undefined` when it is another Secret. */
export function accountNameOf(secret: Secret): string | undefined {
  return secret.type === TOKEN_TYPE ? secret.metadata?.annotations?.[ACCOUNT_NAME] : undefined;
}

/** Whether the Secret is meant for this very account, not for one of its name before it. */
export function isTokenOf(secret: Secret, account: ServiceAccount): boolean {
  if (accountNameOf(secret) !== account.metadata?.name) return false;
  const uid = secret.metadata?.annotations?.[ACCOUNT_UID];
  return !uid || uid === uidOf(account);
}

/** The Secret with everything that it lacks; `undefined` when it lacks nothing. */
export function completeTokenSecret(
  secret: Secret,
  account: ServiceAccount,
  facts: TokenSecretFacts,
): Secret | undefined {
  const { name: secretName = "", namespace = "", annotations } = secret.metadata ?? {};
  const name = account.metadata?.name ?? "";
  const uid = uidOf(account);
  const { token, ...rest } = secret.data ?? {};
  const ca = base64(facts.caPem);
  const inside = base64(namespace);
  const isWhole = token && rest["ca.crt"] === ca && rest["namespace"] === inside;
  if (isWhole && annotations?.[ACCOUNT_UID] === uid) return undefined;
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: uid } },
    data: {
      ...rest,
      "ca.crt": ca,
      namespace: inside,
      token: token || base64(facts.signToken({ namespace, name, uid, secretName })),
    },
  };
}

/** The references of an account that still name a Secret, and whether one holds its token. */
export function accountReferences(
  account: ServiceAccount,
  secretOf: (name: string) => Secret | undefined,
): { kept: { name: string }[]; hasToken: boolean } {
  const kept = (account.secrets ?? []).flatMap(({ name }) => {
    const secret = name ? secretOf(name) : undefined;
    return name && secret && !isTerminating(secret) ? [{ name, secret }] : [];
  });
  return {
    kept: kept.map(({ name }) => ({ name })),
    hasToken: kept.some(({ secret }) => isTokenOf(secret, account)),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
