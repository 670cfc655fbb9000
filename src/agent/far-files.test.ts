import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { isMountPoint, type MountEntry, unmount } from "../sys/mount.ts";
import { type StallingMount, startStallingMount } from "../sys/stalling-mount-fixture.ts";
import { createFarFiles, type FarFiles, MountHungError } from "./far-files.ts";
import { FarJobError } from "./far-process.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const DEADLINE_MS = 10_000;

interface Setup {
  directory: string;
  stalling: StallingMount;
  clock: VirtualClock;
  far: FarFiles;
  at(name: string): string;
}

async function withFarFiles(run: (setup: Setup) => Promise<void>): Promise<void> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-far-")));
  try {
    const target = path.join(directory, "far");
    mkdirSync(target);
    await using stalling = await startStallingMount(target);
    const clock = new VirtualClock();
    using far = createFarFiles({ clock, logger: silentLogger });
    await run({ directory, stalling, clock, far, at: (name) => path.join(target, name) });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function mountOf(far: FarFiles, file: string): MountEntry {
  const mount = far.mountOf(file);
  assert.ok(mount);
  return mount;
}

test("work on a far file system is done, and fails, as on a near one", { skip }, () =>
  withFarFiles(async ({ directory, far, at }) => {
    const mount = mountOf(far, at("directory"));
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
  }),
);

test("a mount that hangs is told of, and tried again when it answers", { skip }, () =>
  withFarFiles(async ({ stalling, clock, far, at }) => {
    const mount = mountOf(far, at("directory"));
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
  }),
);

test("nobody waits any more when it is disposed", { skip }, () =>
  withFarFiles(async ({ stalling, far, at }) => {
    const mount = mountOf(far, at("directory"));
    const look = { do: "look", file: at("directory") } as const;
    await stalling.stall();
    const refused = [1, 2].map(() => assert.rejects(far.perform(look, { mount })));
    far[Symbol.dispose]();
    await Promise.all(refused);
    await assert.rejects(far.perform(look, { mount }), MountHungError);
  }),
);

test("who no longer wants an answer gets none, and others do", { skip }, () =>
  withFarFiles(async ({ stalling, far, at }) => {
    const mount = mountOf(far, at("directory"));
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
  }),
);
