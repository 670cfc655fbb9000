import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS, REPLICA_SETS } from "../api/generated/resources.ts";
import { defineController, input } from "../client/controller.ts";
import { controllerRoles, controllerUser } from "./controller-identity.ts";

test("a controller is bound to exactly the role that its declaration generates", () => {
  const [role, binding] = controllerRoles([
    defineController({
      name: "sample",
      inputs: { sets: input(REPLICA_SETS, () => []) },
      outputs: [{ resource: PODS, verbs: ["create"] }],
      reconcile: () => Promise.resolve(),
    }),
  ]);
  assert.deepEqual(
    role?.object.rules?.map(({ resources, verbs }) => [resources, verbs]),
    [
      [["replicasets"], ["get", "list", "watch"]],
      [["pods"], ["create", "get"]],
      [["events"], ["create", "patch"]],
    ],
  );
  const [subject] = binding?.object.subjects ?? [];
  assert.equal(
    controllerUser("sample").name,
    `system:serviceaccount:${subject?.namespace}:${subject?.name}`,
  );
});
