import assert from "node:assert/strict";
import { test } from "node:test";
import { POD_DISRUPTION_BUDGETS, PODS } from "../../api/generated/resources.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { StatusError } from "../../api/errors.ts";
import type { ApiRequest } from "../../api/transport.ts";
import { runController } from "../../client/controller-runner.ts";
import type { RecordedEvent } from "../../client/event-recorder.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { startControllerBench } from "../controller-bench.ts";
import { disruptionController } from "./disruption-controller.ts";

const VERSION = "/apis/example.com/v1";
const SCALE = `${VERSION}/namespaces/shop/rollouts/web/scale`;
const owner = (kind: string): OwnerReference => ({
  apiVersion: "example.com/v1",
  kind,
  name: "web",
  uid: "owner",
  controller: true,
});

/** Two ready pods under a budget; "Rollout" has a scale of three, and nothing else has any. */
async function judge(of: { kind?: string; maxUnavailable?: number; minAvailable?: number }) {
  const { kind, ...spec } = of;
  const memory = new MemoryTransport();
  const client = createClient(memory);
  const transport = {
    request: async (request: ApiRequest) => {
      if (request.path === VERSION) {
        const resources = [
          { name: "rollouts", kind: "Rollout", namespaced: true },
          { name: "rollouts/scale", kind: "Scale", namespaced: true },
          { name: "agents", kind: "Agent", namespaced: true },
        ];
        return { status: 200, body: { resources } };
      }
      if (request.path === SCALE) return { status: 200, body: { spec: { replicas: 3 } } };
      if (request.path.endsWith("/scale")) throw new StatusError("NotFound", "no scale");
      return memory.request(request);
    },
    watch: memory.watch.bind(memory),
  };
  const selector = { matchLabels: { app: "web" } };
  await client.for(POD_DISRUPTION_BUDGETS).create({
    metadata: { name: "web", namespace: "shop" },
    spec: { selector, ...spec },
  });
  for (const name of ["a", "b"]) {
    await client.for(PODS).create({
      metadata: {
        name,
        namespace: "shop",
        labels: { app: "web" },
        ...(kind ? { ownerReferences: [owner(kind)] } : {}),
      },
      spec: { containers: [{ name: "c", image: "i" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    });
  }
  const clock = new VirtualClock();
  const events: RecordedEvent[] = [];
  const sources = { clock, random: seededRandom(1), logger: silentLogger };
  const seen = createClient(transport);
  await using informers = createInformerFactory({ ...sources, client: seen });
  const recorder = { record: (event: RecordedEvent) => void events.push(event) };
  const deps = { ...sources, client: seen, informers, events: recorder };
  await using _running = runController(disruptionController(), deps);
  await clock.advance(1_000);
  const ref = { namespace: "shop", name: "web" };
  const { status } = await client.for(POD_DISRUPTION_BUDGETS).get(ref);
  return { status, reasons: events.map(({ reason }) => reason) };
}

test("pods of a custom resource are counted by its scale", async () => {
  const { status } = await judge({ kind: "Rollout", maxUnavailable: 1 });
  assert.deepEqual([status?.expectedPods, status?.desiredHealthy], [3, 2]);
  assert.equal(status?.disruptionsAllowed, 0, "one is missing already");
  const more = await judge({ kind: "Rollout", maxUnavailable: 2 });
  assert.equal(more.status?.disruptionsAllowed, 1);
});

test("where nobody knows the size nothing is spared, and that is said", async () => {
  const { status, reasons } = await judge({ kind: "Nobody", maxUnavailable: 1 });
  assert.equal(status?.disruptionsAllowed, 0);
  assert.equal(status?.conditions?.[0]?.reason, "SyncFailed");
  assert.deepEqual([...new Set(reasons)], ["CalculateExpectedPodCountFailed"]);
  const sizeless = await judge({ kind: "Agent", maxUnavailable: 1 });
  assert.equal(
    sizeless.status?.conditions?.[0]?.message,
    "agents.example.com does not implement the scale subresource",
  );
});

test("a number of pods that must stay needs no size", async () => {
  const { status, reasons } = await judge({ kind: "Nobody", minAvailable: 1 });
  assert.equal(status?.disruptionsAllowed, 1);
  assert.deepEqual(reasons, []);
});

test("pods that nobody controls cannot be missed, so none is spared", async () => {
  const { status, reasons } = await judge({ maxUnavailable: 1 });
  assert.deepEqual([status?.expectedPods, status?.disruptionsAllowed], [0, 0]);
  assert.deepEqual([...new Set(reasons)], ["UnmanagedPods"]);
});

test("a budget without pods says so, and an eviction that did not come is told of", async () => {
  await using bench = startControllerBench(disruptionController());
  const { client, clock } = bench;
  const ref = { name: "web", namespace: "shop" };
  const selector = { matchLabels: { app: "web" } };
  await client
    .for(POD_DISRUPTION_BUDGETS)
    .create({ metadata: ref, spec: { selector, minAvailable: 1 } });
  await bench.settle();
  assert.deepEqual([...new Set(bench.events.map(({ reason }) => reason))], ["NoPods"]);
  const disruptedPods = { a: new Date(clock.now()).toISOString() };
  await client.for(PODS).create({
    metadata: { name: "a", namespace: "shop", labels: { app: "web" } },
    spec: { containers: [] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  await client
    .for(POD_DISRUPTION_BUDGETS)
    .patch(ref, { status: { disruptedPods } }, { subresource: "status" });
  await bench.settle(60_000);
  const healthy = async () =>
    (await client.for(POD_DISRUPTION_BUDGETS).get(ref)).status?.currentHealthy;
  assert.equal(await healthy(), 0, "it is expected to go");
  await bench.settle(90_000);
  assert.equal(await healthy(), 1);
  const last = bench.events.at(-1);
  assert.equal(last?.reason, "NotDeleted");
  assert.equal(last?.message, "Pod was expected by PDB shop/web to be deleted but it wasn't");
});
