import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { EVENTS_RULE, reads, rule } from "./rule-shorthand.ts";

/**
 * What a node may do, before the Node authorizer narrows it to the node's own pods. ConfigMaps and
 * Secrets are not here: no role grants them to all nodes. What its network needs is read by
 * `system:kube-proxy`.
 */
export const NODE_RULES: readonly PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews"),
  reads("core", "services"),
  rule("create get list watch", "core", "nodes"),
  rule("patch update", "core", "nodes/status"),
  rule("patch update", "core", "nodes"),
  EVENTS_RULE,
  reads("core", "pods"),
  rule("create delete", "core", "pods"),
  rule("patch update", "core", "pods/status"),
  rule("create", "core", "pods/eviction"),
  rule("get", "core", "persistentvolumeclaims persistentvolumes"),
  rule("get patch update", "core", "persistentvolumeclaims/status"),
  rule("create get", "certificates.k8s.io", "certificatesigningrequests"),
  rule("list watch", "certificates.k8s.io", "certificatesigningrequests"),
  rule("create delete get patch update", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  reads("storage.k8s.io", "csidrivers"),
  rule("create delete get patch update", "storage.k8s.io", "csinodes"),
  rule("create", "core", "serviceaccounts/token"),
  reads("node.k8s.io", "runtimeclasses"),
];
