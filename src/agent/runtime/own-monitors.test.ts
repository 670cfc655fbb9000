import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { spawnProgram } from "../../sys/posix-spawn.ts";
import { createOwnMonitors } from "./own-monitors.ts";

function spawnSleep(seconds: string): number {
  const request = { file: "/bin/sleep", args: [seconds], directory: "/", env: {} };
  return spawnProgram({ ...request, descriptors: [] });
}

test("a monitor is reaped after its container has exited and it has ended", async () => {
  const monitors = createOwnMonitors();
  const pid = spawnSleep("600");
  const isThere = () => existsSync(`/proc/${pid}`);
  monitors.adopt("one", pid);
  process.kill(pid, "SIGKILL");
  monitors.reap();
  assert.ok(isThere(), "nobody said that its container has exited");
  monitors.release("one");
  monitors.release("one");
  while (isThere()) {
    monitors.reap();
    await new Promise((resolve) => setImmediate(resolve));
  }
});
