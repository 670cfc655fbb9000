import type { BootstrapBody, BootstrapObject } from "./bootstrap-object.ts";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  NAMESPACES,
  PRIORITY_CLASSES,
  ROLE_BINDINGS,
  ROLES,
} from "../../api/generated/resources.ts";
import type { PolicyRule, Subject } from "../../api/generated/types/rbac-v1.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import { COMPONENT_ROLES, SYSTEM_NAMESPACE_ROLES } from "./component-roles.ts";
import {
  ADMIN_RULES,
  CLUSTER_ADMIN_RULES,
  EDIT_RULES,
  METRICS_RULES,
  VIEW_RULES,
} from "./user-roles.ts";
import { flowObjects } from "./flow-objects.ts";

const RBAC = "rbac.authorization.k8s.io";
const BOOTSTRAP_LABELS = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const AUTO_UPDATE = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

function object<T>(
  resource: Resource<T>,
  metadata: BootstrapBody["metadata"],
  fields: Record<string, unknown> = {},
): BootstrapObject {
  const { kind } = resource;
  return { resource, object: { apiVersion: apiVersionOf(resource), kind, metadata, ...fields } };
}

function rbacMetadata(
  name: string,
  more: { namespace?: string; labels?: Record<string, string> } = {},
) {
  const { namespace, labels } = more;
  return {
    name,
    ...(namespace ? { namespace } : {}),
    labels: { ...BOOTSTRAP_LABELS, ...labels },
    annotations: AUTO_UPDATE,
  };
}

function clusterRole(name: string, rules: readonly PolicyRule[], labels?: Record<string, string>) {
  return object(CLUSTER_ROLES, rbacMetadata(name, labels ? { labels } : {}), { rules });
}

/** A role that is the sum of others; its rules are what the bundled ones add up to. */
function aggregate(name: string, rules: readonly PolicyRule[], into?: string) {
  const labels = into ? { [`${RBAC}/aggregate-to-${into}`]: "true" } : undefined;
  const clusterRoleSelectors = [{ matchLabels: { [`${RBAC}/aggregate-to-${name}`]: "true" } }];
  return object(CLUSTER_ROLES, rbacMetadata(name, labels ? { labels } : {}), {
    aggregationRule: { clusterRoleSelectors },
    rules,
  });
}

function aggregated(into: string, rules: readonly PolicyRule[]) {
  const labels = { [`${RBAC}/aggregate-to-${into}`]: "true" };
  return clusterRole(`system:aggregate-to-${into}`, rules, labels);
}

const group = (name: string): Subject => ({ kind: "Group", apiGroup: RBAC, name });
const user = (name: string): Subject => ({ kind: "User", apiGroup: RBAC, name });

function clusterBinding(role: string, ...subjects: Subject[]) {
  return object(CLUSTER_ROLE_BINDINGS, rbacMetadata(role), {
    subjects,
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
  });
}

function clusterRoles(): BootstrapObject[] {
  return [
    clusterRole("cluster-admin", CLUSTER_ADMIN_RULES),
    aggregate("admin", [...ADMIN_RULES, ...EDIT_RULES, ...VIEW_RULES, ...METRICS_RULES]),
    aggregate("edit", [...EDIT_RULES, ...VIEW_RULES, ...METRICS_RULES], "admin"),
    aggregate("view", [...VIEW_RULES, ...METRICS_RULES], "edit"),
    aggregated("admin", ADMIN_RULES),
    aggregated("edit", EDIT_RULES),
    aggregated("view", VIEW_RULES),
    clusterRole("system:aggregated-metrics-reader", METRICS_RULES, {
      [`${RBAC}/aggregate-to-view`]: "true",
    }),
    ...Object.entries(COMPONENT_ROLES).map(([name, rules]) => clusterRole(name, rules)),
  ];
}

function bindings(): BootstrapObject[] {
  const authenticated = group("system:authenticated");
  const reader = "extension-apiserver-authentication-reader";
  return [
    clusterBinding("cluster-admin", group("system:masters")),
    clusterBinding("system:basic-user", authenticated),
    clusterBinding("system:discovery", authenticated),
    // Anonymous requests pass authentication for health alone, so that this opens nothing else.
    clusterBinding("system:public-info-viewer", authenticated, group("system:unauthenticated")),
    clusterBinding("system:monitoring", group("system:monitoring")),
    clusterBinding("system:service-account-issuer-discovery", group("system:serviceaccounts")),
    clusterBinding("system:node-proxier", user("system:kube-proxy")),
    clusterBinding("system:kube-controller-manager", user("system:kube-controller-manager")),
    clusterBinding("system:kube-scheduler", user("system:kube-scheduler")),
    clusterBinding("system:volume-scheduler", user("system:kube-scheduler")),
    clusterBinding("system:node"),
    object(ROLE_BINDINGS, rbacMetadata(`system::${reader}`, { namespace: "kube-system" }), {
      subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler")],
      roleRef: { apiGroup: RBAC, kind: "Role", name: reader },
    }),
  ];
}

function priorityClass(name: string, value: number, description: string) {
  return object(
    PRIORITY_CLASSES,
    { name },
    { value, description, preemptionPolicy: "PreemptLowerPriority" },
  );
}

/** What aggregated API servers read to trust this server; see `extension-apiserver-authentication`. */
export interface TrustRoots {
  clientCaPem: string;
  frontProxyCaPem: string;
}

function trustConfigMap({ clientCaPem, frontProxyCaPem }: TrustRoots): BootstrapObject {
  const metadata = { name: "extension-apiserver-authentication", namespace: "kube-system" };
  return object(CONFIG_MAPS, metadata, {
    data: {
      "client-ca-file": clientCaPem,
      "requestheader-allowed-names": '["front-proxy-client"]',
      "requestheader-client-ca-file": frontProxyCaPem,
      "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
      "requestheader-group-headers": '["X-Remote-Group"]',
      "requestheader-username-headers": '["X-Remote-User"]',
    },
  });
}

/** Everything that a new cluster holds, in the order in which it must be created. */
export function bootstrapObjects(roots?: TrustRoots): BootstrapObject[] {
  const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
  return [
    ...namespaces.map((name) =>
      object(NAMESPACES, { name, labels: { "kubernetes.io/metadata.name": name } }),
    ),
    priorityClass(
      "system-cluster-critical",
      2_000_000_000,
      "For pods that the cluster needs; they may move to another node.",
    ),
    priorityClass(
      "system-node-critical",
      2_000_001_000,
      "For pods that their node needs; the highest there is.",
    ),
    ...clusterRoles(),
    ...Object.entries(SYSTEM_NAMESPACE_ROLES).map(([name, rules]) =>
      object(ROLES, rbacMetadata(name, { namespace: "kube-system" }), { rules }),
    ),
    ...bindings(),
    ...flowObjects(),
    ...(roots ? [trustConfigMap(roots)] : []),
  ];
}
