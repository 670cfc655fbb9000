import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetrics } from "../../lib/prometheus.ts";
import { pluginOf, StorageOperations } from "./storage-operations.ts";

test("work on volumes is told of under a kubelet's names", () => {
  const operations = new StorageOperations();
  assert.equal(encodeMetrics(operations.families()), "");
  const plugin = pluginOf({ name: "a", emptyDir: {} });
  operations.done({ plugin, name: "volume_mount", failed: false }, 0.2);
  operations.done({ plugin, name: "volume_mount", failed: false }, 0.05);
  operations.done({ plugin, name: "volume_mount", failed: true }, 700);
  const labels = (status: string) =>
    `volume_plugin="kubernetes.io/empty-dir",operation_name="volume_mount",status="${status}",migrated="false"`;
  const text = encodeMetrics(operations.families());
  for (const line of [
    `storage_operation_duration_seconds_bucket{${labels("success")},le="0.1"} 1`,
    `storage_operation_duration_seconds_bucket{${labels("success")},le="0.25"} 2`,
    `storage_operation_duration_seconds_bucket{${labels("fail-unknown")},le="600"} 0`,
    `storage_operation_duration_seconds_bucket{${labels("fail-unknown")},le="+Inf"} 1`,
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test("volumes are of the plugins that a kubelet has for them", () => {
  assert.equal(pluginOf({ name: "a", configMap: { name: "b" } }), "kubernetes.io/configmap");
  assert.equal(pluginOf({ local: { path: "/a" } }), "kubernetes.io/local-volume");
  assert.equal(pluginOf({ name: "a" }), "<n/a>");
  assert.equal(pluginOf(undefined), "<n/a>");
});
