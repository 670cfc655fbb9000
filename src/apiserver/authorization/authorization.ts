import type { AccessRequest, Authorizer, ObjectReader } from "../contract.ts";
import { createNodeAuthorizer } from "./node-authorizer.ts";
import { rulesFor } from "./access-reviews.ts";
import { PRIVILEGED_GROUP } from "./privileged-group.ts";
import { createRbacAuthorizer, type RbacAuthorizer } from "./rbac-authorizer.ts";

/** Privileged group, Node authorizer and RBAC, in this order; the first to allow decides. */
export function createAuthorizer(reader: ObjectReader): Authorizer & { rbac: RbacAuthorizer } {
  const rbac = createRbacAuthorizer(reader);
  const node = createNodeAuthorizer(reader);
  return {
    rbac,
    rulesFor: (user, namespace) => rulesFor(rbac, { user, namespace }),
    authorize: (request: AccessRequest) => {
      if (request.user.groups.includes(PRIVILEGED_GROUP)) return { allowed: true, reason: "" };
      const byNode = node.authorize(request);
      if (byNode.allowed) return byNode;
      const byRole = rbac.authorize(request);
      if (byRole.allowed) return byRole;
      return {
        allowed: false,
        reason: [byNode.reason, byRole.reason].filter(Boolean).join(", "),
      };
    },
  };
}
