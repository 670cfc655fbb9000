import assert from "node:assert/strict";
import { test } from "node:test";
import { isStoreError, type StoreErrorCode } from "./errors.ts";
import { checkAgainstModel } from "./conformance-model.ts";
import type { Store, StoreEvent } from "./store.ts";

/** How the suite reaches one implementation. */
export interface StoreUnderTest {
  name: string;
  open(): Promise<Store>;
  /** Runs of the property test; fewer for stores that really write. */
  propertyRuns: number;
}

const PODS = "core/pods";

/** Checks everything that `store.ts` promises; every implementation runs it unchanged. */
export function describeStore({ name, open, propertyRuns }: StoreUnderTest): void {
  const check = (title: string, body: (store: Store) => Promise<void>): void => {
    test(`${name} store: ${title}`, async () => {
      await using store = await open();
      await body(store);
    });
  };

  check("a created object is read back with its revisions", async (store) => {
    const created = await store.create(PODS, "default/a", bytesOf("1"));
    assert.ok(created.revision > 0);
    assert.equal(created.createRevision, created.revision);
    assert.deepEqual(plain(await store.get(PODS, "default/a")), plain(created));
    assert.equal(await store.get("apps/pods", "default/a"), undefined);
    assert.equal(await store.revision(), created.revision);
  });

  check("updates and deletions keep the creation revision", async (store) => {
    const created = await store.create(PODS, "a", bytesOf("1"));
    const write = { bytes: bytesOf("2"), expectedRevision: created.revision };
    const updated = await store.update(PODS, "a", write);
    assert.ok(updated.revision > created.revision);
    assert.equal(updated.createRevision, created.revision);
    const removed = await store.delete(PODS, "a", updated.revision);
    assert.ok(removed.revision > updated.revision);
    assert.equal(removed.createRevision, created.revision);
    assert.equal(await store.get(PODS, "a"), undefined);
    const again = await store.create(PODS, "a", bytesOf("3"));
    assert.equal(again.createRevision, again.revision);
  });

  check("a whole list does not hide what is written after it", async (store) => {
    await store.create(PODS, "before", bytesOf("1"));
    await store.list(PODS);
    const { revision } = await store.create(PODS, "after", bytesOf("1"));
    const others = Array.from({ length: 2_100 }, (_, at) =>
      store.create(PODS, `o${at}`, bytesOf("1")),
    );
    await Promise.all(others);
    await refuses(store.create(PODS, "before", bytesOf("2")), "exists");
    await refuses(store.create(PODS, "after", bytesOf("2")), "exists", revision);
    const removed = await store.delete(PODS, "after", revision);
    await refuses(store.delete(PODS, "after", removed.revision), "not-found");
    await store.create(PODS, "after", bytesOf("3"));
    assert.equal(textOf((await store.getForUpdate(PODS, "after"))?.bytes), "3");
  });

  check("conflicting writes are refused and change nothing", async (store) => {
    const { revision } = await store.create(PODS, "a", bytesOf("1"));
    await refuses(store.create(PODS, "a", bytesOf("2")), "exists");
    const stale = { bytes: bytesOf("2"), expectedRevision: revision + 5 };
    await refuses(store.update(PODS, "a", stale), "conflict", revision);
    await refuses(store.delete(PODS, "a", revision - 1), "conflict", revision);
    await refuses(store.update(PODS, "b", stale), "not-found");
    await refuses(store.delete(PODS, "b", 1), "not-found");
    assert.equal(textOf((await store.get(PODS, "a"))?.bytes), "1");
    assert.equal(await store.revision(), revision);
  });

  check("of concurrent writers of one revision exactly one wins", async (store) => {
    const { revision } = await store.create(PODS, "a", bytesOf("0"));
    const attempts = Array.from({ length: 20 }, (_, i) =>
      store.update(PODS, "a", { bytes: bytesOf(`${i}`), expectedRevision: revision }),
    );
    const outcomes = await Promise.allSettled(attempts);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    const lost = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.ok(lost.every(({ reason }) => isStoreError(reason, "conflict")));
  });

  check(
    "a reader for update sees accepted writes, other readers only durable ones",
    async (store) => {
      let acknowledged = false;
      const creating = store.create(PODS, "a", bytesOf("1")).then((object) => {
        acknowledged = true;
        return object;
      });
      const pending = await store.getForUpdate(PODS, "a");
      if (!acknowledged) {
        const seen = await store.get(PODS, "a");
        assert.ok(acknowledged || seen === undefined, "a reader saw a write before it was durable");
      }
      const created = await creating;
      assert.deepEqual(plain(pending), plain(created));
      const chain = [];
      let { revision } = created;
      for (let i = 2; i < 12; i++) {
        chain.push(store.update(PODS, "a", { bytes: bytesOf(`${i}`), expectedRevision: revision }));
        revision = (await store.getForUpdate(PODS, "a"))?.revision ?? 0;
      }
      assert.equal((await Promise.all(chain)).at(-1)?.revision, revision);
      assert.equal(textOf((await store.get(PODS, "a"))?.bytes), "11");
    },
  );

  check(
    "lists are in byte order, by prefix, in pages that continue by start key",
    async (store) => {
      const keys = ["a", "a-b/x", "a/x", "a/y", "a/z", "b/x", "\u{1f600}", "\uffff"];
      await Promise.all(keys.toReversed().map((key) => store.create(PODS, key, bytesOf(key))));
      await store.create("core/podsx", "a/0", bytesOf("other resource"));
      const all = await store.list(PODS);
      const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(keysOf(all), byBytes);
      assert.equal(all.remaining, 0);
      const page = await store.list(PODS, { prefix: "a/", limit: 2 });
      assert.deepEqual([keysOf(page), page.remaining], [["a/x", "a/y"], 1]);
      const rest = await store.list(PODS, { prefix: "a/", limit: 2, start: "a/y\0" });
      assert.deepEqual([keysOf(rest), rest.remaining], [["a/z"], 0]);
      assert.deepEqual(keysOf(await store.list(PODS, { prefix: "nothing/" })), []);
      assert.deepEqual(await store.resources(), ["core/pods", "core/podsx"]);
    },
  );

  check("a list at an old revision shows exactly that state", async (store) => {
    const a = await store.create(PODS, "a", bytesOf("a1"));
    const b = await store.create(PODS, "b", bytesOf("b1"));
    await store.update(PODS, "a", { bytes: bytesOf("a2"), expectedRevision: a.revision });
    await store.delete(PODS, "b", b.revision);
    await store.create(PODS, "c", bytesOf("c1"));
    const old = await store.list(PODS, { revision: b.revision });
    assert.equal(old.revision, b.revision);
    assert.deepEqual(valuesOf(old), ["a1", "b1"]);
    assert.deepEqual(valuesOf(await store.list(PODS)), ["a2", "c1"]);
    await refuses(store.list(PODS, { revision: (await store.revision()) + 1 }), "future-revision");
  });

  check("a watch replays history and goes on without gap or repetition", async (store) => {
    const first = await store.create(PODS, "a", bytesOf("1"));
    const write = { bytes: bytesOf("2"), expectedRevision: first.revision };
    const second = await store.update(PODS, "a", write);
    await store.create("apps/deployments", "x", bytesOf("other"));
    const seen: StoreEvent[] = [];
    const watch = await store.watch(PODS, first.revision, (events) => seen.push(...events));
    const third = await store.delete(PODS, "a", second.revision);
    assert.deepEqual(
      seen.map((event) => [event.type, event.revision, textOf(event.bytes)]),
      [
        ["put", second.revision, "2"],
        ["delete", third.revision, ""],
      ],
    );
    assert.equal(seen[1]?.createRevision, first.revision);
    watch[Symbol.dispose]();
    await store.create(PODS, "b", bytesOf("unseen"));
    assert.equal(seen.length, 2);
    await assert.rejects(
      store.watch(PODS, 0, () => {}),
      /list first/,
    );
  });

  check("compaction forgets history and keeps values", async (store) => {
    const a = await store.create(PODS, "a", bytesOf("a1"));
    const b = await store.create(PODS, "b", bytesOf("b1"));
    const write = { bytes: bytesOf("a2"), expectedRevision: a.revision };
    const updated = await store.update(PODS, "a", write);
    await store.delete(PODS, "b", b.revision);
    await store.compact(updated.revision);
    assert.deepEqual(valuesOf(await store.list(PODS, { revision: updated.revision })), [
      "a2",
      "b1",
    ]);
    await refuses(store.list(PODS, { revision: b.revision }), "compacted", updated.revision);
    await refuses(
      store.watch(PODS, b.revision, () => {}),
      "compacted",
      updated.revision,
    );
    const seen: StoreEvent[] = [];
    using _watch = await store.watch(PODS, updated.revision, (events) => seen.push(...events));
    assert.deepEqual(
      seen.map(({ type, bytes }) => [type, textOf(bytes)]),
      [["delete", ""]],
    );
    await store.compact(await store.revision());
    assert.deepEqual(valuesOf(await store.list(PODS)), ["a2"]);
    await refuses(store.compact((await store.revision()) + 1), "future-revision");
  });

  check("a watch hears of a write before its writer does", async (store) => {
    const { revision } = await store.create(PODS, "a", bytesOf("1"));
    let newest = 0;
    using _watch = await store.watch(PODS, revision, (events) => {
      newest = events.at(-1)?.revision ?? newest;
    });
    const writes = Array.from({ length: 50 }, async (_, i) => {
      const created = await store.create(PODS, `b${i}`, bytesOf("1"));
      assert.ok(newest >= created.revision);
    });
    await Promise.all(writes);
  });

  check("keys and resources with a NUL are refused", async (store) => {
    await assert.rejects(store.create(PODS, "a\0b", bytesOf("1")), /NUL/);
    await assert.rejects(store.create("core\0pods", "a", bytesOf("1")), /NUL/);
  });

  test(`${name} store: a closed store refuses and lost no accepted write`, async () => {
    const store = await open();
    const creating = store.create(PODS, "a", bytesOf("1"));
    await store[Symbol.asyncDispose]();
    assert.equal((await creating).key, "a");
    await refuses(store.get(PODS, "a"), "closed");
    await refuses(store.create(PODS, "b", bytesOf("1")), "closed");
    await store[Symbol.asyncDispose]();
  });

  test(`${name} store: random operations agree with a model`, async () => {
    await checkAgainstModel(open, propertyRuns);
  });
}

async function refuses(
  attempt: Promise<unknown>,
  code: StoreErrorCode,
  revision?: number,
): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(isStoreError(error, code), `expected "${code}", got ${error}`);
    if (revision !== undefined) assert.equal(error.revision, revision);
    return true;
  });
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

function plain(object: { bytes: Uint8Array } | undefined): unknown {
  return object && { ...object, bytes: textOf(object.bytes) };
}

function keysOf(list: { items: { key: string }[] }): string[] {
  return list.items.map(({ key }) => key);
}

function valuesOf(list: { items: { bytes: Uint8Array }[] }): string[] {
  return list.items.map(({ bytes }) => textOf(bytes));
}
