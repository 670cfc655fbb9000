import { StatusError } from "../../api/errors.ts";
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

/** @throws StatusError Forbidden, in the words of upstream */
export function authorize(authorizer: Authorizer, access: AccessRequest): void {
  const { allowed, reason } = authorizer.authorize(access);
  if (allowed) return;
  const why = reason ? `: ${reason}` : "";
  if (access.resource === undefined) {
    throw new StatusError(
      "Forbidden",
      `forbidden: User "${access.user.name}" cannot ${access.verb} path "${access.path}"${why}`,
    );
  }
  const { group = "", resource, subresource, namespace, name, verb } = access;
  const qualified = group ? `${resource}.${group}` : resource;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where =
    namespace && resource !== "namespaces"
      ? ` in the namespace "${namespace}"`
      : " at the cluster scope";
  const named = name ? ` "${name}"` : "";
  throw new StatusError(
    "Forbidden",
    `${qualified}${named} is forbidden: User "${access.user.name}" cannot ${verb} resource ` +
      `"${what}" in API group "${group}"${where}${why}`,
    { subject: { group, kind: resource, ...(name ? { name } : {}) } },
  );
}
