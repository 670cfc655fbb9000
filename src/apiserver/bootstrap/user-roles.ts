import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { owns, reads, rule, visits, writes } from "./rule-shorthand.ts";

const WORKLOADS =
  "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale";
const WORKLOAD_STATUS =
  "controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status";
const CORE_OBJECTS =
  "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale serviceaccounts services";
const STREAMS = "pods/attach pods/exec pods/portforward pods/proxy";

/** Reading everything of a namespace but Secrets, roles and streams. */
export const VIEW_RULES: readonly PolicyRule[] = [
  reads("core", `${CORE_OBJECTS} endpoints pods persistentvolumeclaims/status services/status`),
  reads(
    "core",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
  ),
  reads("core", "namespaces"),
  reads("discovery.k8s.io", "endpointslices"),
  reads("apps", `${WORKLOADS} ${WORKLOAD_STATUS}`),
  reads("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  reads("batch", "cronjobs cronjobs/status jobs jobs/status"),
  reads("policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  reads("networking.k8s.io", "ingresses ingresses/status networkpolicies"),
];

/** Reading what nodes and pods use. */
export const METRICS_RULES: readonly PolicyRule[] = [reads("metrics.k8s.io", "nodes pods")];

/** What `edit` adds to `view`. */
export const EDIT_RULES: readonly PolicyRule[] = [
  reads("core", `${STREAMS} secrets services/proxy`),
  rule("impersonate", "core", "serviceaccounts"),
  writes("core", `pods ${STREAMS}`),
  rule("create", "core", "pods/eviction serviceaccounts/token"),
  writes("core", `${CORE_OBJECTS} endpoints events secrets services/proxy`),
  writes("apps", `${WORKLOADS} deployments/rollback`),
  writes("autoscaling", "horizontalpodautoscalers"),
  writes("batch", "cronjobs jobs"),
  writes("policy", "poddisruptionbudgets"),
  writes("networking.k8s.io", "ingresses networkpolicies"),
  owns("coordination.k8s.io", "leases"),
];

/** What `admin` adds to `edit`. */
export const ADMIN_RULES: readonly PolicyRule[] = [
  rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
  owns("rbac.authorization.k8s.io", "rolebindings roles"),
];

export const CLUSTER_ADMIN_RULES: readonly PolicyRule[] = [rule("*", "*", "*"), visits("*", "*")];
