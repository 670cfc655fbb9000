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

test("sandboxes are told of by their handlers, too", () => {
  const metrics = createAgentMetrics();
  metrics.observeOperation("run_podsandbox", { seconds: 0.02, failed: false, handler: "" });
  metrics.observeOperation("run_podsandbox", { seconds: 2, failed: true, handler: "runsc" });
  const text = encodeMetrics(metrics.families("n", []));
  for (const line of [
    'kubelet_run_podsandbox_duration_seconds_bucket{runtime_handler="",le="0.025"} 1',
    'kubelet_run_podsandbox_duration_seconds_count{runtime_handler="runsc"} 1',
    'kubelet_run_podsandbox_errors_total{runtime_handler="runsc"} 1',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 2',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
});

test("probes have a kubelet's words for their kinds, and failed ones no time", () => {
  const metrics = createAgentMetrics();
  const of = { container: "c", namespace: "a", pod: "web", podUid: "u" };
  metrics.observeProbe({ ...of, kind: "liveness", succeeded: true, seconds: 0.02 });
  metrics.observeProbe({ ...of, kind: "readiness", succeeded: false, seconds: 0.02 });
  metrics.observeProbe({ ...of, pod: "db", kind: "startup", succeeded: true, seconds: 0.02 });
  const labels = (type: string, pod = "web") =>
    `probe_type="${type}",container="c",pod="${pod}",namespace="a"`;
  const counts = () =>
    encodeMetrics(metrics.probeFamilies())
      .split("\n")
      .filter((line) => /_total\{|_count/.test(line));
  assert.deepEqual(counts(), [
    `prober_probe_duration_seconds_count{${labels("Liveness")}} 1`,
    `prober_probe_duration_seconds_count{${labels("Startup", "db")}} 1`,
    `prober_probe_total{${labels("Liveness")},pod_uid="u",result="successful"} 1`,
    `prober_probe_total{${labels("Readiness")},pod_uid="u",result="failed"} 1`,
    `prober_probe_total{${labels("Startup", "db")},pod_uid="u",result="successful"} 1`,
  ]);
  metrics.forgetProbes({ name: "web", namespace: "a" });
  assert.equal(counts().length, 2);
});

test("pods are counted by what is done with them, and where they come from", () => {
  const ending = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const ofFile = { metadata: { annotations: { "kubernetes.io/config.source": "file" } } };
  const pods: Pod[] = [{}, ending, { status: { phase: "Failed" } }, ofFile];
  const text = encodeMetrics(createAgentMetrics().families("n", pods));
  for (const line of [
    'kubelet_desired_pods{static=""} 3',
    'kubelet_active_pods{static=""} 1',
    'kubelet_active_pods{static="true"} 1',
    "kubelet_mirror_pods 1",
    'kubelet_working_pods{lifecycle="terminating",config="desired",static=""} 1',
    'kubelet_working_pods{lifecycle="terminated",config="desired",static="true"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
});
