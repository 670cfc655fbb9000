import assert from "node:assert/strict";
import { test } from "node:test";
import { allocatableAmounts } from "./node-facts.ts";

test("what is for pods is what neither the node nor eviction keeps", () => {
  const capacity = new Map([
    ["cpu", 4000],
    ["memory", 10_000],
    ["ephemeral-storage", 8_000],
  ]);
  const reservation = {
    kube: new Map([
      ["cpu", 100],
      ["memory", 1000],
    ]),
    system: new Map([
      ["cpu", 1900],
      ["ephemeral-storage", 100],
    ]),
    cpus: "",
    enforced: true,
  };
  const hard = { "memory.available": { share: 0.1 }, "nodefs.available": { amount: 9000 } };
  assert.deepEqual(
    [...allocatableAmounts(capacity, { reservation, hard })],
    [
      ["cpu", 2000],
      ["memory", 8_000],
      ["ephemeral-storage", 0],
    ],
  );
});
