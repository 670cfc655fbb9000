import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerRuntime, SandboxSpec } from "./contract.ts";
import { measuredRuntime } from "./measured-runtime.ts";

test("operations are told of with their time and outcome, and answer as before", async () => {
  let nowMs = 0;
  const told: unknown[] = [];
  const status = { id: "c1" };
  const bare: Partial<ContainerRuntime> = {
    startContainer: async (id) => {
      nowMs += 20;
      return await Promise.resolve({ ...status, id } as never);
    },
    removeSandbox: () => {
      nowMs += 5;
      return Promise.reject(new Error("busy"));
    },
    createSandbox: async (spec) => await Promise.resolve({ id: spec.id } as never),
    writableLayer: (id) => `/layers/${id}`,
  };
  const runtime = measuredRuntime(bare as ContainerRuntime, {
    monotonicMs: () => nowMs,
    observe: (operation, outcome) => told.push([operation, outcome]),
  });
  assert.deepEqual(await runtime.startContainer("c1"), status);
  await assert.rejects(runtime.removeSandbox("s1"), /busy/);
  assert.equal(runtime.writableLayer("c1"), "/layers/c1");
  await runtime.createSandbox({ id: "s1", handler: "runsc" } as SandboxSpec);
  await runtime.createSandbox({ id: "s2" } as SandboxSpec);
  assert.deepEqual(told, [
    ["start_container", { seconds: 0.02, failed: false }],
    ["remove_podsandbox", { seconds: 0.005, failed: true }],
    ["run_podsandbox", { seconds: 0, failed: false, handler: "runsc" }],
    ["run_podsandbox", { seconds: 0, failed: false, handler: "" }],
  ]);
});
