import { CLUSTER_ROLES } from "../../api/generated/resources.ts";
import type { ClusterRole, PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { matchesSelector } from "../../lib/labels.ts";
import { jsonEqual } from "../json-equal.ts";
import { refOf } from "../ownership.ts";

/** The rules of all roles that an aggregating role selects, without repeats, by role name. */
export function aggregatedRules(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const name = (one: ClusterRole) => one.metadata?.name ?? "";
  const rules: PolicyRule[] = [];
  const parts = roles
    .filter((one) => name(one) !== name(role))
    .filter(({ metadata }) =>
      selectors.some((selector) => matchesSelector(selector, metadata?.labels)),
    )
    .sort((a, b) => (name(a) < name(b) ? -1 : 1));
  for (const rule of parts.flatMap((one) => one.rules ?? [])) {
    if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
  }
  return rules;
}

/** Keeps the rules of aggregating ClusterRoles such as "admin" equal to their parts. */
export function clusterRoleAggregationController(): ControllerDefinition {
  return defineController({
    name: "cluster-role-aggregation",
    inputs: {
      roles: input(CLUSTER_ROLES, (_, listers) =>
        listers
          .of(CLUSTER_ROLES)
          .list()
          .filter(({ aggregationRule }) => aggregationRule !== undefined)
          .map(refOf),
      ),
    },
    outputs: [{ resource: CLUSTER_ROLES, verbs: ["update", "escalate"] }],
    async reconcile({ inputs, client }, { name }) {
      const role = inputs.roles.get(undefined, name);
      if (!role?.aggregationRule) return;
      const rules = aggregatedRules(role, inputs.roles.list());
      if (!jsonEqual(rules, role.rules ?? [])) {
        await client.for(CLUSTER_ROLES).update({ ...role, rules });
      }
    },
  });
}
