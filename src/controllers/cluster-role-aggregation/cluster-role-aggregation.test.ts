import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole } from "../../api/generated/types/rbac-v1.ts";
import { aggregatedRules } from "./cluster-role-aggregation-controller.ts";

const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });

test("an aggregating role has the rules of the roles it selects, each once, by name", () => {
  const admin: ClusterRole = {
    metadata: { name: "admin", labels: { part: "admin" } },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: "admin" } }] },
    rules: [rule("stale")],
  };
  const labels = { part: "admin" };
  const roles: ClusterRole[] = [
    admin,
    { metadata: { name: "b", labels }, rules: [rule("pods"), rule("secrets")] },
    { metadata: { name: "a", labels }, rules: [rule("pods")] },
    { metadata: { name: "c" }, rules: [rule("nodes")] },
  ];
  assert.deepEqual(aggregatedRules(admin, roles), [rule("pods"), rule("secrets")]);
});
