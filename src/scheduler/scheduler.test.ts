import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { settle } from "../lib/virtual-clock.ts";
import { schedulerBench as bench } from "./scheduler-fixture.ts";
import { SchedulerMetrics } from "./scheduler-metrics.ts";

test("a pod is bound in the turn in which it is seen", async () => {
  await using at = bench();
  await at.node("n1", "4");
  await settle();
  await at.pod("a");
  await settle();
  assert.equal(await at.placeOf("a"), "n1");
  assert.deepEqual(
    at.events.map(({ reason, message }) => [reason, message]),
    [["Scheduled", "Successfully assigned default/a to n1"]],
  );
});

test("a burst never shares a place twice", async () => {
  await using at = bench();
  await Promise.all([at.node("n1", "2"), at.node("n2", "3")]);
  await settle();
  await Promise.all(Array.from({ length: 8 }, (_, index) => at.pod(`p${index}`)));
  await settle();
  const places = await Promise.all(
    Array.from({ length: 8 }, (_, index) => at.placeOf(`p${index}`)),
  );
  const on = (name: string) => places.filter((place) => place === name).length;
  assert.deepEqual([on("n1"), on("n2")], [2, 3]);
});

test("a pod without a place says why, and gets one when a node comes", async () => {
  await using at = bench();
  await at.node("n1", "500m");
  await settle();
  await at.pod("a");
  await settle();
  const { status } = await at.client.for(PODS).get({ name: "a", namespace: "default" });
  const [condition] = status?.conditions ?? [];
  assert.equal(condition?.type, "PodScheduled");
  assert.equal(condition?.status, "False");
  assert.equal(condition?.reason, "Unschedulable");
  assert.equal(
    condition?.message,
    "0/1 nodes are available: 1 Insufficient cpu. " +
      "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  await at.node("n2", "4");
  await at.clock.advance(1000);
  assert.equal(await at.placeOf("a"), "n2");
});

test("room that a deleted pod leaves is used", async () => {
  await using at = bench();
  await at.node("n1", "1");
  await settle();
  await at.pod("a");
  await settle();
  await at.pod("b");
  await settle();
  assert.equal(await at.placeOf("b"), undefined);
  await at.client.for(PODS).delete({ name: "a", namespace: "default" });
  await at.clock.advance(1000);
  assert.equal(await at.placeOf("b"), "n1");
});

test("a refused binding gives its place back and is tried again", async () => {
  await using at = bench();
  await at.node("n1", "1");
  await settle();
  let refusals = 0;
  at.memory.fail = ({ path }) => {
    if (!path.endsWith("/binding") || refusals > 0) return undefined;
    refusals++;
    return new StatusError("Conflict", "not now");
  };
  await at.pod("a");
  await settle();
  assert.equal(await at.placeOf("a"), undefined);
  await at.clock.advance(1000);
  assert.equal(await at.placeOf("a"), "n1");
});

test("a binding that happened counts, though its answer was lost", async () => {
  const memory = new MemoryTransport();
  const send = memory.request.bind(memory);
  memory.request = async (request) => {
    const response = await send(request);
    if (request.path.endsWith("/binding")) throw new Error("request timed out");
    return response;
  };
  await using at = bench({}, memory);
  await at.node("n1", "1");
  await settle();
  await at.pod("a");
  await at.clock.advance(60_000);
  assert.equal(await at.placeOf("a"), "n1");
  assert.deepEqual((await at.podOf("a")).status?.conditions ?? [], []);
  assert.deepEqual(
    at.events.map(({ reason }) => reason),
    ["Scheduled"],
  );
});

test("gated pods and pods of other schedulers are left alone", async () => {
  await using at = bench();
  await at.node("n1", "4");
  await settle();
  await at.pod("gated", { schedulingGates: [{ name: "wait" }] });
  await at.pod("other", { schedulerName: "mine" });
  await settle();
  assert.equal(await at.placeOf("gated"), undefined);
  assert.equal(await at.placeOf("other"), undefined);
  await at.client
    .for(PODS)
    .patch({ name: "gated", namespace: "default" }, { spec: { schedulingGates: null } });
  await settle();
  assert.equal(await at.placeOf("gated"), "n1");
});

test("a more important pod takes the place of a less important one", async () => {
  await using at = bench();
  await at.node("n1", "1");
  await settle();
  await at.pod("low", { priority: 1 });
  await settle();
  await at.pod("high", { priority: 10 });
  await settle();
  assert.equal(await at.placeOf("high"), "n1");
  await assert.rejects(at.podOf("low"));
  const { uid } = (await at.podOf("high")).metadata ?? {};
  assert.deepEqual(
    at.events.map(({ reason }) => reason),
    ["Scheduled", "FailedScheduling", "Preempted", "Scheduled"],
  );
  assert.equal(at.events[2]?.message, `Preempted by pod ${uid} on node n1`);
});

test("a pod that must not preempt waits, and says so", async () => {
  await using at = bench();
  await at.node("n1", "1");
  await settle();
  await at.pod("low", { priority: 1 });
  await settle();
  await at.pod("high", { priority: 10, preemptionPolicy: "Never" });
  await settle();
  assert.equal(await at.placeOf("high"), undefined);
  assert.equal(
    (await at.podOf("high")).status?.conditions?.[0]?.message,
    "0/1 nodes are available: 1 Insufficient cpu. " +
      "preemption: not eligible due to preemptionPolicy=Never.",
  );
});

test("room made by preemption is kept for whom it was made", async () => {
  await using at = bench();
  await at.node("n1", "1");
  await settle();
  await at.pod("low", { priority: 1 });
  // The victim takes its time.
  const low = { name: "low", namespace: "default" };
  await at.client.for(PODS).patch(low, { metadata: { finalizers: ["example.com/slow"] } });
  await settle();
  await at.pod("high", { priority: 10 });
  await settle();
  assert.equal((await at.podOf("high")).status?.nominatedNodeName, "n1");
  await at.pod("middle", { priority: 5 });
  await at.client.for(PODS).patch(low, { metadata: { finalizers: null } });
  await settle();
  await at.clock.advance(10_000);
  assert.equal(await at.placeOf("high"), "n1");
  assert.equal(await at.placeOf("middle"), undefined);
});

test("a pod on its way to the room that was kept for it counts for every other pod", async () => {
  const memory = new MemoryTransport();
  const send = memory.request.bind(memory);
  let answer = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  memory.request = async (request) => {
    if (request.path.endsWith("/kept/binding")) await answered;
    return send(request);
  };
  await using at = bench({}, memory);
  await at.node("n1", "2");
  await settle();
  const resources = { requests: { cpu: "1" } };
  await at.client.for(PODS).create({
    metadata: { name: "kept", namespace: "default" },
    spec: { priority: 5, containers: [{ name: "c", image: "i", resources }] },
    status: { nominatedNodeName: "n1" },
  });
  await settle();
  await at.pod("low", { priority: 0 });
  await settle();
  await at.pod("high", { priority: 10, preemptionPolicy: "Never" });
  await settle();
  answer();
  await settle();
  assert.equal(await at.placeOf("kept"), "n1");
  assert.equal(await at.placeOf("low"), "n1");
  assert.equal(await at.placeOf("high"), undefined);
});

test("room that was kept for a pod that goes is given to another", async () => {
  await using at = bench();
  await at.node("n1", "2");
  await settle();
  await at.pod("low", { priority: 1 });
  const low = { name: "low", namespace: "default" };
  await at.client.for(PODS).patch(low, { metadata: { finalizers: ["example.com/slow"] } });
  await settle();
  const resources = { requests: { cpu: "2" } };
  await at.pod("high", { priority: 10, containers: [{ name: "c", image: "i", resources }] });
  await settle();
  await at.pod("middle", { priority: 5 });
  await settle();
  assert.equal((await at.podOf("high")).status?.nominatedNodeName, "n1");
  assert.equal(await at.placeOf("middle"), undefined);
  await at.client.for(PODS).delete({ name: "high", namespace: "default" });
  await at.clock.advance(1000);
  assert.equal(await at.placeOf("middle"), "n1");
});

test("kinds that an older API server does not serve hold up no pod", async () => {
  const unserved = /\/(poddisruptionbudgets|csistoragecapacities|volumeattachments)\b/;
  const memory = new MemoryTransport();
  memory.fail = ({ path }) =>
    unserved.test(path) ? new StatusError("NotFound", "not served") : undefined;
  await using at = bench({}, memory);
  await at.node("n1", "4");
  await settle();
  await at.pod("a");
  await settle();
  assert.equal(await at.placeOf("a"), "n1");
});

test("attempts are counted by their results, and pods by how long they waited", async () => {
  const metrics = new SchedulerMetrics();
  await using at = bench({ metrics });
  await at.node("a", "1");
  await at.pod("small");
  await at.pod("large", {
    containers: [{ name: "c", image: "i", resources: { requests: { cpu: "2" } } }],
  });
  await settle();
  assert.equal(await at.placeOf("small"), "a");
  const samples = new Map(metrics.families().map(({ name, samples }) => [name, samples]));
  const attempts = samples.get("scheduler_schedule_attempts_total") ?? [];
  const results = new Map(attempts.map(({ labels, value }) => [labels?.["result"], value]));
  assert.deepEqual([results.get("scheduled"), results.get("unschedulable")], [1, 1]);
  const pending = samples.get("scheduler_pending_pods") ?? [];
  assert.deepEqual(
    pending.map(({ labels, value }) => [labels?.["queue"], value]),
    [
      ["active", 0],
      ["backoff", 0],
      ["unschedulable", 1],
    ],
  );
  const waits = samples.get("scheduler_pod_scheduling_sli_duration_seconds") ?? [];
  assert.equal(waits.find(({ suffix }) => suffix === "_count")?.value, 1);
});
