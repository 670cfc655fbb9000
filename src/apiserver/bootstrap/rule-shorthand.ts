import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";

/** Verbs that change nothing. */
export const READ: readonly string[] = ["get", "list", "watch"];
/** Verbs that change something. */
export const WRITE: readonly string[] = ["create", "delete", "deletecollection", "patch", "update"];
export const ALL_VERBS: readonly string[] = [...READ, ...WRITE];

/** `rule("get list", "apps", "deployments deployments/status")`; "core" is the group "". */
export function rule(verbs: string, groups: string, resources: string): PolicyRule {
  return {
    verbs: verbs.split(" "),
    apiGroups: groups.split(" ").map((group) => (group === "core" ? "" : group)),
    resources: resources.split(" "),
  };
}

/** Reading some resources. */
export function reads(groups: string, resources: string): PolicyRule {
  return rule(READ.join(" "), groups, resources);
}

/** Reading and writing some resources. */
export function owns(groups: string, resources: string): PolicyRule {
  return rule(ALL_VERBS.join(" "), groups, resources);
}

/** Only writing, for roles that read through another one. */
export function writes(groups: string, resources: string): PolicyRule {
  return rule(WRITE.join(" "), groups, resources);
}

/** Paths that are not resources. */
export function visits(verbs: string, ...paths: string[]): PolicyRule {
  return { verbs: verbs.split(" "), nonResourceURLs: paths };
}

/** Recording events, as every component does. */
export const EVENTS_RULE: PolicyRule = rule("create patch update", "core events.k8s.io", "events");
