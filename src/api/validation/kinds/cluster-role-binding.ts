import type { ClusterRoleBinding } from "../../generated/types/rbac-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { bindingRules } from "../rbac.ts";

export const CLUSTER_ROLE_BINDING: KindRules<ClusterRoleBinding> = bindingRules(false);
