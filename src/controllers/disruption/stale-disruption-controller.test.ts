import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { staleDisruptionController } from "./stale-disruption-controller.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).
const rows: [
  title: string,
  pod: Pick<Pod, "metadata" | "status">,
  reason: string,
  after: string,
][] = [
  ["one that was announced and did not come", {}, "EvictionByEvictionAPI", "False"],
  ["one that a node announced", {}, "TerminationByKubelet", "True"],
  ["one that ended", { status: { phase: "Failed" } }, "EvictionByEvictionAPI", "True"],
  [
    "one on its way out",
    { metadata: { deletionTimestamp: "2030-01-01T00:00:00Z", finalizers: ["a/b"] } },
    "EvictionByEvictionAPI",
    "True",
  ],
];

test("a disruption that does not come is taken back after two minutes", async () => {
  for (const [title, { metadata, status }, reason, after] of rows) {
    await using bench = startControllerBench(staleDisruptionController());
    const { client, clock } = bench;
    const lastTransitionTime = new Date(clock.now()).toISOString();
    const type = "DisruptionTarget";
    const announced = { type, status: "True" as const, reason, lastTransitionTime };
    const ref = { name: "p", namespace: "default" };
    await client.for(PODS).create({
      metadata: { ...ref, ...metadata },
      spec: { containers: [] },
      status: { phase: "Running", ...status, conditions: [announced] },
    });
    const now = async () => (await client.for(PODS).get(ref)).status?.conditions?.at(0)?.status;
    await bench.settle(110_000);
    assert.equal(await now(), "True", title);
    await bench.settle(20_000);
    assert.equal(await now(), after, title);
    assert.deepEqual(await bench.settle(), [], "a fixpoint writes nothing");
  }
});
