import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
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
