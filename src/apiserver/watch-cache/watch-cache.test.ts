import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../../api/errors.ts";
import { encodeCanonical, spliceResourceVersion } from "../../format/json-canonical.ts";
import { silentLogger } from "../../lib/logger.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { createMemoryStore } from "../../store/memory/memory-store.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";
import { CacheEvent } from "./cache-event.ts";
import { CachedObject } from "./cached-object.ts";
import { EventRing } from "./event-ring.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { WatchCache } from "./watch-cache.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

/** One step of a client: what it does to which of a few objects. */
const step = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  action: fc.constantFrom("create", "label", "unlabel", "touch", "delete"),
  value: fc.integer({ min: 0, max: 3 }),
});
type Step = { name: string; action: string; value: number };

async function perform(api: ServerFixture, { name, action, value }: Step): Promise<void> {
  const merge = (body: object) => api.patch(`${MAPS}/${name}`, { body, type: "merge-patch+json" });
  const metadata = { name, labels: { watched: "yes" } };
  try {
    if (action === "create") await api.ask("POST", MAPS, { metadata });
    if (action === "label") await merge({ metadata: { labels: { watched: "yes" } } });
    if (action === "unlabel") await merge({ metadata: { labels: { watched: null } } });
    if (action === "touch") await merge({ data: { value: `${value}` } });
    if (action === "delete") await api.ask("DELETE", `${MAPS}/${name}`);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}

/** What a client knows that lists once and applies the events after. */
async function follow(api: ServerFixture, query: string, since?: string) {
  const known = new Map<string, AnyObject>();
  const problems: string[] = [];
  let last = 0;
  const keyOf = (object: AnyObject) => String(object.metadata["name"]);
  let version = since;
  if (version === undefined) {
    const list = await api.ask("GET", `${MAPS}?${query}`);
    for (const item of list["items"] as AnyObject[]) known.set(keyOf(item), item);
    version = list.metadata["resourceVersion"] as string;
  }
  const watch = await api.transport.watch(
    { method: "GET", path: `${MAPS}?${query}&resourceVersion=${version}` },
    {
      event: (type, value) => {
        const object = value as AnyObject;
        const key = keyOf(object);
        const revision = Number(object.metadata["resourceVersion"]);
        if (revision <= last) problems.push(`${revision} came after ${last}`);
        last = revision;
        if (known.has(key) === (type === "ADDED")) problems.push(`${type} of ${key}`);
        if (type === "DELETED") known.delete(key);
        else known.set(key, object);
      },
      closed: () => {},
    },
  );
  return { known, problems, watch };
}

test("a list and the events after it add up to the state, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.array(step, { maxLength: 20 }),
      fc.constantFrom("", "labelSelector=watched%3Dyes", "fieldSelector=metadata.name%3Da"),
      async (before, after, query) => {
        await using api = await startServer();
        for (const each of before) await perform(api, each);
        const client = await follow(api, query);
        await Promise.all(after.map((each) => perform(api, each)));
        await settle();
        const state = (await api.ask("GET", `${MAPS}?${query}`))["items"] as AnyObject[];
        assert.deepEqual(client.problems, []);
        assert.deepEqual(
          [...client.known.values()].sort((a, b) =>
            String(a.metadata["name"]) < String(b.metadata["name"]) ? -1 : 1,
          ),
          state,
        );
        client.watch[Symbol.dispose]();
      },
    ),
    { numRuns: 40 },
  );
});

test("a watch from an old revision replays what happened since", async () => {
  await using api = await startServer();
  const since = String((await api.ask("GET", MAPS)).metadata["resourceVersion"]);
  await perform(api, { name: "a", action: "create", value: 0 });
  await perform(api, { name: "a", action: "touch", value: 1 });
  await perform(api, { name: "b", action: "create", value: 0 });
  await perform(api, { name: "b", action: "delete", value: 0 });
  const client = await follow(api, "", since);
  assert.deepEqual([...client.known.keys()], ["a"]);
  assert.deepEqual(client.problems, []);
  client.watch[Symbol.dispose]();
});

test("a watch from before the history expires", async () => {
  await using api = await startServer();
  let expired: unknown;
  await api.transport
    .watch(
      { method: "GET", path: `${MAPS}?resourceVersion=0&sendInitialEvents=false` },
      { event: () => {}, closed: () => {} },
    )
    .catch((error: unknown) => assert.equal((error as StatusError).reason, "Invalid"));
  await using later = await startServer({ store: api.store });
  await perform(later, { name: "a", action: "create", value: 0 });
  await using restarted = await startServer({ store: api.store });
  await restarted.transport.watch(
    { method: "GET", path: `${MAPS}?resourceVersion=1` },
    { event: () => {}, closed: (error) => (expired = error) },
  );
  assert.equal((expired as StatusError).reason, "Expired");
  assert.equal((expired as StatusError).code, 410);
});

test("a watch can begin with the state, and says when that is complete", async () => {
  await using api = await startServer();
  await perform(api, { name: "a", action: "create", value: 0 });
  const seen: string[] = [];
  const options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1";
  using _watch = await api.transport.watch(
    { method: "GET", path: `${MAPS}?${options}` },
    {
      event: (type, object) => {
        const { annotations } = (object as AnyObject).metadata;
        const marks = annotations as Record<string, string> | undefined;
        seen.push(`${type} ${marks?.["k8s.io/initial-events-end"] ?? ""}`);
      },
      closed: () => {},
    },
  );
  assert.deepEqual(seen, ["ADDED ", "BOOKMARK true"]);
  await api.clock.advance(61_000);
  assert.equal(seen.length, 3);
});

test("the last state of what was removed is made for whoever looks, and not kept", () => {
  const stored = encodeCanonical({ kind: "A", apiVersion: "v1", metadata: { name: "k" } });
  const previous = new CachedObject("k", 3, spliceResourceVersion(stored, 3));
  const event = new CacheEvent({ previous, revision: 7, removed: true, timeMs: 0 });
  assert.equal(event.sizeBytes, previous.bytes.byteLength);
  const seen = event.object;
  assert.equal(event.object, seen);
  assert.deepEqual([event.key, event.revision, seen.revision], ["k", 7, 7]);
  assert.deepEqual(seen.object().metadata, { resourceVersion: "7", name: "k" });
  event.passed();
  assert.notEqual(event.object, seen);
  assert.deepEqual(event.object.object(), seen.object());
});

test("what was removed holds on to nothing that was written beside it", async () => {
  await using store = createMemoryStore();
  for (const name of ["a", "b", "c"]) {
    const bytes = encodeCanonical({ kind: "A", apiVersion: "v1", metadata: { name } });
    await store.create("things", name, bytes);
  }
  using cache = await WatchCache.start({
    store,
    storage: "things",
    clock: new VirtualClock(),
    logger: silentLogger,
    splice: spliceResourceVersion,
    attributesOf: () => ({ labels: {}, fields: {} }),
  });
  const { revision } = cache;
  const slab = cache.get("a")?.bytes.buffer;
  const before = cache.get("b");
  assert.equal(before?.bytes.buffer, slab);
  await store.delete("things", "b", before?.revision ?? 0);
  await settle();
  const [removed] = cache.eventsAfter(revision);
  assert.notEqual(removed?.previous?.bytes.buffer, slab);
  assert.deepEqual(removed?.previous?.bytes, before?.bytes);
  assert.deepEqual(removed?.previous?.object(), before?.object());
  assert.equal(removed?.previous?.revision, before?.revision);
});

test("the ring keeps young events up to its bound and old ones up to its minimum", () => {
  const ring = new EventRing(0, { eventsMin: 2, eventsMax: 4, ageMs: 100, bytesMax: 1_000 });
  const push = (revision: number, timeMs: number) => {
    const object = new CachedObject("k", revision, Buffer.from("{}"));
    ring.push(new CacheEvent({ object, previous: undefined, removed: false, timeMs }));
  };
  for (let revision = 1; revision <= 6; revision++) push(revision, 0);
  assert.deepEqual(
    ring.after(0).map(({ revision }) => revision),
    [3, 4, 5, 6],
  );
  assert.equal(ring.startRevision, 2);
  push(7, 1_000);
  assert.deepEqual(
    ring.after(5).map(({ revision }) => revision),
    [6, 7],
  );
  assert.equal(ring.startRevision, 5);
});

test("the ring lets go of young events that are too large together", () => {
  const ring = new EventRing(0, { eventsMin: 1, eventsMax: 9, ageMs: 100, bytesMax: 13 });
  let previous: CachedObject | undefined;
  for (let revision = 1; revision <= 4; revision++) {
    const object = new CachedObject("k", revision, Buffer.alloc(6));
    ring.push(new CacheEvent({ object, previous, removed: false, timeMs: 0 }));
    previous = object;
  }
  assert.deepEqual(
    ring.after(0).map(({ revision }) => revision),
    [3, 4],
  );
  assert.equal(ring.startRevision, 2);
});

test("sorted keys find every range that a sorted array has", () => {
  const key = fc.stringMatching(/^[a-c]{1,3}(\/[a-c]{1,2})?$/);
  fc.assert(
    fc.property(fc.array(key), fc.array(key), key, (added, removed, prefix) => {
      const keys = new SortedKeys([]);
      for (const each of added) keys.add(each);
      for (const each of removed) keys.remove(each);
      const wanted = [...new Set(added)].filter((each) => !removed.includes(each)).sort();
      assert.deepEqual([...keys.range("")], wanted);
      assert.deepEqual(
        [...keys.range(prefix)],
        wanted.filter((each) => each.startsWith(prefix)),
      );
      assert.deepEqual(keys.count(prefix), wanted.filter((each) => each.startsWith(prefix)).length);
      assert.deepEqual(
        [...keys.range("", prefix)],
        wanted.filter((each) => each >= prefix),
      );
    }),
  );
});

const TEMPLATE = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 80 }] }] },
};
const WRITTEN: [path: string, object: object, patch: object][] = [
  [MAPS, { data: { text: "\u0000 \ud800 \u2028" } }, { data: { text: null, more: "" } }],
  [
    "/api/v1/namespaces/default/pods",
    { spec: TEMPLATE.spec },
    { metadata: { labels: { a: "b" } } },
  ],
  [
    "/apis/apps/v1/namespaces/default/deployments",
    { spec: { selector: { matchLabels: { app: "web" } }, template: TEMPLATE } },
    { spec: { replicas: 3, template: { spec: { nodeSelector: { a: "b" } } } } },
  ],
  [
    "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
    { spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "one" } } },
    { spec: { targetCPUUtilizationPercentage: 60 } },
  ],
];

for (const [path, object, patch] of WRITTEN) {
  test(`watchers of ${path} are given what reads give, for creates and for updates`, async () => {
    await using api = await startServer();
    const seen: unknown[] = [];
    const sink = (keeps: "nothing" | "objects") => ({
      keeps,
      event: (type: string, value: unknown) => {
        if (type !== "BOOKMARK") seen.push(structuredClone(value));
      },
      closed: () => {},
    });
    const request = { method: "GET", path: `${path}?resourceVersion=0` } as const;
    using _glances = await api.transport.watch(request, sink("nothing"));
    using _keeps = await api.transport.watch(request, sink("objects"));
    await api.ask("POST", path, { ...object, metadata: { name: "one" } });
    const created = await api.ask("GET", `${path}/one`);
    await api.patch(`${path}/one`, { body: patch, type: "merge-patch+json" });
    const patched = await api.ask("GET", `${path}/one`);
    await settle();
    assert.deepEqual(seen, [created, created, patched, patched]);
  });
}
