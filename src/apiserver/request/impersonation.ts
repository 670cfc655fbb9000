import type { Authorizer, UserInfo } from "../contract.ts";
import { authorize } from "./access.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const EXTRA_PREFIX = "impersonate-extra-";
const ACCOUNT_PREFIX = "system:serviceaccount:";

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : value.split(",").map((part) => part.trim());
}

/**
 * The user that the `Impersonate-*` headers ask for, each part allowed separately, or `user`
 * itself without such headers. @throws StatusError Forbidden
 */
export function impersonated(user: UserInfo, headers: Headers, authorizer: Authorizer): UserInfo {
  const [name] = listOf(headers["impersonate-user"]);
  if (name === undefined) return user;
  const ask = (resource: string, of: { name: string; group?: string; subresource?: string }) =>
    authorize(authorizer, {
      user,
      verb: "impersonate",
      group: of.group ?? "",
      version: "v1",
      resource,
      name: of.name,
      ...(of.subresource ? { subresource: of.subresource } : {}),
      ...(resource === "serviceaccounts" ? { namespace: accountOf(name).namespace } : {}),
    });
  const account = name.startsWith(ACCOUNT_PREFIX) ? accountOf(name) : undefined;
  if (account) ask("serviceaccounts", { name: account.name });
  else ask("users", { name });
  const groups = listOf(headers["impersonate-group"]);
  for (const group of groups) ask("groups", { name: group });
  const [uid] = listOf(headers["impersonate-uid"]);
  if (uid) ask("uids", { name: uid, group: "authentication.k8s.io" });
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(EXTRA_PREFIX)) continue;
    const key = decodeURIComponent(header.slice(EXTRA_PREFIX.length));
    extra[key] = listOf(value);
    for (const item of extra[key]) {
      ask("userextras", { name: item, group: "authentication.k8s.io", subresource: key });
    }
  }
  const implied = account
    ? ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`]
    : [];
  return {
    name,
    groups: [...new Set([...(groups.length > 0 ? groups : implied), "system:authenticated"])],
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function accountOf(user: string): { namespace: string; name: string } {
  const [namespace = "", name = ""] = user.slice(ACCOUNT_PREFIX.length).split(":");
  return { namespace, name };
}
