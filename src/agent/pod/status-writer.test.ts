import assert from "node:assert/strict";
import { test } from "node:test";
import { invalid } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Transport } from "../../api/transport.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createFakeMetrics } from "./fake-metrics.ts";
import { createStatusWriter } from "./status-writer.ts";

const POD: Pod = {
  metadata: { name: "db-0", namespace: "default", uid: "old" },
  spec: { containers: [{ name: "c" }] },
};

test("the status of a pod whose name another one has is nobody's any more", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  let asked = 0;
  const transport: Transport = {
    request: () => {
      asked++;
      const cause = {
        reason: "FieldValueInvalid",
        message: 'Invalid value: "old": field is immutable',
        field: "metadata.uid",
      };
      return Promise.reject(invalid({ group: "", kind: "Pod" }, "db-0", [cause]));
    },
    watch: (request, sink) => memory.watch(request, sink),
  };
  using writer = createStatusWriter({
    client: createClient(transport),
    clock,
    logger: silentLogger,
    metrics: createFakeMetrics(),
    onWritten: () => assert.fail("nothing is written"),
  });
  writer.publish(POD, { phase: "Failed" }, 0);
  await writer.settled();
  assert.equal(asked, 1);
});

test("what had time to wait and is as it was by then is not written", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const transport: Transport = {
    request: () => {
      asked++;
      return Promise.reject(new Error("nothing is to be asked"));
    },
    watch: (request, sink) => new MemoryTransport().watch(request, sink),
  };
  using writer = createStatusWriter({
    client: createClient(transport),
    clock,
    logger: silentLogger,
    metrics: createFakeMetrics(),
    onWritten: () => assert.fail("nothing is written"),
  });
  const pod: Pod = { ...POD, status: { phase: "Pending" } };
  writer.publish(pod, { phase: "Pending", reason: "Waiting" }, 1_000);
  writer.publish(pod, { phase: "Pending" }, 1_000);
  await clock.advance(1_000);
  await writer.settled();
  assert.equal(asked, 0);
});

test("how long the API did not know is told once it does, and not of what is no news", async () => {
  const clock = new VirtualClock();
  const metrics = createFakeMetrics();
  const client = createClient(new MemoryTransport());
  const pod = await client.for(PODS).create({ ...POD, metadata: { name: "db-0", namespace: "a" } });
  const logger = silentLogger;
  using writer = createStatusWriter({ client, clock, logger, metrics, onWritten: () => {} });
  writer.publish(pod, { phase: "Pending", reason: "A" }, 2_000);
  await clock.advance(500);
  writer.publish(pod, { phase: "Pending", reason: "B" }, 2_000);
  await clock.advance(1_500);
  await writer.settled();
  assert.deepEqual(metrics.told, ["pod_status_sync_duration_seconds 2"]);
  await clock.advance(5_000);
  writer.publish(
    await client.for(PODS).get({ name: "db-0", namespace: "a" }),
    {
      phase: "Pending",
      reason: "B",
    },
    0,
  );
  await writer.settled();
  assert.equal(metrics.told.length, 1);
});
