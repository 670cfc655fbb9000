import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { NODES, RUNTIME_CLASSES } from "../../src/api/generated/resources.ts";
import type { PodSpec } from "../../src/api/generated/types/core-v1.ts";
import { mount } from "../../src/sys/mount.ts";
import { appOf, type NodeUnderTest, shell, startNode } from "./node-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
let node: NodeUnderTest;

before(async () => {
  if (skip) return;
  node = await startNode();
  const below = path.join(node.directory, "disk", "below");
  mkdirSync(below, { recursive: true });
  mount({ source: "tmpfs", target: below, type: "tmpfs" });
  for (const each of [below, path.dirname(below)]) chmodSync(each, 0o777);
  await node.client.for(RUNTIME_CLASSES).create({ metadata: { name: "runc" }, handler: "runc" });
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
});

/** Tries to write at a read-only mount and below it; returns what could be written and is told. */
async function tried(name: string, asked: string, more: Partial<PodSpec> = {}) {
  const script = "for at in . below; do touch /disk/$at/$$ 2>/dev/null && echo -n $at; done; true";
  const disk = { name: "disk", mountPath: "/disk", readOnly: true, recursiveReadOnly: asked };
  const app = shell(script, {
    volumeMounts: [disk],
    terminationMessagePath: "/dev/written",
    command: ["sh", "-c", `{ ${script}; } > /dev/written`],
  });
  const volumes = [{ name: "disk", hostPath: { path: path.join(node.directory, "disk") } }];
  await node.run(name, { restartPolicy: "Never", volumes, containers: [app], ...more });
  const pod = await node.until(name, (one) => appOf(one)?.state?.terminated !== undefined);
  const { state, volumeMounts } = appOf(pod) ?? {};
  return [state?.terminated?.message ?? "", volumeMounts?.[0]?.recursiveReadOnly];
}

test("what is mounted below a mount is read-only with it, where that is wanted", {
  skip,
}, async () => {
  assert.deepEqual(await tried("disabled", "Disabled"), ["below", "Disabled"]);
  assert.deepEqual(await tried("enabled", "Enabled"), ["", "Enabled"]);
  assert.deepEqual(await tried("possible", "IfPossible"), ["", "Enabled"]);
  const class_ = { runtimeClassName: "runc" };
  assert.deepEqual(await tried("by-runc", "Enabled", class_), ["", "Enabled"]);
});

test("the node says which handlers can do it", { skip }, async () => {
  await node.agent().ready;
  const { status } = await node.client.for(NODES).get({ name: "node-1" });
  const can = (name: string) =>
    status?.runtimeHandlers?.find((one) => one.name === name)?.features?.recursiveReadOnlyMounts;
  assert.deepEqual([can(""), can("crun")], [true, true]);
});
