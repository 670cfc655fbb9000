import type { UserInfo } from "../contract.ts";

const PREFIX = "system:serviceaccount:";

/** Namespace and name of a service account. */
export interface ServiceAccountName {
  namespace: string;
  name: string;
}

/** "system:serviceaccount:default:builder". */
export function userNameOf({ namespace, name }: ServiceAccountName): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** The service account behind a user name; `undefined` for other users. */
export function serviceAccountOf(userName: string): ServiceAccountName | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...rest] = userName.slice(PREFIX.length).split(":");
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

/** Groups that every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** The user that a service account acts as. */
export function serviceAccountUser(account: ServiceAccountName & { uid: string }): UserInfo {
  return {
    name: userNameOf(account),
    uid: account.uid,
    groups: serviceAccountGroups(account.namespace),
  };
}
