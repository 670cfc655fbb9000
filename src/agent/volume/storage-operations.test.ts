import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetrics } from "../../lib/prometheus.ts";
import { pluginOf, StorageOperations, volumeTotals } from "./storage-operations.ts";

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
  assert.equal(pluginOf({ name: "a" }), undefined);
  assert.equal(pluginOf(undefined), undefined);
});

test("volumes are counted by plugin, wanted ones and those that are there", () => {
  const secret = "kubernetes.io/secret";
  const family = volumeTotals({ desired: [secret, undefined, secret], actual: [secret] });
  assert.deepEqual(
    encodeMetrics([family])
      .split("\n")
      .filter((line) => line && !line.startsWith("#")),
    [
      `volume_manager_total_volumes{plugin_name="${secret}",state="actual_state_of_world"} 1`,
      `volume_manager_total_volumes{plugin_name="${secret}",state="desired_state_of_world"} 2`,
      'volume_manager_total_volumes{plugin_name="N/A",state="desired_state_of_world"} 1',
    ],
  );
});
