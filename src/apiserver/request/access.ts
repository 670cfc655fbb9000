import { forbiddenAccess } from "../authorization/access-refusal.ts";
import type { AccessRequest, Authorizer, UserInfo } from "../contract.ts";
import type { Query } from "./query.ts";
import { parseTarget, type Target } from "./target.ts";
import { verbOf } from "./verb.ts";

const NAME_SELECTOR = /(?:^|,)metadata\.name==?([^,]+)/;

/** The access that a resource request needs. A selector for one name asks for that name only. */
export function resourceAccess(
  user: UserInfo,
  of: { verb: string; target: Target; query: Query },
): AccessRequest {
  const { verb, target, query } = of;
  const access: AccessRequest = {
    user,
    verb,
    group: target.group,
    version: target.version,
    resource: target.resource,
  };
  if (target.subresource) access.subresource = target.subresource;
  if (target.namespace !== undefined) access.namespace = target.namespace;
  if (target.name !== undefined) {
    access.name = target.name;
    return access;
  }
  const fieldSelector = query.get("fieldSelector");
  if (fieldSelector === undefined) return access;
  access.fieldSelector = fieldSelector;
  const name = NAME_SELECTOR.exec(fieldSelector)?.[1];
  if (name !== undefined) access.name = name;
  return access;
}

/** The access that a request for any path needs, whoever answers for it. */
export function accessOf(
  user: UserInfo,
  of: { method: string; path: string; query: Query },
): AccessRequest {
  const { method, path, query } = of;
  const target = parseTarget(path);
  if (!target) return { user, verb: method.toLowerCase(), path };
  return resourceAccess(user, { verb: verbOf(method, target, query), target, query });
}

/** Why the access is allowed. @throws StatusError Forbidden */
export function authorize(authorizer: Authorizer, access: AccessRequest): string {
  const { allowed, reason } = authorizer.authorize(access);
  if (!allowed) throw forbiddenAccess(access, reason);
  return reason;
}
