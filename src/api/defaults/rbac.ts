import type { RoleBinding } from "../generated/types/rbac-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

const GROUP = "rbac.authorization.k8s.io";

const binding = defaulter<RoleBinding>((object) => {
  if (object.roleRef) object.roleRef.apiGroup ||= GROUP;
  for (const subject of object.subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= GROUP;
  }
});

/** Defaults of rbac.authorization.k8s.io/v1. */
export const RBAC_DEFAULTS: Defaulters = { ClusterRoleBinding: binding, RoleBinding: binding };
