import assert from "node:assert/strict";
import { test } from "node:test";
import { DAEMON_SETS, NODES, PODS } from "../../api/generated/resources.ts";
import { runController } from "../../client/controller-runner.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { daemonSetController } from "./daemon-set-controller.ts";
import { FailureBackoff } from "./failure-backoff.ts";

test("failures wait longer and longer, and are forgotten after half an hour", () => {
  const backoff = new FailureBackoff();
  assert.equal(backoff.waitMs("a", 0), 0);
  const waits = [0, 10_000, 20_000, 30_000].map((nowMs) => {
    backoff.failed("a", nowMs);
    return backoff.waitMs("a", nowMs);
  });
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000]);
  assert.equal(backoff.waitMs("a", 33_000), 5_000);
  assert.equal(backoff.waitMs("b", 33_000), 0);
  for (let at = 40_000; at < 52_000; at += 1_000) backoff.failed("a", at);
  assert.equal(backoff.waitMs("a", 51_000), 900_000);
  assert.equal(backoff.waitMs("a", 51_000 + 1_800_001), 0);
});

test("a node that refuses its daemon is asked ever more rarely", async () => {
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const sources = { clock, random: seededRandom(1), logger: silentLogger };
  await using informers = createInformerFactory({ ...sources, client });
  let made = 0;
  using pods = informers.informer(PODS);
  using _subscription = pods.onChange(({ type, object: pod }) => {
    if (type !== "added") return;
    made++;
    const { namespace, name = "" } = pod.metadata ?? {};
    const status = { phase: "Failed", reason: "OutOfcpu" };
    void client.for(PODS).patch({ namespace, name }, { status }, { subresource: "status" });
  });
  await client.for(NODES).create({ metadata: { name: "n1" } });
  const template = { metadata: { labels: { app: "x" } }, spec: { containers: [] } };
  const spec = { selector: { matchLabels: { app: "x" } }, template };
  await client.for(DAEMON_SETS).create({ metadata: { name: "x", namespace: "d" }, spec });
  const deps = { ...sources, client, informers, events: { record: () => undefined } };
  await using _running = runController(daemonSetController(), deps);
  await clock.advance(60_000);
  assert.ok(made >= 4 && made <= 7, `${made} pods in a minute`);
});
