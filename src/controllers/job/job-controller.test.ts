import assert from "node:assert/strict";
import { test } from "node:test";
import { JOBS, PODS } from "../../api/generated/resources.ts";
import type { Job } from "../../api/generated/types/batch-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { jobController } from "./job-controller.ts";

const labels = { app: "work" };
const work = (spec: Partial<NonNullable<Job["spec"]>>): Job => ({
  metadata: { name: "work", namespace: "default" },
  spec: {
    parallelism: 2,
    completions: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "c" }] } },
    ...spec,
  },
});
const at = { namespace: "default", name: "work" };

test("a job of another controller is left alone", async () => {
  await using bench = startControllerBench(jobController());
  await bench.client.for(JOBS).create(work({ managedBy: "example.com/queue" }));
  assert.deepEqual(await bench.settle(), []);
});

test("what suspension takes away loses its finalizer first, and is not counted", async () => {
  await using bench = startControllerBench(jobController());
  const { client } = bench;
  await client.for(JOBS).create(work({ backoffLimit: 0 }));
  await bench.settle();
  const pods = client.for(PODS);
  assert.equal((await pods.list({ namespace: "default" })).items.length, 2);
  await client.for(JOBS).patch(at, { spec: { suspend: true } });
  const writes = await bench.settle();
  const ofPods = writes.filter(({ path }) => path.includes("/pods/"));
  assert.deepEqual(
    ofPods.map(({ method }) => method),
    ["PATCH", "PATCH", "DELETE", "DELETE"],
  );
  const { status } = await client.for(JOBS).get(at);
  assert.deepEqual([status?.failed, status?.active], [undefined, undefined]);
  assert.deepEqual(
    bench.events.map(({ reason }) => reason).filter((reason) => !reason.startsWith("Successful")),
    ["Suspended"],
  );
  assert.deepEqual(await bench.settle(), [], "a fixpoint writes nothing");
  await client.for(JOBS).patch(at, { spec: { suspend: false } });
  await bench.settle();
  assert.equal((await pods.list({ namespace: "default" })).items.length, 2);
  assert.equal(bench.events.at(-1)?.reason, "Resumed");
});

test("a pod that somebody deletes is a failure, and replaced after its wait", async () => {
  await using bench = startControllerBench(jobController());
  const { client } = bench;
  const pods = client.for(PODS);
  const count = async () => (await pods.list({ namespace: "default" })).items.length;
  await client.for(JOBS).create(work({ parallelism: 1, completions: 1 }));
  // The API in memory marks every deletion as of the start of virtual time.
  await bench.settle(0);
  const { items } = await pods.list({ namespace: "default" });
  await pods.delete({ namespace: "default", name: items[0]?.metadata?.name ?? "" });
  await bench.settle(9_000);
  assert.equal(await count(), 0);
  assert.equal((await client.for(JOBS).get(at)).status?.failed, 1);
  await bench.settle(2_000);
  assert.equal(await count(), 1);
});
