import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodCondition } from "../../api/generated/types/core-v1.ts";
import type { ContainerStatus } from "../runtime/contract.ts";
import type { PodObservation } from "./observation.ts";
import { isUneventful, podStatus } from "./pod-status.ts";
import { statusDifference } from "./status-writer.ts";

const NOW = Date.UTC(2025, 0, 1, 12);
const MOMENT = { nowMs: NOW, hostIp: "192.0.2.1" };

const pod: Pod = {
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: { containers: [{ name: "app", image: "app:1" }], restartPolicy: "Always" },
  status: { conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: "then" }] },
};

const running: ContainerStatus = {
  id: "c0",
  sandboxId: "u1",
  name: "app",
  attempt: 0,
  state: "running",
  imageReference: "app:1",
  imageId: "sha256:abc",
  logPath: "",
  createdAtMs: NOW,
  startedAtMs: NOW,
};

function observe(status: ContainerStatus | undefined, ready = true): PodObservation {
  const health = { started: true, ready };
  const seen = status && { current: { status }, stale: [], health, hookPending: false };
  return {
    acceptedAtMs: NOW,
    sandbox: { ready: true },
    volumes: { ready: true },
    containers: new Map(seen ? [["app", seen]] : []),
    busy: new Set(),
    podIp: "10.1.0.2",
    gone: false,
    released: false,
    deletionConfirmed: false,
  };
}

const brief = (conditions: PodCondition[] | undefined) =>
  (conditions ?? []).map(({ type, status, reason }) => [type, status, reason ?? ""].join(" "));

test("a running pod has its addresses, conditions and container state", () => {
  const status = podStatus(pod, observe(running), MOMENT);
  assert.equal(status.phase, "Running");
  assert.equal(status.podIP, "10.1.0.2");
  assert.equal(status.qosClass, "BestEffort");
  assert.deepEqual(brief(status.conditions), [
    "PodReadyToStartContainers True ",
    "Initialized True ",
    "Ready True ",
    "ContainersReady True ",
    "PodScheduled True ",
  ]);
  assert.deepEqual(status.containerStatuses, [
    {
      name: "app",
      state: { running: { startedAt: "2025-01-01T12:00:00Z" } },
      lastState: {},
      ready: true,
      restartCount: 0,
      image: "app:1",
      imageID: "sha256:abc",
      containerID: "nephos://c0",
      started: true,
    },
  ]);
});

test("a condition that did not change keeps its time", () => {
  const { conditions } = podStatus(pod, observe(running), MOMENT);
  const scheduled = conditions?.find(({ type }) => type === "PodScheduled");
  assert.equal(scheduled?.lastTransitionTime, "then");
});

test("a container that is not ready makes the pod unready", () => {
  const { conditions } = podStatus(pod, observe(running, false), MOMENT);
  assert.equal(brief(conditions)[2], "Ready False ContainersNotReady");
  const [, , ready] = conditions ?? [];
  assert.equal(ready?.message, "containers with unready status: [app]");
});

test("a pod that waits for its containers is pending", () => {
  const status = podStatus(pod, observe(undefined), MOMENT);
  assert.equal(status.phase, "Pending");
  assert.deepEqual(status.containerStatuses?.[0]?.state, {
    waiting: { reason: "ContainerCreating" },
  });
});

test("the kernel's kill for memory is named", () => {
  const killed = { ...running, state: "exited", exitCode: 137, oomKilled: true } as const;
  const once = { ...pod, spec: { ...pod.spec, restartPolicy: "Never" } } as Pod;
  const status = podStatus(once, observe(killed), MOMENT);
  assert.equal(status.containerStatuses?.[0]?.state?.terminated?.reason, "OOMKilled");
  assert.equal(status.phase, "Failed");
});

test("a deleted pod ends by its containers' exit codes", () => {
  const metadata = { ...pod.metadata, deletionTimestamp: "2025-01-01T12:00:30Z" };
  const ended = (exitCode: number) =>
    podStatus({ ...pod, metadata }, observe({ ...running, state: "exited", exitCode }), MOMENT);
  assert.equal(ended(0).phase, "Succeeded");
  assert.equal(ended(143).phase, "Failed");
});

test("a pod that never got a container fails when it is deleted", () => {
  const metadata = { ...pod.metadata, deletionTimestamp: "2025-01-01T12:00:30Z" };
  assert.equal(podStatus({ ...pod, metadata }, observe(undefined), MOMENT).phase, "Failed");
});

test("what a condition loses is taken away by name", () => {
  const condition = { type: "Ready", status: "False", lastTransitionTime: "then" };
  const stored = { conditions: [{ ...condition, reason: "X", message: "y" }] };
  assert.deepEqual(statusDifference(stored, { conditions: [{ ...condition, status: "True" }] }), {
    conditions: [{ ...condition, status: "True", reason: null, message: null }],
  });
});

test("only what changed is written, and foreign conditions are left alone", () => {
  const status = podStatus(pod, observe(running), MOMENT);
  assert.equal(statusDifference(status, status), undefined);
  const stored = { ...status, message: "old", conditions: [...(status.conditions ?? [])] };
  stored.conditions.push({ type: "example.com/gate", status: "True" });
  const moved = { ...status, podIPs: [{ ip: "10.1.0.4" }] };
  assert.deepEqual(statusDifference({ ...status, podIPs: [{ ip: "10.1.0.3" }] }, moved), {
    podIPs: [{ ip: "10.1.0.4" }, { $patch: "delete", ip: "10.1.0.3" }],
  });
  assert.deepEqual(statusDifference(stored, { ...status, podIP: "10.1.0.3" }), {
    podIP: "10.1.0.3",
    message: null,
  });
});

test("a status is uneventful as long as every container is on its way", () => {
  const waiting = (reason: string) => ({
    name: reason,
    ready: false,
    restartCount: 0,
    image: "",
    imageID: "",
    state: { waiting: { reason } },
  });
  const told = (...reasons: string[]) => ({ containerStatuses: reasons.map(waiting) });
  assert.ok(isUneventful(told("ContainerCreating", "PodInitializing")));
  assert.ok(!isUneventful(told("ContainerCreating", "ErrImagePull")));
  assert.ok(!isUneventful(podStatus(pod, observe(running), MOMENT)));
});

test("a pod has no address and starts no containers as long as its volumes are not there", () => {
  const waiting = { ...observe(undefined), volumes: { ready: false } };
  const told = podStatus(pod, waiting, MOMENT);
  assert.deepEqual({ ip: told.podIP, ips: told.podIPs }, { ip: undefined, ips: undefined });
  assert.equal(brief(told.conditions)[0], "PodReadyToStartContainers False ");
  const come = podStatus(pod, { ...waiting, volumes: { ready: true } }, MOMENT);
  assert.equal(come.podIP, "10.1.0.2");
  assert.equal(brief(come.conditions)[0], "PodReadyToStartContainers True ");
  // Another agent has yet to find them for a pod that runs, or an ephemeral container needs one.
  const adopted = podStatus(pod, { ...observe(running), volumes: { ready: false } }, MOMENT);
  assert.equal(adopted.podIP, "10.1.0.2");
  assert.equal(brief(adopted.conditions)[0], "PodReadyToStartContainers True ");
});
