import { forbiddenAccess } from "../authorization/access-refusal.ts";
import type { AccessRequest, Authorizer, UserInfo } from "../contract.ts";
import type { Query } from "./query.ts";
import type { Target } from "./target.ts";

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
  const name = target.name ?? NAME_SELECTOR.exec(query.get("fieldSelector") ?? "")?.[1];
  if (name !== undefined) access.name = name;
  return access;
}

/** @throws StatusError Forbidden */
export function authorize(authorizer: Authorizer, access: AccessRequest): void {
  const { allowed, reason } = authorizer.authorize(access);
  if (!allowed) throw forbiddenAccess(access, reason);
}
