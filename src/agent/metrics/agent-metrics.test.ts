import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { encodeMetrics } from "../../lib/prometheus.ts";
import { createAgentMetrics } from "./agent-metrics.ts";

const running = { name: "a", state: { running: {} } };
const ended = { name: "b", state: { terminated: { exitCode: 0 } } };
const waiting = { name: "c", state: { waiting: {} } };

function pod(isReady: boolean, status: object): Pod {
  const condition = { type: "PodReadyToStartContainers", status: isReady ? "True" : "False" };
  return { status: { conditions: [condition], ...status } };
}

test("pods count by their sandbox, containers whatever their role", () => {
  const pods = [
    pod(true, { phase: "Pending", initContainerStatuses: [ended, running, waiting] }),
    pod(true, {
      phase: "Running",
      containerStatuses: [running, waiting],
      ephemeralContainerStatuses: [ended],
    }),
    pod(false, { phase: "Succeeded", containerStatuses: [ended] }),
    pod(false, { phase: "Pending" }),
  ];
  const families = createAgentMetrics().families("node-1", pods);
  const values = (name: string) => families.find((one) => one.name === name)?.samples;
  assert.deepEqual(values("kubelet_running_pods"), [{ value: 2 }]);
  assert.deepEqual(values("kubelet_running_containers"), [
    { labels: { container_state: "running" }, value: 2 },
    { labels: { container_state: "exited" }, value: 3 },
  ]);
});

test("operations of the runtime are counted and timed, failed ones too", () => {
  const metrics = createAgentMetrics();
  metrics.observeOperation("start_container", { seconds: 0.01, failed: false });
  metrics.observeOperation("start_container", { seconds: 0.2, failed: true });
  metrics.observeOperation("exec_sync", { seconds: 0.001, failed: false });
  const text = encodeMetrics(metrics.families("n", []));
  const lines = text.split("\n").filter((line) => line.startsWith("kubelet_runtime_operations"));
  const type = 'operation_type="start_container"';
  for (const line of [
    `kubelet_runtime_operations_total{${type}} 2`,
    'kubelet_runtime_operations_total{operation_type="exec_sync"} 1',
    `kubelet_runtime_operations_errors_total{${type}} 1`,
    `kubelet_runtime_operations_duration_seconds_bucket{${type},le="0.005"} 0`,
    `kubelet_runtime_operations_duration_seconds_bucket{${type},le="0.0125"} 1`,
    `kubelet_runtime_operations_duration_seconds_count{${type}} 2`,
  ]) {
    assert.ok(lines.includes(line), `${line} is not among\n${lines.join("\n")}`);
  }
  assert.ok(
    !lines.includes('kubelet_runtime_operations_errors_total{operation_type="exec_sync"} 0'),
  );
});
