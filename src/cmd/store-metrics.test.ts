import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetrics } from "../lib/prometheus.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { measureReads } from "./measured-store.ts";
import { StoreMetrics } from "./store-metrics.ts";

test("writes are counted by what they did, with the time of their commit", () => {
  const metrics = new StoreMetrics();
  const bytes = Buffer.from("{}");
  const pod = { resource: "core/pods", key: "a" };
  const widget = { resource: "example.com/widgets", key: "w" };
  metrics.committed(
    [
      { ...pod, bytes, revision: 5, createRevision: 5 },
      { ...pod, bytes, revision: 6, createRevision: 5 },
      { ...pod, bytes: undefined, revision: 7, createRevision: 5 },
      { ...widget, bytes, revision: 8, createRevision: 8 },
    ],
    30,
  );
  metrics.committed([{ ...pod, bytes, revision: 9, createRevision: 9 }], 3);
  const text = encodeMetrics(metrics.families());
  const lines = [
    'etcd_requests_total{operation="create",type="pods"} 2',
    'etcd_requests_total{operation="update",type="pods"} 1',
    'etcd_requests_total{operation="delete",type="pods"} 1',
    'etcd_requests_total{operation="create",type="widgets.example.com"} 1',
    'etcd_request_duration_seconds_bucket{operation="create",type="pods",le="0.005"} 1',
    'etcd_request_duration_seconds_bucket{operation="create",type="pods",le="0.05"} 2',
    'etcd_request_duration_seconds_count{operation="delete",type="pods"} 1',
  ];
  for (const line of lines) assert.ok(text.includes(`${line}\n`), line);
});

test("reads are counted beside writes, and answered as they were", async () => {
  const metrics = new StoreMetrics();
  const clock = new VirtualClock();
  await using store = measureReads(createMemoryStore(), { metrics, clock });
  await store.create("core/pods", "a", Buffer.from("{}"));
  assert.equal((await store.get("core/pods", "a"))?.key, "a");
  assert.equal(await store.get("core/pods", "b"), undefined);
  assert.equal((await store.list("apps/deployments")).items.length, 0);
  const text = encodeMetrics(metrics.families());
  assert.ok(text.includes('etcd_requests_total{operation="get",type="pods"} 2\n'), text);
  assert.ok(text.includes('etcd_requests_total{operation="list",type="deployments.apps"} 1\n'));
  assert.ok(!text.includes("create"), "writes are told of by their commits");
});
