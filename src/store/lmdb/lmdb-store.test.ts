import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { open } from "lmdb";
import type { Clock } from "../../lib/clock.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { describeStore } from "../conformance.ts";
import { isStoreError } from "../errors.ts";
import type { Store } from "../store.ts";
import { openLmdbStore } from "./lmdb-store.ts";
import { VersionTree } from "./version-tree.ts";

function temporaryDirectory(): { directory: string } & Disposable {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-store-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  return { directory, [Symbol.dispose]: remove };
}

/** A store in a directory of its own, which goes with it. */
async function openTemporary(clock: Clock): Promise<Store> {
  const folder = temporaryDirectory();
  const store = await openLmdbStore({ directory: folder.directory, clock });
  const close = store[Symbol.asyncDispose].bind(store);
  store[Symbol.asyncDispose] = async () => {
    await close();
    folder[Symbol.dispose]();
  };
  return store;
}

/** Fires timers at once, so that recent writes move into the tree while others go on. */
const hastyClock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  setTimer: (_delayMs, fire) => {
    const handle = setImmediate(fire);
    return { cancel: () => clearImmediate(handle) };
  },
};

describeStore({
  name: "lmdb with all writes in the journal",
  open: () => openTemporary(new VirtualClock()),
  propertyRuns: 20,
});

describeStore({
  name: "lmdb with writes moving into the tree",
  open: () => openTemporary(hastyClock),
  propertyRuns: 20,
});

test("what was read stays as it was when later writes take the memory it was in", async () => {
  const clock = new VirtualClock();
  await using store = await openTemporary(clock);
  const { revision: before } = await store.create("core/nodes", "n", Buffer.from("0"));
  const { revision } = await store.create("core/pods", "a/first", Buffer.alloc(1_000, "1"));
  const read: ({ bytes?: Uint8Array | undefined } | undefined)[] = [
    await store.get("core/pods", "a/first"),
    await store.getForUpdate("core/pods", "a/first"),
    (await store.list("core/pods")).items[0],
  ];
  const watch = await store.watch("core/pods", before, (events) => read.push(...events));
  watch[Symbol.dispose]();
  assert.equal(read.length, 4);
  // Compaction moves all that is recent into the tree, so that its memory is free.
  await store.compact(revision);
  await store.create("core/pods", "a/second", Buffer.alloc(1_000, "2"));
  for (const value of read) assert.equal(Buffer.from(value?.bytes ?? []).toString()[0], "1");
});

test("whatever a killed process acknowledged is there after reopening", async () => {
  using folder = temporaryDirectory();
  const { directory } = folder;
  const live = new Set<string>();
  for (let run = 0; run < 3; run++) {
    const acknowledged = await killWriterAfter(300 + 150 * run, { directory, run });
    for (const line of acknowledged) if (line.startsWith("+")) live.add(line.slice(1));
    await using store = await openLmdbStore({ directory, clock: new VirtualClock() });
    const { items } = await store.list("core/pods");
    const found = new Map(items.map(({ key, bytes }) => [key, Buffer.from(bytes).toString()]));
    const lost = [...live].filter((key) => !found.get(key)?.startsWith(key));
    assert.deepEqual(lost, []);
    const revived = acknowledged.filter((line) => line[0] === "-" && found.has(line.slice(1)));
    assert.deepEqual(revived, []);
    const revisions = items.map(({ revision }) => revision);
    assert.equal(new Set(revisions).size, revisions.length);
    assert.ok((await store.revision()) >= Math.max(...revisions));
  }
});

async function killWriterAfter(
  count: number,
  { directory, run }: { directory: string; run: number },
): Promise<string[]> {
  const writer = path.join(import.meta.dirname, "crash-writer.js");
  const child = spawn(process.execPath, [writer, directory, `run${run}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) child.kill("SIGKILL");
  }
  await exited;
  assert.ok(lines.length >= count);
  return lines;
}

test("the journal is written with O_DSYNC, so that a finished write is on disk", async () => {
  await using _store = await openTemporary(new VirtualClock());
  const journals = readdirSync("/proc/self/fd").filter((fd) => isJournal(fd));
  assert.ok(journals.length >= 2);
  for (const fd of journals) {
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    assert.ok(Number.parseInt(flags ?? "", 8) & 0o10000, `flags ${flags}`);
  }
});

function isJournal(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).includes("/journal-");
  } catch {
    return false;
  }
}

const needsRoot = process.getuid?.() === 0 ? {} : { skip: "mounting a small disk needs root" };

test(
  "a full disk refuses writes, loses nothing, and is over when there is space",
  needsRoot,
  () => {
    const checker = path.join(import.meta.dirname, "disk-full-checker.js");
    using folder = temporaryDirectory();
    const script = 'mount -t tmpfs -o size=16m tmpfs "$1" && exec "$2" "$3" "$1"';
    const mounted = ["sh", "-c", script, "sh", folder.directory, process.execPath, checker];
    const run = ["--mount", "--propagation=private", ...mounted];
    const { status, stdout, stderr } = spawnSync("unshare", run, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /all is well/);
  },
);

test("every step of what moves into the mapped tree is told", async () => {
  using folder = temporaryDirectory();
  let steps = 0;
  const moved = () => void steps++;
  const options = { directory: folder.directory, clock: new VirtualClock(), moved };
  await using store = await openLmdbStore(options);
  const { revision } = await store.create("core/pods", "small", Buffer.from("1"));
  assert.equal(steps, 0);
  await store.compact(revision);
  assert.equal(steps, 1);
  // Too large for the journal.
  await store.create("core/pods", "large", Buffer.alloc(1 << 20));
  assert.equal(steps, 2);
});

test("history, revisions and deletions survive reopening", async () => {
  using folder = temporaryDirectory();
  const clock = new VirtualClock();
  const { directory } = folder;
  let from = 0;
  {
    await using store = await openLmdbStore({ directory, clock });
    from = (await store.create("core/pods", "a", Buffer.from("1"))).revision;
    await store.update("core/pods", "a", { bytes: Buffer.from("2"), expectedRevision: from });
    const b = await store.create("core/pods", "b", Buffer.from("1"));
    await store.delete("core/pods", "b", b.revision);
  }
  await using store = await openLmdbStore({ directory, clock });
  const seen: string[] = [];
  using _watch = await store.watch("core/pods", from, (events) => {
    for (const { type, key, revision } of events) seen.push(`${revision} ${type} ${key}`);
  });
  assert.deepEqual(seen, ["2 put a", "3 put b", "4 delete b"]);
  assert.equal(await store.revision(), 4);
});

test("a directory that is open elsewhere is refused", async () => {
  using folder = temporaryDirectory();
  const options = { directory: folder.directory, clock: new VirtualClock() };
  {
    await using _store = await openLmdbStore(options);
    await assert.rejects(openLmdbStore(options), (error) => {
      assert.ok(isStoreError(error, "io"));
      assert.match(error.message, /another process has it open/);
      return true;
    });
  }
  await using _again = await openLmdbStore(options);
});

test("a directory of a newer version is refused and left alone", async () => {
  using folder = temporaryDirectory();
  const { directory } = folder;
  const clock = new VirtualClock();
  await (await openLmdbStore({ directory, clock }))[Symbol.asyncDispose]();
  const db = open<Buffer, Buffer>({
    path: path.join(directory, "data.mdb"),
    noSubdir: true,
    encoding: "binary",
    keyEncoding: "binary",
  });
  const newer = { format: 99, revision: 7, compacted: 0, sequence: 0 };
  await db.put(Buffer.from("m"), Buffer.from(JSON.stringify(newer)));
  await db.close();
  const before = readFileSync(path.join(directory, "data.mdb"));
  await assert.rejects(openLmdbStore({ directory, clock }), (error) => {
    assert.ok(isStoreError(error, "newer-format"));
    assert.match(error.message, /format 99/);
    return true;
  });
  assert.deepEqual(readFileSync(path.join(directory, "data.mdb")), before);
});

test("a torn or damaged last record is dropped, all before it are kept", async () => {
  using source = temporaryDirectory();
  const clock = new VirtualClock();
  const store = await openLmdbStore({ directory: source.directory, clock });
  for (const key of ["a", "b", "c"]) await store.create("core/pods", key, Buffer.from(key));
  using damaged = temporaryDirectory();
  // As a crash would leave it: nothing has moved into the tree yet.
  await cp(source.directory, damaged.directory, { recursive: true });
  await store[Symbol.asyncDispose]();
  const journal = path.join(damaged.directory, "journal-0");
  const bytes = readFileSync(journal);
  const end = bytes.findLastIndex((byte) => byte !== 0);
  const result = spawnSync("truncate", ["--size", `${end}`, journal]);
  assert.equal(result.status, 0);
  await using reopened = await openLmdbStore({ directory: damaged.directory, clock });
  const { items } = await reopened.list("core/pods");
  assert.deepEqual(
    items.map(({ key }) => key),
    ["a", "b"],
  );
  assert.equal((await reopened.create("core/pods", "c", Buffer.from("c"))).revision, 3);
});

test("a crash while versions move into the tree in steps leaves each of them there once", async () => {
  const clock = new VirtualClock();
  const keys = Array.from({ length: 2_500 }, (_, i) => `key-${String(i).padStart(4, "0")}`);
  using source = temporaryDirectory();
  using crashed = temporaryDirectory();
  const store = await openLmdbStore({ directory: source.directory, clock });
  const written = await Promise.all(
    keys.map((key) => store.create("core/pods", key, Buffer.from(key))),
  );
  for (const journal of ["journal-0", "journal-1"]) {
    await cp(path.join(source.directory, journal), path.join(crashed.directory, journal));
  }
  await store[Symbol.asyncDispose]();
  {
    // The first step is in the tree, the journal knows nothing of it.
    await using tree = await VersionTree.open(path.join(crashed.directory, "data.mdb"));
    const step = written.slice(0, 1_024).map((object) => ({ ...object, resource: "core/pods" }));
    await tree.add(step, 0);
  }
  await using reopened = await openLmdbStore({ directory: crashed.directory, clock });
  const { items } = await reopened.list("core/pods");
  assert.deepEqual(items, written);
  const seen: string[] = [];
  using _watch = await reopened.watch("core/pods", 1, (events) => {
    for (const { key } of events) seen.push(key);
  });
  assert.deepEqual(seen, keys.slice(1));
});

test("each commit is told of once it is durable", async () => {
  using folder = temporaryDirectory();
  const commits: number[] = [];
  const committed = (versions: readonly unknown[]) => void commits.push(versions.length);
  const options = { directory: folder.directory, clock: new VirtualClock(), committed };
  await using store = await openLmdbStore(options);
  await store.create("core/pods", "a", Buffer.from("1"));
  await Promise.all(["b", "c"].map((key) => store.create("core/pods", key, Buffer.from(key))));
  assert.deepEqual(commits, [1, 2]);
});
