import { StatusError } from "../../api/errors.ts";
import { forbiddenAccess } from "../authorization/access-refusal.ts";
import type { AccessRequest, Authorizer, UserInfo } from "../contract.ts";
import { serviceAccountGroups, serviceAccountOf } from "../token/service-account-user.ts";
import { ANONYMOUS, withAuthenticatedGroup } from "./authentication.ts";

const PREFIX = "impersonate-";
const EXTRA_PREFIX = "impersonate-extra-";
const AUTHENTICATION_GROUP = "authentication.k8s.io";

/** Whom a request asks to act as. */
export interface Impersonation {
  user: string;
  uid: string;
  groups: readonly string[];
  extra: Readonly<Record<string, readonly string[]>>;
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/**
 * Reads `Impersonate-*` from raw headers (name, value, name, value, as Node.js gives them: merged
 * headers would glue groups together). `undefined` when there are none. @throws StatusError
 */
export function impersonationOf(rawHeaders: readonly string[]): Impersonation | undefined {
  let user = "";
  let uid = "";
  const groups: string[] = [];
  const extra: Record<string, string[]> = {};
  let present = false;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const rawName = rawHeaders[at] ?? "";
    // Nearly all requests have none: tell so without writing every name anew.
    if (rawName.length < PREFIX.length || rawName[PREFIX.length - 1] !== "-") continue;
    const name = rawName.toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    if (!name.startsWith(PREFIX)) continue;
    present = true;
    if (name === "impersonate-user") user = value;
    else if (name === "impersonate-uid") uid = value;
    else if (name === "impersonate-group") groups.push(value);
    else if (name.startsWith(EXTRA_PREFIX)) {
      const key = decodeKey(name.slice(EXTRA_PREFIX.length));
      extra[key] = [...(extra[key] ?? []), value];
    }
  }
  if (!present) return undefined;
  if (!user) {
    throw new StatusError(
      "BadRequest",
      "requested impersonation of groups, uid or extra without impersonating a user",
    );
  }
  return { user, uid, groups, extra };
}

function accessesOf(requester: UserInfo, asked: Impersonation): AccessRequest[] {
  const base = { user: requester, verb: "impersonate", version: "v1" };
  const authentication = { ...base, group: AUTHENTICATION_GROUP };
  const account = serviceAccountOf(asked.user);
  return [
    account
      ? { ...base, group: "", resource: "serviceaccounts", ...account }
      : { ...base, group: "", resource: "users", name: asked.user },
    ...asked.groups.map((name) => ({ ...base, group: "", resource: "groups", name })),
    ...(asked.uid ? [{ ...authentication, resource: "uids", name: asked.uid }] : []),
    ...Object.entries(asked.extra).flatMap(([subresource, values]) =>
      values.map((name) => ({ ...authentication, resource: "userextras", subresource, name })),
    ),
  ];
}

/** The user to act as, once every part of it is authorized. @throws StatusError Forbidden */
export function impersonate(
  requester: UserInfo,
  asked: Impersonation,
  authorizer: Authorizer,
): UserInfo {
  for (const access of accessesOf(requester, asked)) {
    const { allowed, reason } = authorizer.authorize(access);
    if (!allowed) throw forbiddenAccess(access, reason);
  }
  const account = serviceAccountOf(asked.user);
  const implied =
    account && asked.groups.length === 0 ? serviceAccountGroups(account.namespace) : [];
  const groups = [...asked.groups, ...implied];
  if (asked.user === ANONYMOUS.name) return { ...ANONYMOUS };
  return withAuthenticatedGroup({
    name: asked.user,
    groups,
    ...(asked.uid ? { uid: asked.uid } : {}),
    ...(Object.keys(asked.extra).length > 0 ? { extra: asked.extra } : {}),
  });
}
