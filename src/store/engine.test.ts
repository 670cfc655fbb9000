import assert from "node:assert/strict";
import { test } from "node:test";
import { settle, VirtualClock } from "../lib/virtual-clock.ts";
import type { Backend, Version } from "./backend.ts";
import { createEngine } from "./engine.ts";
import { isStoreError, StoreError } from "./errors.ts";
import { VersionTable } from "./memory/version-table.ts";
import type { Store, StoreEvent } from "./store.ts";

/** A disk whose commits end when the test says so. */
interface SlowDisk {
  store: Store;
  /** Keys of each commit, the one under way last. */
  commits: string[][];
  finish(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

function slowDisk({ gatherClock }: Pick<Backend, "gatherClock"> = {}): SlowDisk {
  const table = new VersionTable();
  const commits: string[][] = [];
  let settleCommit: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const backend: Backend = {
    ...(gatherClock && { gatherClock }),
    state: { revision: 0, compacted: 0 },
    find: (resource, key, at) => table.find(resource, key, at),
    exactly: (resource, key, revision) => table.exactly(resource, key, revision),
    scan: (resource, range) => table.scan(resource, range),
    history: (resource, range) => table.history(resource, range),
    commit: async (versions: readonly Version[]) => {
      commits.push(versions.map(({ key }) => key));
      await new Promise<void>((resolve, reject) => (settleCommit = { resolve, reject }));
      table.add(versions);
    },
    compact: async () => {},
    resourceNames: () => table.resourceNames(),
    close: async () => {},
  };
  return {
    store: createEngine(backend),
    commits,
    finish: () => (settleCommit?.resolve(), settle()),
    fail: (error) => (settleCommit?.reject(error), settle()),
  };
}

const PODS = "core/pods";
const one = Buffer.from("1");

/** How a promise ends. */
function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof StoreError ? error.code : "failed"),
  );
}

/** How a promise stands once all that can happen has happened. */
function stateOf(promise: Promise<unknown>): Promise<string> {
  return Promise.race([outcomeOf(promise), settle().then(() => "pending")]);
}

test("nobody hears of a write before it is durable", async () => {
  const { store, finish } = slowDisk();
  const first = store.create(PODS, "seen", one);
  await settle();
  await finish();
  const seen: StoreEvent[] = [];
  const { revision } = await first;
  await store.watch(PODS, revision, (events) => seen.push(...events));
  const creating = store.create(PODS, "a", one);
  assert.equal(await stateOf(creating), "pending");
  assert.equal((await store.getForUpdate(PODS, "a"))?.revision, revision + 1);
  assert.equal(await store.get(PODS, "a"), undefined);
  assert.equal((await store.list(PODS)).items.length, 1);
  assert.equal(await store.revision(), revision);
  assert.equal(seen.length, 0);
  await finish();
  assert.equal(await stateOf(creating), "done");
  assert.equal((await store.get(PODS, "a"))?.revision, revision + 1);
  assert.equal(seen.length, 1);
});

test("writes that come while a commit is under way share the next one", async () => {
  const { store, commits, finish } = slowDisk();
  const first = store.create(PODS, "a", one);
  await settle();
  const rest = ["b", "c", "d"].map((key) => store.create(PODS, key, one));
  await settle();
  assert.deepEqual(commits, [["a"]]);
  await finish();
  await first;
  assert.deepEqual(commits, [["a"], ["b", "c", "d"]]);
  await finish();
  await Promise.all(rest);
});

test("a failed commit takes along what was built on it, and leaves the state as it was", async () => {
  const { store, finish, fail } = slowDisk();
  const creating = store.create(PODS, "a", one);
  await settle();
  const { revision } = (await store.getForUpdate(PODS, "a")) ?? { revision: 0 };
  const updating = store.update(PODS, "a", { bytes: one, expectedRevision: revision });
  const other = store.create(PODS, "b", one);
  const full = new StoreError("disk-full", "Cannot write: the disk is full");
  const states = Promise.all([creating, updating, other].map(outcomeOf));
  await fail(full);
  assert.deepEqual(await states, ["disk-full", "disk-full", "disk-full"]);
  assert.equal(await store.getForUpdate(PODS, "a"), undefined);
  assert.equal(await store.revision(), 0);
  const again = store.create(PODS, "a", one);
  await settle();
  await finish();
  assert.ok((await again).revision > revision + 2, "a revision was given out twice");
});

test("a refusal waits until the write that it rests on is durable", async () => {
  const { store, finish, fail } = slowDisk();
  const winner = store.create(PODS, "a", one);
  const loser = store.create(PODS, "a", one);
  assert.equal(await stateOf(loser), "pending");
  const lost = outcomeOf(winner);
  await fail(new StoreError("disk-full", "Cannot write: the disk is full"));
  assert.equal(await lost, "disk-full");
  await finish();
  assert.equal(await stateOf(loser), "done");
  assert.equal(await stateOf(store.create(PODS, "a", one)), "exists");
});

test("after an I/O error, whose outcome nobody knows, the store refuses everything", async () => {
  const { store, fail } = slowDisk();
  const creating = store.create(PODS, "a", one);
  const state = outcomeOf(creating);
  await settle();
  await fail(new Error("input/output error"));
  assert.equal(await state, "io");
  await assert.rejects(store.get(PODS, "a"), (error) => isStoreError(error, "io"));
  await store[Symbol.asyncDispose]();
});

test("a dear commit waits for writes that are just being made, a lone write for nobody", async () => {
  const { store, commits, finish } = slowDisk({ gatherClock: new VirtualClock() });
  const write = (key: string) => void store.create(PODS, key, one);
  write("alone");
  await Promise.resolve().then(() => {});
  assert.deepEqual(commits, [["alone"]]);
  write("waiting");
  // Each turn of the event loop brings another one.
  const turns = ["soon", "later", "latest"];
  const arrive = () => {
    const key = turns.shift();
    if (key) write(key);
    if (turns.length > 0) setImmediate(arrive);
  };
  setImmediate(arrive);
  await finish();
  while (commits.length < 2) await settle();
  assert.ok((commits[1] ?? []).length > 1, "at least one more joined");
  await finish();
});

test("writes gather for no longer than a flush is worth", async () => {
  let nowMs = 0;
  const { store, commits, finish } = slowDisk({ gatherClock: { monotonicMs: () => nowMs } });
  const write = (key: string) => void store.create(PODS, key, one);
  write("alone");
  await Promise.resolve();
  write("waiting");
  let turns = 0;
  // Each turn of the event loop brings another one, and takes long.
  const arrive = () => {
    write(`late-${turns++}`);
    nowMs += 50;
    if (turns < 4) setImmediate(arrive);
  };
  setImmediate(arrive);
  await finish();
  while (commits.length < 2) await settle();
  assert.ok((commits[1] ?? []).length <= 2, `waited for ${commits[1]?.join()}`);
  while (turns < 4) await settle();
  await finish();
});
