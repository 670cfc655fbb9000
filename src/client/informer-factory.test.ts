import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../api/errors.ts";
import { CONFIG_MAPS, PODS } from "../api/generated/resources.ts";
import type { ConfigMap, Pod } from "../api/generated/types/core-v1.ts";
import type { ApiRequest, Transport, WatchSink } from "../api/transport.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { settle, VirtualClock } from "../lib/virtual-clock.ts";
import type { Change, InformerFactory } from "./informer.ts";
import { createInformerFactory } from "./informer-factory.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { createClient } from "./resource-client.ts";

interface Bench {
  clock: VirtualClock;
  transport: MemoryTransport;
  factory: InformerFactory;
  put(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

function setUp(wrap: (transport: Transport) => Transport = (same) => same): Bench {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const client = createClient(transport);
  const maps = client.for(CONFIG_MAPS);
  const random = seededRandom(1);
  const seen = createClient(wrap(transport));
  return {
    clock,
    transport,
    factory: createInformerFactory({ client: seen, clock, random, logger: silentLogger }),
    async put(name, value) {
      const object = { metadata: { name, namespace: "default" }, data: { value } };
      await maps.apply(object, { fieldManager: "test" });
    },
    remove: (name) => maps.delete({ namespace: "default", name }),
  };
}

function describe(change: Change<ConfigMap>): string {
  const name = change.object.metadata?.name;
  const value = (object: ConfigMap) => object.data?.["value"];
  if (change.type !== "updated") return `${change.type} ${name} ${value(change.object)}`;
  return `updated ${name} ${value(change.previous)} to ${value(change.object)}`;
}

test("reports present objects, then every change in order", async () => {
  const { factory, put, remove, transport } = setUp();
  await put("a", "1");
  const changes: string[] = [];
  const informer = factory.informer(CONFIG_MAPS);
  informer.onChange((change) => changes.push(describe(change)));
  assert.equal(informer.hasSynced, false);
  await informer.synced;
  await settle();
  await put("b", "1");
  await put("a", "2");
  await remove("b");
  assert.deepEqual(changes, ["added a 1", "added b 1", "updated a 1 to 2", "deleted b 1"]);
  assert.equal(informer.get("default", "a")?.data?.["value"], "2");
  const late: string[] = [];
  informer.onChange((change) => late.push(describe(change)));
  assert.deepEqual(late, ["added a 2"]);
  await factory[Symbol.asyncDispose]();
  assert.equal(transport.openWatches, 0);
});

test("after history expired it lists again and reports what it missed, deletions too", async () => {
  const { clock, factory, put, remove, transport } = setUp();
  await put("a", "1");
  await put("b", "1");
  const changes: string[] = [];
  const informer = factory.informer(CONFIG_MAPS);
  await informer.synced;
  informer.onChange((change) => changes.push(describe(change)));
  changes.length = 0;
  transport.fail = () => new Error("connection refused");
  transport.dropWatches();
  await clock.advance(1_000);
  transport.fail = undefined;
  await remove("a");
  await put("b", "2");
  await put("c", "1");
  transport.compact();
  await clock.advance(60_000);
  assert.deepEqual(changes, ["deleted a 1", "updated b 1 to 2", "added c 1"]);
  await factory[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});

test("an object replaced under the same name is reported as deleted and added", async () => {
  const { clock, factory, put, remove, transport } = setUp();
  await put("a", "1");
  const changes: string[] = [];
  const informer = factory.informer(CONFIG_MAPS);
  await informer.synced;
  informer.onChange((change) => changes.push(describe(change)));
  transport.dropWatches(new Error("reset"));
  await remove("a");
  await put("a", "2");
  transport.compact();
  await clock.advance(60_000);
  assert.deepEqual(changes, ["added a 1", "deleted a 1", "added a 2"]);
  await factory[Symbol.asyncDispose]();
});

test("one watch serves all who ask, until the last of them is through", async () => {
  const { factory, transport } = setUp();
  const first = factory.informer(CONFIG_MAPS);
  const second = factory.informer(CONFIG_MAPS);
  const selected = factory.informer(CONFIG_MAPS, { labelSelector: "app=web" });
  await Promise.all([first.synced, second.synced, selected.synced]);
  await settle();
  assert.equal(transport.openWatches, 2);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await settle();
  assert.equal(transport.openWatches, 2);
  second[Symbol.dispose]();
  selected[Symbol.dispose]();
  await settle();
  assert.equal(transport.openWatches, 0);
});

test("indexes follow changes, and holders name them without disturbing each other", async () => {
  const { factory, transport } = setUp();
  const client = createClient(transport).for(PODS);
  const pod = (name: string, nodeName: string): Pod => ({
    metadata: {
      name,
      namespace: "default",
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "u1", controller: true },
      ],
    },
    spec: { nodeName, containers: [] },
  });
  await client.create(pod("a", "n1"));
  const one = factory.informer(PODS);
  const other = factory.informer(PODS);
  await one.synced;
  one.addIndex("by", (object) => [object.spec?.nodeName ?? ""]);
  other.addIndex("by", (object) => [object.metadata?.name ?? ""]);
  await settle();
  const namesOf = (pods: Pod[]) => pods.map(({ metadata }) => metadata?.name);
  assert.deepEqual(namesOf(one.byIndex("by", "n1")), ["a"]);
  assert.deepEqual(namesOf(other.byIndex("by", "a")), ["a"]);
  await client.patch({ namespace: "default", name: "a" }, { spec: { nodeName: "n2" } });
  assert.deepEqual(namesOf(one.byIndex("by", "n1")), []);
  assert.deepEqual(namesOf(one.byIndex("by", "n2")), ["a"]);
  assert.deepEqual(namesOf(one.ownedBy("u1")), ["a"]);
  assert.deepEqual(namesOf(one.list("default")), ["a"]);
  assert.throws(() => one.byIndex("none", "x"), /not declared/);
  await factory[Symbol.asyncDispose]();
});

/** Repeats events, as a server may after a reconnect. */
function repeating(inner: Transport): Transport {
  return {
    request: (request) => inner.request(request),
    watch: (request: ApiRequest, sink: WatchSink) => {
      const sent: Parameters<WatchSink["event"]>[] = [];
      return inner.watch(request, {
        event: (type, object) => {
          sent.push([type, object]);
          for (const event of sent.slice(-3)) sink.event(...event);
        },
        closed: (error) => sink.closed(error),
      });
    },
  };
}

type Step =
  | { kind: "put" | "remove"; name: string }
  | { kind: "drop" | "dropWithError" | "compact" | "refuse" | "heal" }
  | { kind: "wait"; ms: number };

test("list and watch equal the state, whatever happens to the watches", async () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("put", "remove"), name }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("drop", "dropWithError", "compact", "refuse", "heal"),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), ms: fc.nat({ max: 5_000 }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const bench = setUp(repeating);
      const { clock, factory, transport } = bench;
      const informer = factory.informer(CONFIG_MAPS);
      const mirror = new Map<string, string>();
      informer.onChange((change) => follow(mirror, change));
      let value = 0;
      for (const next of steps) await perform(bench, next, `${value++}`);
      transport.fail = undefined;
      await clock.advance(120_000);
      const { items } = await createClient(transport).for(CONFIG_MAPS).list();
      const wanted = new Map(items.map((map) => [map.metadata?.name, map.data?.["value"]]));
      assert.deepEqual(mirror, wanted);
      assert.deepEqual(new Set(informer.list()), new Set(items));
      await factory[Symbol.asyncDispose]();
      assert.equal(transport.openWatches, 0);
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 60 },
  );
});

/** A copy of the state built only from changes; each must fit what came before. */
function follow(mirror: Map<string, string>, change: Change<ConfigMap>): void {
  const name = change.object.metadata?.name ?? "";
  const before = mirror.get(name);
  assert.equal(before === undefined, change.type === "added");
  if (change.type === "updated") assert.equal(before, change.previous.data?.["value"]);
  if (change.type === "deleted") mirror.delete(name);
  else mirror.set(name, change.object.data?.["value"] ?? "");
}

async function perform(
  { transport, clock, put, remove }: Bench,
  step: Step,
  value: string,
): Promise<void> {
  const refused = () => new StatusError("ServiceUnavailable", "starting");
  if (step.kind === "wait") return clock.advance(step.ms);
  if (step.kind === "refuse") transport.fail = refused;
  if (step.kind === "heal") transport.fail = undefined;
  if (step.kind === "drop") transport.dropWatches();
  if (step.kind === "dropWithError") transport.dropWatches(new Error("connection reset"));
  if (step.kind === "compact") transport.compact();
  if (step.kind === "put") await put(step.name, value).catch(() => {});
  if (step.kind === "remove") await remove(step.name).catch(() => {});
}
