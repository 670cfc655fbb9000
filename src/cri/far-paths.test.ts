import assert from "node:assert/strict";
import { test } from "node:test";
import { MountHungError } from "../agent/far-files.ts";
import { FarJobError, type FarJob } from "../agent/far-process.ts";
import type { MountEntry } from "../sys/mount.ts";
import { prepareFarPaths } from "./far-paths.ts";

const MOUNT: MountEntry = {
  id: 1,
  target: "/far",
  root: "/",
  type: "nfs4",
  source: "server:/x",
  shared: false,
  options: "rw",
};

function farFiles(failure?: Error) {
  const jobs: FarJob[] = [];
  return {
    jobs,
    async perform(job: FarJob) {
      jobs.push(job);
      if (failure) throw failure;
      return undefined;
    },
  };
}

const mounts = ["/near", "/far/a", "/far/a", "far"].map((hostPath, at) => {
  return { hostPath, containerPath: `/mnt/${at}` };
});

test("only paths that may never answer are looked at beside this process, and once", async () => {
  const far = farFiles();
  assert.deepEqual([...(await prepareFarPaths(far, mounts, [MOUNT]))], ["/far/a"]);
  assert.deepEqual(far.jobs, [{ do: "host-path", source: { path: "/far/a" } }]);
});

test("a path that does not answer is unavailable, one that cannot be used is a bad argument", async () => {
  const hung = farFiles(new MountHungError('the file system that is mounted at "/far" is away'));
  await assert.rejects(prepareFarPaths(hung, mounts, [MOUNT]), {
    code: "unavailable",
    message: 'Cannot mount "/mnt/1": the file system that is mounted at "/far" is away',
  });
  const denied = farFiles(new FarJobError({ name: "Error", message: "EACCES", code: "EACCES" }));
  await assert.rejects(prepareFarPaths(denied, mounts, [MOUNT]), { code: "invalid-argument" });
});
