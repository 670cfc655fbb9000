// The disk below an instance fills up and is freed; a data directory comes from a later version.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { open } from "lmdb";
import { eventually } from "./eventually.ts";
import { type InstanceUnderTest, outcomeOf, prepareInstance } from "./instance-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const DISK = "size=64m";
const VALUE = "x".repeat(100_000);

let disk = "";
let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  disk = mkdtempSync(path.join(tmpdir(), "nephos-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", DISK, "tmpfs", disk]);
  instance = prepareInstance(disk);
  await up();
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
  if (!disk) return;
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
});

async function up(): Promise<void> {
  const { code, stderr, stdout } = await instance.nephos("up", "--detach");
  assert.equal(code, 0, `${stderr}${stdout}`);
}

function create(name: string) {
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { VALUE } };
  return instance.kubectlWith(JSON.stringify(map), "create", "-f", "-");
}

/** Takes every byte that is left. */
function fillDisk(): string {
  const file = path.join(disk, "ballast");
  const fd = openSync(file, "w");
  try {
    for (const size of [1 << 20, 4096]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      }
    }
  } finally {
    closeSync(fd);
  }
  return file;
}

async function maps(): Promise<string[]> {
  const names = await instance.ok("get", "configmaps", "-o=jsonpath={.items[*].metadata.name}");
  return names.split(" ").filter((name) => name.startsWith("map-"));
}

test("a full disk refuses writes, loses nothing, and is over when there is space", {
  skip,
}, async (t) => {
  const acknowledged = ["map-000"];
  assert.equal((await create("map-000")).code, 0);
  const ballast = fillDisk();
  let refusal = "";
  for (let at = 1; refusal === "" && at < 300; at++) {
    const name = `map-${`${at}`.padStart(3, "0")}`;
    const { code, stderr } = await create(name);
    if (code === 0) acknowledged.push(name);
    else refusal = stderr;
  }
  t.diagnostic(`${acknowledged.length} writes fitted in`);
  assert.match(refusal, /the disk is full/);
  assert.deepEqual(await maps(), acknowledged);
  rmSync(ballast);
  await eventually("a write", async () => (await create("map-after")).code === 0);
  acknowledged.push("map-after");
  assert.deepEqual(await maps(), acknowledged);
  process.kill(instance.pid(), "SIGKILL");
  await eventually("its end", async () => (await instance.nephos("status")).code === 3);
  await up();
  assert.deepEqual(await maps(), acknowledged);
});

test("an instance starts on a disk that is full, or says why not", { skip }, async () => {
  const before = await maps();
  await instance.nephos("down");
  const ballast = fillDisk();
  const { code, stderr } = await instance.nephos("up", "--detach");
  if (code !== 0) assert.match(stderr, /^nephos: .*(disk is full|no space left)/i);
  rmSync(ballast);
  await up();
  assert.deepEqual(await maps(), before);
});

test("data of a later version are refused and left alone", { skip }, async () => {
  const before = await maps();
  await instance.nephos("down");
  const file = path.join(instance.dataDirectory, "store/data.mdb");
  const formatOf = async (change: (format: number) => number) => {
    const db = open<Buffer, Buffer>({
      path: file,
      noSubdir: true,
      encoding: "binary",
      keyEncoding: "binary",
    });
    const key = Buffer.from("m");
    const state = JSON.parse(`${db.get(key)}`) as { format: number };
    await db.put(key, Buffer.from(JSON.stringify({ ...state, format: change(state.format) })));
    await db.close();
  };
  await formatOf((format) => format + 1);
  const { code, stderr } = await instance.nephos("up", "--detach");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^nephos: Cannot open store .*: it has format \d+, this version reads up to \d+/,
  );
  await formatOf((format) => format - 1);
  await up();
  assert.deepEqual(await maps(), before);
});

test("a node that cannot start ends the daemon with the reason, and leaves no process", {
  skip,
}, async () => {
  const before = await maps();
  await instance.nephos("down");
  const images = path.join(instance.dataDirectory, "images");
  renameSync(images, `${images}.away`);
  writeFileSync(images, "in the way");
  const { code, stderr } = await instance.nephos("up", "--detach");
  assert.equal(code, 1);
  assert.match(stderr, /^nephos: .*\/images\/layers'\n$/);
  const { stdout } = await instance.nephos("status");
  assert.match(stdout, /^Nephos is not running/);
  await eventually("no process is left", async () => {
    const { stdout: processes } = await outcomeOf("ps", ["-eo", "args"]);
    return !processes.includes(instance.dataDirectory);
  });
  rmSync(images);
  renameSync(`${images}.away`, images);
  await up();
  assert.deepEqual(await maps(), before);
});
