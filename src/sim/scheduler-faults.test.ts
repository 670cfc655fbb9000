import assert from "node:assert/strict";
import { test } from "node:test";
import { NAMESPACES, NODES, PODS } from "../api/generated/resources.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import { createApiServer } from "../apiserver/api-server.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { createClient } from "../client/resource-client.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { silentLogger } from "../lib/logger.ts";
import { quantityToMilli } from "../lib/quantity.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { FakeNodes } from "./fake-nodes.ts";
import { type Faults, FaultTransport } from "./fault-transport.ts";

const USER = { name: "sim", groups: ["system:masters"] };
const NODE_MILLI_CPU = 1000;
const logger = silentLogger;

/** Two full nodes of low pods, two that fit nowhere, one high pod that must get a place. */
const PODS_OF_RUN: readonly [name: string, cpu: string, priority: number][] = [
  ["low-1", "500m", 0],
  ["low-2", "500m", 0],
  ["low-3", "500m", 0],
  ["low-4", "500m", 0],
  ["late-1", "500m", 0],
  ["late-2", "500m", 0],
  ["high", "800m", 100],
];

interface Outcome {
  pods: Pod[];
  crashed: boolean;
  writes: number;
}

/** One run: a scheduler that suffers, then a healthy one that finds what it left behind. */
async function run(faults: Faults, seed = 1): Promise<Outcome> {
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  await using cleanup = new Cleanup();
  const store = cleanup.use(createMemoryStore());
  const security = () => ({
    authenticators: [],
    authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
    admission: [],
  });
  const server = cleanup.use(await createApiServer({ store, clock, random, logger, security }));
  const transport = server.transport(USER);
  const client = createClient(transport);
  const informers = cleanup.use(createInformerFactory({ client, clock, random, logger }));
  const nodes = cleanup.use(new FakeNodes({ client, informers, clock, logger }));
  const namespaces = client.for(NAMESPACES);
  await namespaces.create({ metadata: { name: "default" } }).catch(() => undefined);
  for (const name of ["n1", "n2"]) await nodes.add(name, { cpu: `${NODE_MILLI_CPU}m` });
  const live = (through: FaultTransport) => {
    const life = new Cleanup();
    const own = createClient(through);
    const view = life.use(createInformerFactory({ client: own, clock, random, logger }));
    const events = { record: () => undefined };
    life.use(runScheduler({ client: own, informers: view, events, clock, random, logger }));
    return life;
  };
  const first = new FaultTransport(transport, faults, { clock, random });
  const suffering = live(first);
  await createPods(client, { clock, upTo: PODS_OF_RUN.length });
  await clock.advance(20_000);
  await suffering[Symbol.asyncDispose]();
  const second = live(new FaultTransport(transport, {}, { clock, random }));
  await clock.advance(60_000);
  await second[Symbol.asyncDispose]();
  const { items: pods } = await client.for(PODS).list({ namespace: "default" });
  for (const name of ["n1", "n2"]) nodes.silence(name);
  await client.for(NODES).deleteCollection();
  return { pods, crashed: first.hasCrashed, writes: first.writes };
}

async function createPods(
  client: ReturnType<typeof createClient>,
  { clock, upTo }: { clock: VirtualClock; upTo: number },
): Promise<void> {
  for (const [name, cpu, priority] of PODS_OF_RUN.slice(0, upTo)) {
    await client.for(PODS).create({
      metadata: { name, namespace: "default" },
      spec: {
        priority,
        terminationGracePeriodSeconds: 5,
        containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }],
      },
    });
    await clock.advance(100);
  }
}

function check({ pods }: Outcome, about: string): void {
  const used = new Map<string, number>();
  for (const { spec } of pods) {
    if (!spec?.nodeName) continue;
    const cpu = quantityToMilli(spec.containers[0]?.resources?.requests?.["cpu"] ?? "0");
    used.set(spec.nodeName, (used.get(spec.nodeName) ?? 0) + cpu);
  }
  for (const [node, cpu] of used) assert.ok(cpu <= NODE_MILLI_CPU, `${node}: ${cpu}m, ${about}`);
  const named = new Map(pods.map((pod) => [pod.metadata?.name, pod]));
  assert.ok(named.get("high")?.spec?.nodeName, `the high pod has no node, ${about}`);
  // The high pod takes at most the place of two low ones; no third may be lost.
  const lost = PODS_OF_RUN.length - pods.length;
  assert.ok(lost <= 2, `${lost} pods lost, ${about}`);
  const placed = pods.filter(({ spec }) => spec?.nodeName).length;
  assert.equal(placed, 3, `${placed} pods placed, ${about}`);
}

test("a scheduler that dies before or after any of its writes does no harm", async () => {
  for (const when of ["before", "after"] as const) {
    for (let atWrite = 1; ; atWrite++) {
      const outcome = await run({ crash: { atWrite, when } });
      check(outcome, `crash ${when} write ${atWrite}`);
      if (!outcome.crashed) break;
    }
  }
});

test("watch events that come late and twice do no harm", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const outcome = await run({ delayMs: 3_000, duplicates: 0.5 }, seed);
    check(outcome, `seed ${seed}`);
  }
});
