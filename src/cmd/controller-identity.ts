import type { BootstrapObject } from "../apiserver/bootstrap/bootstrap-object.ts";
import type { UserInfo } from "../apiserver/contract.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from "../api/generated/resources.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { roleOf } from "../client/controller-role.ts";

const NAMESPACE = "kube-system";
const RBAC = "rbac.authorization.k8s.io";
const AUTO_UPDATE = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

/** As whom a controller writes: it may do what it declares and nothing else. */
export function controllerUser(name: string): UserInfo {
  return {
    name: `system:serviceaccount:${NAMESPACE}:${name}`,
    groups: [
      "system:serviceaccounts",
      `system:serviceaccounts:${NAMESPACE}`,
      "system:authenticated",
    ],
  };
}

/** The roles of the controllers, generated from their declarations, and their bindings. */
export function controllerRoles(definitions: readonly ControllerDefinition[]): BootstrapObject[] {
  return definitions.flatMap((definition) => {
    const { rules = [], metadata } = roleOf(definition);
    const name = metadata?.name ?? "";
    const named = {
      apiVersion: `${RBAC}/v1`,
      metadata: { name, annotations: AUTO_UPDATE },
    };
    return [
      { resource: CLUSTER_ROLES, object: { ...named, kind: "ClusterRole", rules } },
      {
        resource: CLUSTER_ROLE_BINDINGS,
        object: {
          ...named,
          kind: "ClusterRoleBinding",
          roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
          subjects: [{ kind: "ServiceAccount", name: definition.name, namespace: NAMESPACE }],
        },
      },
    ];
  });
}
