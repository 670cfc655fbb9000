import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { NAMESPACES } from "../src/api/generated/resources.ts";
import { MemoryTransport } from "../src/client/memory-transport.ts";
import { createClient } from "../src/client/resource-client.ts";
import { processIdentity } from "../scripts/process-identity.ts";
import { namespaceOf, withNamespace } from "./bench-namespace.ts";
import { interruptible } from "./interruptible.ts";

const MODULE = path.join(import.meta.dirname, "interruptible.js");
const WORK = `import { interruptible } from ${JSON.stringify(MODULE)};
try {
  await interruptible(() => new Promise(() => { setInterval(() => {}, 1e3); console.log("on"); }));
} finally {
  await new Promise((done) => setTimeout(done, 100));
  console.log("clean");
}`;

test("a benchmark that is asked to end cleans up, and says why it ended", async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", WORK]);
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (bytes: Buffer) => (said.stdout += String(bytes)));
    child.stderr.on("data", (bytes: Buffer) => (said.stderr += String(bytes)));
    await once(child.stdout, "data");
    child.kill(signal);
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 1);
    assert.equal(said.stdout, "on\nclean\n");
    assert.match(said.stderr, /Ended by SIG(INT|TERM|HUP)/);
  }
});

test("work that ends by itself leaves no listener", async () => {
  const before = process.listenerCount("SIGTERM");
  assert.equal(await interruptible(() => Promise.resolve(5)), 5);
  await assert.rejects(
    interruptible(() => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(process.listenerCount("SIGTERM"), before);
});

test("namespaces of killed benchmarks of this machine are removed, others are not", async () => {
  const client = createClient(new MemoryTransport());
  const [boot, pidNamespace] = processIdentity().split("-");
  const dead = `nephos-pod-bench-${boot}-${pidNamespace}-4194305-1`;
  const kept = [`mine-${boot}-${pidNamespace}-4194305-1`, namespaceOf("node-bench"), "default"];
  for (const name of [dead, ...kept]) await client.for(NAMESPACES).create({ metadata: { name } });
  const names = async () =>
    (await client.for(NAMESPACES).list({})).items.map(({ metadata }) => metadata?.name ?? "");
  const own = namespaceOf("pod-bench");
  const during = await withNamespace(client, own, names);
  assert.deepEqual(during.sort(), [own, ...kept].sort());
  const left = await names();
  assert.deepEqual(left.sort(), kept.sort());
});
