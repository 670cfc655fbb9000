import { forbidden, notFound } from "../../api/errors.ts";
import { CLUSTER_ROLES, ROLES } from "../../api/generated/resources.ts";
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
} from "../../api/generated/types/rbac-v1.ts";
import { PRIVILEGED_GROUP } from "../authorization/privileged-group.ts";
import type { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import { describeRules, uncoveredRules } from "../authorization/rule-coverage.ts";
import type { AdmissionPlugin, AdmissionRequest, Authorizer } from "../contract.ts";

const GROUP = "rbac.authorization.k8s.io";
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];
const ROLE_KINDS = new Set(["roles", "clusterroles"]);

function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(" ");
}

function refuseExcess(
  request: AdmissionRequest,
  { rbac, wanted }: { rbac: RbacAuthorizer; wanted: readonly PolicyRule[] },
): void {
  const { user, namespace = "", resource, name } = request;
  const owned = rbac.grantsOf(user, namespace).flatMap(({ rules }) => rules);
  const excess = uncoveredRules(owned, wanted);
  if (excess.length === 0) return;
  throw forbidden(
    resource,
    name,
    `user ${JSON.stringify(user.name)} (groups=[${quoted(user.groups)}]) is attempting to grant RBAC permissions not currently held:\n${describeRules(excess)}`,
  );
}

function isUnchanged(request: AdmissionRequest, fields: readonly string[]): boolean {
  const { object, oldObject } = request;
  return (
    oldObject !== undefined &&
    fields.every((field) => JSON.stringify(object?.[field]) === JSON.stringify(oldObject[field]))
  );
}

/**
 * Nobody grants what they do not hold: a role may be written by those who hold all of it or may
 * `escalate`, a binding by those who hold all of its role or may `bind` it.
 */
export function rbacEscalationPlugin(
  authorizer: Authorizer & { rbac: RbacAuthorizer },
): AdmissionPlugin {
  const { rbac } = authorizer;
  const may = (request: AdmissionRequest, verb: string, role: { plural: string; name: string }) =>
    authorizer.authorize({
      user: request.user,
      verb,
      group: GROUP,
      version: "v1",
      resource: role.plural,
      name: role.name,
      ...(request.namespace ? { namespace: request.namespace } : {}),
    }).allowed;

  const validateRole = (request: AdmissionRequest) => {
    if (isUnchanged(request, ["rules", "aggregationRule"])) return;
    const { plural } = request.resource;
    if (may(request, "escalate", { plural, name: request.name })) return;
    const { rules = [], aggregationRule } = request.object as unknown as ClusterRole;
    refuseExcess(request, { rbac, wanted: aggregationRule ? EVERYTHING : rules });
  };

  const validateBinding = (request: AdmissionRequest) => {
    if (isUnchanged(request, ["roleRef", "subjects"])) return;
    const { roleRef } = request.object as unknown as RoleBinding | ClusterRoleBinding;
    const resource = roleRef.kind === "ClusterRole" ? CLUSTER_ROLES : ROLES;
    if (may(request, "bind", { plural: resource.plural, name: roleRef.name })) return;
    const wanted = rbac.rulesOf(roleRef, request.namespace ?? "");
    if (!wanted) throw notFound(resource, roleRef.name);
    refuseExcess(request, { rbac, wanted });
  };

  return {
    name: "RBACEscalation",
    handles: ({ resource, operation, subresource, user }) =>
      resource.group === GROUP &&
      !subresource &&
      (operation === "CREATE" || operation === "UPDATE") &&
      !user.groups.includes(PRIVILEGED_GROUP),
    validate: (request) =>
      ROLE_KINDS.has(request.resource.plural) ? validateRole(request) : validateBinding(request),
  };
}
