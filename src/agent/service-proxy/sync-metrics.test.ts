import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetrics } from "../../lib/prometheus.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { SyncMetrics } from "./sync-metrics.ts";

test("synchronisations are told of under kube-proxy's names", async () => {
  const clock = new VirtualClock();
  const metrics = new SyncMetrics(clock);
  const text = () => encodeMetrics(metrics.families());
  assert.ok(!text().includes("last_timestamp"));
  const sinceMs = clock.monotonicMs();
  await clock.advance(3);
  metrics.done(sinceMs);
  metrics.failed();
  const prefix = "kubeproxy_sync_proxy_rules";
  for (const line of [
    `${prefix}_duration_seconds_bucket{le="0.002"} 0`,
    `${prefix}_duration_seconds_bucket{le="0.004"} 1`,
    `${prefix}_last_timestamp_seconds ${clock.now() / 1000}`,
    `${prefix}_nftables_sync_failures_total 1`,
  ]) {
    assert.ok(text().includes(`${line}\n`), line);
  }
});
