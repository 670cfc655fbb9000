import { StatusError } from "../../api/errors.ts";
import type { AccessRequest } from "../contract.ts";

/** The refusal of an access in upstream's words. */
export function forbiddenAccess(request: AccessRequest, reason: string): StatusError {
  const { user, verb, path, group = "", resource, subresource, namespace, name } = request;
  const why = reason ? `: ${reason}` : "";
  if (resource === undefined) {
    const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path ?? "")}${why}`;
    return new StatusError("Forbidden", message, { subject: { kind: "" } });
  }
  const asked = subresource ? `${resource}/${subresource}` : resource;
  const scope = namespace
    ? `in the namespace ${JSON.stringify(namespace)}`
    : "at the cluster scope";
  const subject = group ? `${resource}.${group}` : resource;
  const of = name ? `${subject} ${JSON.stringify(name)}` : subject;
  const message = `${of} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(asked)} in API group ${JSON.stringify(group)} ${scope}${why}`;
  return new StatusError("Forbidden", message, {
    subject: { group, kind: resource, ...(name ? { name } : {}) },
  });
}
