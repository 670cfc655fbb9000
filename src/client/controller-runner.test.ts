import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, SECRETS } from "../api/generated/resources.ts";
import type { ConfigMap, Secret } from "../api/generated/types/core-v1.ts";
import type { Transport } from "../api/transport.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { settle, VirtualClock } from "../lib/virtual-clock.ts";
import type { ObjectRef } from "./client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ReconcileContext,
  TerminalError,
} from "./controller.ts";
import { runController, type RunningController } from "./controller-runner.ts";
import { createInformerFactory } from "./informer-factory.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { createClient } from "./resource-client.ts";

interface Bench extends AsyncDisposable {
  clock: VirtualClock;
  transport: MemoryTransport;
  controller: RunningController;
}

function start(
  definition: ControllerDefinition,
  wrap: (transport: Transport, clock: VirtualClock) => Transport = (same) => same,
): Bench {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const client = createClient(wrap(transport, clock));
  const random = seededRandom(7);
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const events = { record: () => {} };
  const deps = { client, informers, clock, random, logger: silentLogger, events };
  const controller = runController(definition, deps);
  return {
    clock,
    transport,
    controller,
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
      assert.equal(transport.openWatches, 0);
      assert.equal(clock.pendingTimers, 0);
    },
  };
}

const self = (object: { metadata?: { name?: string; namespace?: string } }): ObjectRef[] => [
  { namespace: object.metadata?.namespace, name: object.metadata?.name ?? "" },
];

const mapInputs = { maps: input<ConfigMap>(CONFIG_MAPS, self) };

/** A controller over ConfigMaps with this `reconcile`. */
function overMaps(
  reconcile: (
    context: ReconcileContext<typeof mapInputs>,
    key: ObjectRef,
  ) => Promise<{ requeueAfterMs?: number } | void>,
): ControllerDefinition {
  return defineController({ name: "test", inputs: mapInputs, outputs: [], reconcile });
}

function createMap(transport: Transport, name: string): Promise<ConfigMap> {
  const metadata = { name, namespace: "default" };
  return createClient(transport).for(CONFIG_MAPS).create({ metadata });
}

test("makes one kind follow another, through their keys, and stops at the fixpoint", async () => {
  const definition = defineController({
    name: "copy",
    inputs: {
      maps: input<ConfigMap>(CONFIG_MAPS, self),
      secrets: input<Secret>(SECRETS, self, {
        indexes: { value: (secret) => Object.keys(secret.stringData ?? {}) },
      }),
    },
    outputs: [{ resource: SECRETS, verbs: ["create", "delete"] }],
    async reconcile({ inputs, client }, { namespace, name }) {
      const map = inputs.maps.get(namespace, name);
      const secret = inputs.secrets.get(namespace, name);
      const secrets = client.for(SECRETS);
      if (map && !secret) {
        await secrets.create({ metadata: { name, ...(namespace ? { namespace } : {}) } });
      }
      if (!map && secret) await secrets.delete({ namespace, name });
    },
  });
  await using bench = start(definition);
  const { clock, transport, controller } = bench;
  await createMap(transport, "a");
  await clock.advance(100);
  const secrets = createClient(transport).for(SECRETS);
  assert.equal((await secrets.list()).items.length, 1);
  await secrets.delete({ namespace: "default", name: "a" });
  await clock.advance(100);
  assert.equal((await secrets.list()).items.length, 1);
  await createClient(transport).for(CONFIG_MAPS).delete({ namespace: "default", name: "a" });
  await clock.advance(100);
  assert.equal((await secrets.list()).items.length, 0);
  assert.ok(controller.idle);
  const before = controller.stats().reconciles;
  await clock.advance(60_000);
  assert.equal(controller.stats().reconciles, before);
});

test("failures are retried later and later, terminal ones not at all", async () => {
  const times: Record<string, number[]> = { flaky: [], hopeless: [] };
  let clock: VirtualClock | undefined;
  const definition = overMaps(async (_context, { name }) => {
    times[name]?.push(clock?.monotonicMs() ?? 0);
    if (name === "hopeless") throw new TerminalError("never");
    if ((times["flaky"]?.length ?? 0) < 4) throw new Error("not yet");
  });
  await using bench = start(definition);
  clock = bench.clock;
  await settle();
  await createMap(bench.transport, "flaky");
  await createMap(bench.transport, "hopeless");
  await bench.clock.advance(10_000);
  assert.deepEqual(times, { flaky: [0, 5, 15, 35], hopeless: [0] });
  assert.deepEqual(bench.controller.stats(), {
    reconciles: 5,
    failures: 4,
    terminal: 1,
    waiting: 0,
    adds: 5,
    retries: 3,
  });
});

test("a reconcile can ask to be run again, itself or for another key", async () => {
  const seen: string[] = [];
  const definition = overMaps(async (context, { name }) => {
    seen.push(name);
    if (name === "a" && seen.length < 3) return { requeueAfterMs: 1_000 };
    if (name === "a") context.enqueue({ name: "other" }, 500);
    return undefined;
  });
  await using bench = start(definition);
  await createMap(bench.transport, "a");
  await bench.clock.advance(2_499);
  assert.deepEqual(seen, ["a", "a", "a"]);
  await bench.clock.advance(1);
  assert.deepEqual(seen, ["a", "a", "a", "other"]);
});

test("the same key never runs twice at once, different keys do", async () => {
  const running = new Map<string, number>();
  let most = 0;
  const definition = overMaps(async ({ clock }, { name }) => {
    running.set(name, (running.get(name) ?? 0) + 1);
    assert.equal(running.get(name), 1);
    most = Math.max(most, running.size);
    await new Promise<void>((done) => clock.setTimer(100, done));
    running.delete(name);
  });
  await using bench = start(definition);
  const { transport, clock } = bench;
  for (const name of ["a", "b", "c"]) await createMap(transport, name);
  await clock.advance(50);
  const maps = createClient(transport).for(CONFIG_MAPS);
  await maps.patch({ namespace: "default", name: "a" }, { data: { changed: "1" } });
  await clock.advance(1_000);
  assert.equal(most, 3);
  assert.equal(bench.controller.stats().reconciles, 4);
});

test("undeclared reads and writes are refused before they reach the server", async () => {
  const refusals: string[] = [];
  const definition = overMaps(async ({ client }, { namespace, name }) => {
    const attempts = [
      () => client.for(SECRETS).get({ namespace, name }),
      () => client.for(CONFIG_MAPS).patch({ namespace, name }, { data: {} }),
      async () => client.transport,
    ];
    for (const attempt of attempts) {
      await attempt().catch((error: Error) => refusals.push(error.message));
    }
    await client.for(CONFIG_MAPS).get({ namespace, name });
  });
  await using bench = start(definition);
  await createMap(bench.transport, "a");
  await settle();
  assert.deepEqual(refusals, [
    'Cannot read core/secrets in controller "test": not among its inputs or outputs',
    'Cannot patch core/configmaps in controller "test": not among its outputs',
    'Cannot bypass the declared outputs of controller "test"',
  ]);
  assert.equal(bench.controller.stats().failures, 0);
});

/** Lets each event of a watch arrive late, as over a network. */
function late(inner: Transport, clock: VirtualClock): Transport {
  return {
    request: (request) => inner.request(request),
    watch: (request, sink) =>
      inner.watch(request, {
        event: (type, object) => void clock.setTimer(200, () => sink.event(type, object)),
        closed: (error) => sink.closed(error),
      }),
  };
}

test("a key is not run again before its own writes are in the cache", async () => {
  const definition = defineController({
    name: "three",
    inputs: {
      maps: input<ConfigMap>(CONFIG_MAPS, self),
      secrets: input<Secret>(SECRETS, () => []),
    },
    outputs: [{ resource: SECRETS, verbs: ["create"] }],
    async reconcile({ inputs, client, enqueue }, key) {
      const missing = 3 - inputs.secrets.list().length;
      for (let i = 0; i < missing; i++) {
        const metadata = { generateName: `${key.name}-`, namespace: "default" };
        await client.for(SECRETS).create({ metadata });
      }
      if (missing > 0) enqueue(key);
    },
  });
  await using bench = start(definition, late);
  await createMap(bench.transport, "a");
  await bench.clock.advance(10_000);
  assert.equal((await createClient(bench.transport).for(SECRETS).list()).items.length, 3);
  assert.equal(bench.controller.stats().reconciles, 2);
});
