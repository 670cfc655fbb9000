import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { systemClock } from "../../sys/clock.ts";
import { createNetworkNamespace, removeNetworkNamespace } from "../../sys/network-namespace.ts";
import { entersNetwork } from "./gvisor-kernel.ts";

test("a kernel is started when it has entered the network of its pod, not before", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-kernel-"));
  const network = path.join(directory, "network");
  createNetworkNamespace(network);
  t.after(() => {
    removeNetworkNamespace(network);
    rmSync(directory, { recursive: true });
  });
  const late = `echo ready; read -r word; exec nsenter --net=${network} cat`;
  const child = spawn("/bin/sh", ["-c", late], { stdio: ["pipe", "pipe", "inherit"] });
  const pid = child.pid ?? 0;
  await once(child.stdout, "data");
  let hasEntered = false;
  const entering = entersNetwork(pid, network, systemClock).then(() => (hasEntered = true));
  await assert.rejects(Promise.race([entering, turns(20)]), /turns are over/);
  assert.equal(hasEntered, false);
  child.stdin.write("go\n");
  await entering;
  child.stdin.end();
  await once(child, "close");
  await assert.rejects(entersNetwork(pid, network, systemClock), /has ended/);
});

/** Rejects when timers of this process have been served so often. */
async function turns(count: number): Promise<never> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => systemClock.setTimer(1, resolve));
  }
  throw new Error("the turns are over");
}
