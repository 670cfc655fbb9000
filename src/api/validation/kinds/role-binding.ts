import type { RoleBinding } from "../../generated/types/rbac-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { bindingRules } from "../rbac.ts";

export const ROLE_BINDING: KindRules<RoleBinding> = bindingRules(true);
