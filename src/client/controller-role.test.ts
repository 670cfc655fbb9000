import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPLOYMENTS, PODS } from "../api/generated/resources.ts";
import { defineController, input } from "./controller.ts";
import { roleOf } from "./controller-role.ts";

test("a controller's role allows what it declares and nothing else", () => {
  const definition = defineController({
    name: "deployment",
    inputs: { deployments: input(DEPLOYMENTS, () => []), pods: input(PODS, () => []) },
    outputs: [
      { resource: DEPLOYMENTS, verbs: ["update"], subresources: ["status"] },
      { resource: PODS, verbs: ["create", "delete"] },
    ],
    reconcile: async () => {},
  });
  const { metadata, rules } = roleOf(definition);
  assert.equal(metadata?.name, "system:controller:deployment");
  assert.deepEqual(rules, [
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "update", "watch"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["create", "delete", "get", "list", "watch"] },
    { apiGroups: ["apps"], resources: ["deployments/status"], verbs: ["update"] },
    { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
  ]);
});
