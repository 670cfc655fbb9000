import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { isMountPoint, unmount } from "../sys/mount.ts";
import { type StallingMount, startStallingMount } from "../sys/stalling-mount-fixture.ts";
import { createFarFiles, type FarFiles, MountHungError } from "./far-files.ts";
import { FarJobError } from "./far-process.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const DEADLINE_MS = 10_000;

let directory: string;
let stalling: StallingMount;
let clock: VirtualClock;
let far: FarFiles;

beforeEach(async () => {
  if (skip) return;
  directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-far-")));
  mkdirSync(path.join(directory, "far"));
  stalling = await startStallingMount(path.join(directory, "far"));
  clock = new VirtualClock();
  far = createFarFiles({ clock, logger: silentLogger });
});
afterEach(async () => {
  if (skip) return;
  far[Symbol.dispose]();
  await stalling[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const at = (name: string) => path.join(directory, "far", name);

function mountOf(file: string) {
  const mount = far.mountOf(file);
  assert.ok(mount);
  return mount;
}

test("work on a far file system is done, and fails, as on a near one", { skip }, async () => {
  const mount = mountOf(at("directory"));
  assert.equal(far.mountOf(directory), undefined);
  const source = { path: at("directory"), type: "Directory" } as const;
  await far.perform({ do: "host-path", source }, { mount });
  await assert.rejects(
    far.perform({ do: "host-path", source: { ...source, type: "File" } }, { mount }),
    (error) =>
      error instanceof FarJobError && error.name === "VolumeError" && error.code === "invalid",
  );
  const target = path.join(directory, "bound");
  const volume = at("");
  await far.perform({ do: "sub-path", volume, subPath: "directory", target }, { mount });
  assert.ok(isMountPoint(target));
  assert.deepEqual(readdirSync(target), []);
  unmount(target);
  await assert.rejects(
    far.perform({ do: "sub-path", volume, subPath: "../..", target }, { mount }),
    { name: "ConfigurationError" },
  );
  const usage = await far.perform({ do: "usage", directory: at("directory") }, { mount });
  assert.equal(usage?.inodes, 1);
});

test("a mount that hangs is told of, and tried again when it answers", { skip }, async () => {
  const mount = mountOf(at("directory"));
  const look = { do: "look", file: at("directory") } as const;
  await far.perform(look, { mount });
  const answered = new Promise<void>((resolve) => far.onAnswer(resolve));
  await stalling.stall();
  const hangs = [1, 2].map(() =>
    assert.rejects(far.perform(look, { mount }), (error: Error) => {
      assert.ok(error instanceof MountHungError);
      assert.match(error.message, /far" \(fuse.stalling of stalling\) does not answer: /);
      return true;
    }),
  );
  await clock.advance(DEADLINE_MS);
  await Promise.all(hangs);
  // Nobody waits another time for what is known to hang.
  await assert.rejects(far.perform(look, { mount }), MountHungError);
  await stalling.answer();
  await answered;
  await far.perform(look, { mount });
});

test("who no longer wants an answer gets none, and others do", { skip }, async () => {
  const mount = mountOf(at("directory"));
  const look = { do: "look", file: at("directory") } as const;
  await stalling.stall();
  const stop = new AbortController();
  const given = assert.rejects(far.perform(look, { mount, signal: stop.signal }), {
    name: "AbortError",
  });
  const wanted = far.perform(look, { mount });
  stop.abort();
  await given;
  await stalling.answer();
  await wanted;
});
