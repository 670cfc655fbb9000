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
        const resources = [{ name: "rollouts", kind: "Rollout", namespaced: true }];
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
});

test("a number of pods that must stay needs no size", async () => {
  const { status, reasons } = await judge({ kind: "Nobody", minAvailable: 1 });
  assert.equal(status?.disruptionsAllowed, 1);
  assert.deepEqual(reasons, []);
});

test("pods that nobody controls cannot be missed, so none is spared", async () => {
  const { status } = await judge({ maxUnavailable: 1 });
  assert.deepEqual([status?.expectedPods, status?.disruptionsAllowed], [0, 0]);
});
