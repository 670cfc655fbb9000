import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import type { LocalImage } from "../image/contract.ts";
import type { ContainerStatus } from "../runtime/contract.ts";
import type { ContainerObservation, PodObservation } from "./observation.ts";
import { planPod } from "./pod-plan.ts";
import { podStatus } from "./pod-status.ts";
import { stepKey } from "./step.ts";

const NOW = Date.UTC(2025, 0, 1, 12);
const IMAGE: LocalImage = {
  id: "sha256:abc",
  references: ["docker.io/library/app:1"],
  sizeBytes: 1,
  config: {},
  layerPaths: [],
};

function podOf(spec: Partial<PodSpec> = {}, more: Partial<Pod> = {}): Pod {
  return {
    metadata: { name: "web", namespace: "default", uid: "u1", ...more.metadata },
    spec: { containers: [app("app")], restartPolicy: "Always", ...spec },
    status: more.status ?? {},
  };
}

function app(name: string, more: Partial<Container> = {}): Container {
  return { name, image: "app:1", ...more };
}

function attempt(name: string, more: Partial<ContainerStatus>): ContainerObservation {
  const status: ContainerStatus = {
    id: `${name}-${more.attempt ?? 0}`,
    sandboxId: "u1",
    name,
    attempt: 0,
    state: "running",
    imageReference: "app:1",
    imageId: "sha256:abc",
    logPath: "/dev/null",
    createdAtMs: NOW - 60_000,
    startedAtMs: NOW - 60_000,
    ...more,
  };
  const up = status.state === "running";
  return {
    current: { status },
    stale: [],
    image: IMAGE,
    health: { started: up, ready: up },
    hookPending: false,
  };
}

const exited = (name: string, exitCode: number, more: Partial<ContainerStatus> = {}) =>
  attempt(name, { state: "exited", exitCode, finishedAtMs: NOW - 1_000, ...more });

const found: ContainerObservation = {
  stale: [],
  image: IMAGE,
  health: { started: false, ready: false },
  hookPending: false,
};

function seen(
  containers: Readonly<Record<string, ContainerObservation>>,
  more: Partial<PodObservation> = {},
): PodObservation {
  return {
    acceptedAtMs: NOW - 60_000,
    sandbox: { ready: true },
    volumes: { ready: true },
    containers: new Map(Object.entries(containers)),
    busy: new Set(),
    podIp: "10.1.0.2",
    gone: false,
    released: false,
    deletionConfirmed: false,
    ...more,
  };
}

function stepsOf(pod: Pod, observed: PodObservation): string[] {
  return planPod(pod, observed, NOW).steps.map(stepKey);
}

const deleted = (seconds: number) => ({
  metadata: { deletionTimestamp: "2025-01-01T12:00:30Z", deletionGracePeriodSeconds: seconds },
});

test("a new pod prepares volumes, sandbox and image at once", () => {
  const fresh = seen({}, { sandbox: { ready: false }, volumes: { ready: false } });
  assert.deepEqual(stepsOf(podOf(), fresh), [
    "prepare-volumes",
    "create-sandbox",
    "ensure-image/app",
  ]);
  assert.deepEqual(stepsOf(podOf(), { ...fresh, busy: new Set(["create-sandbox"]) }), [
    "prepare-volumes",
    "ensure-image/app",
  ]);
});

test("a prepared pod starts all its containers", () => {
  const pod = podOf({ containers: [app("app"), app("log")] });
  assert.deepEqual(planPod(pod, seen({ app: found, log: found }), NOW).steps, [
    { do: "start-container", container: "app", attempt: 0 },
    { do: "start-container", container: "log", attempt: 0 },
  ]);
});

test("nothing is left to do for a pod that runs", () => {
  assert.deepEqual(planPod(podOf(), seen({ app: attempt("app", {}) }), NOW), { steps: [] });
});

test("init containers run one after another, before all others", () => {
  const pod = podOf({ initContainers: [app("one"), app("two")] });
  const all = { one: found, two: found, app: found };
  assert.deepEqual(stepsOf(pod, seen(all)), ["start-container/one"]);
  assert.deepEqual(stepsOf(pod, seen({ ...all, one: attempt("one", {}) })), []);
  assert.deepEqual(stepsOf(pod, seen({ ...all, one: exited("one", 0) })), ["start-container/two"]);
  const done = { one: exited("one", 0), two: exited("two", 0), app: found };
  assert.deepEqual(stepsOf(pod, seen(done)), ["start-container/app"]);
});

test("a failed init container restarts, or fails the pod that never restarts", () => {
  const failed = seen({ one: exited("one", 1), app: found });
  const again = podOf({ initContainers: [app("one")] });
  assert.deepEqual(stepsOf(again, failed), ["start-container/one"]);
  const never = podOf({ initContainers: [app("one")], restartPolicy: "Never" });
  assert.deepEqual(stepsOf(never, failed), ["release"]);
  assert.equal(podStatus(never, failed, { nowMs: NOW, hostIp: "192.0.2.1" }).phase, "Failed");
});

test("a sidecar starts in its turn, stays, and lets the others go on once it started", () => {
  const pod = podOf({ initContainers: [app("proxy", { restartPolicy: "Always" }), app("one")] });
  const all = { proxy: found, one: found, app: found };
  assert.deepEqual(stepsOf(pod, seen(all)), ["start-container/proxy"]);
  const starting = { ...attempt("proxy", {}), health: { started: false, ready: false } };
  assert.deepEqual(stepsOf(pod, seen({ ...all, proxy: starting })), []);
  const started = { ...all, proxy: attempt("proxy", {}) };
  assert.deepEqual(stepsOf(pod, seen(started)), ["start-container/one"]);
  const running = { proxy: exited("proxy", 0), one: exited("one", 0), app: attempt("app", {}) };
  assert.deepEqual(stepsOf(pod, seen(running)), ["start-container/proxy"]);
});

const restarts: [PodSpec["restartPolicy"], number, string[]][] = [
  ["Always", 0, ["start-container/app"]],
  ["Always", 1, ["start-container/app"]],
  ["OnFailure", 0, ["release"]],
  ["OnFailure", 1, ["start-container/app"]],
  ["Never", 0, ["release"]],
  ["Never", 1, ["release"]],
];
for (const [policy, exitCode, steps] of restarts) {
  test(`restart policy ${policy} after exit ${exitCode}: ${steps.join()}`, () => {
    const pod = podOf(policy ? { restartPolicy: policy } : {});
    assert.deepEqual(stepsOf(pod, seen({ app: exited("app", exitCode) })), steps);
  });
}

test("a crashing container waits as long as its back-off says, counted from its end", () => {
  const app = exited("app", 1, { attempt: 1 });
  const observed = seen({ app: { ...app, crash: { delayMs: 10_000, sinceMs: NOW - 5_000 } } });
  assert.deepEqual(planPod(podOf(), observed, NOW), { steps: [], wakeAtMs: NOW + 9_000 });
  const { steps } = planPod(podOf(), observed, NOW + 9_000);
  assert.deepEqual(steps, [{ do: "start-container", container: "app", attempt: 2 }]);
  const status = podStatus(podOf(), observed, { nowMs: NOW, hostIp: "192.0.2.1" });
  const [container] = status.containerStatuses ?? [];
  assert.equal(container?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.match(container?.state?.waiting?.message ?? "", /^back-off 10s restarting failed/);
  assert.equal(container?.lastState?.terminated?.reason, "Error");
  assert.equal(container?.restartCount, 1);
  assert.equal(status.phase, "Running");
});

test("a missing image is asked for again after its back-off", () => {
  const imageFailure = {
    reason: "ErrImagePull",
    message: "no such image",
    attempts: 1,
    sinceMs: NOW - 5_000,
    retryAtMs: NOW + 10_000,
  };
  const observed = seen({ app: { ...found, image: undefined, imageFailure } });
  assert.deepEqual(planPod(podOf(), observed, NOW), { steps: [], wakeAtMs: NOW + 10_000 });
  const { steps } = planPod(podOf(), observed, NOW + 10_000);
  assert.deepEqual(steps.map(stepKey), ["ensure-image/app"]);
});

test("volumes that are not there yet hold back the start, not the sandbox", () => {
  const failure = {
    reason: "FailedMount",
    message: "",
    attempts: 2,
    sinceMs: NOW,
    retryAtMs: NOW + 500,
  };
  const observed = seen({ app: found }, { volumes: { ready: false, failure } });
  assert.deepEqual(planPod(podOf(), observed, NOW), { steps: [], wakeAtMs: NOW + 500 });
});

test("a failed probe stops the container with the probe's grace", () => {
  const failed = { reason: "Unhealthy", message: "failed liveness probe", graceMs: 1_000 };
  const app = { ...attempt("app", {}), health: { started: true, ready: true, failed } };
  assert.deepEqual(planPod(podOf(), seen({ app }), NOW).steps, [
    {
      do: "stop-container",
      container: "app",
      graceMs: 1_000,
      message: "Container app failed liveness probe, will be restarted",
    },
  ]);
});

test("a new image replaces the running container", () => {
  const pod = podOf({ containers: [app("app", { image: "app:2" })] });
  assert.deepEqual(stepsOf(pod, seen({ app: attempt("app", {}) })), ["stop-container/app"]);
});

test("deletion stops containers, then gives everything back, then deletes the object", () => {
  const pod = podOf({}, deleted(30));
  const ending = { sinceMs: NOW - 10_000, graceMs: 30_000, round: 0 };
  const alive = seen({ app: attempt("app", {}) }, { ending });
  const { steps } = planPod(pod, alive, NOW);
  assert.deepEqual(steps, [
    {
      do: "stop-container",
      container: "app",
      graceMs: 20_000,
      message: "Stopping container app",
    },
  ]);
  const ended = seen({ app: exited("app", 143) });
  assert.deepEqual(stepsOf(pod, ended), ["release"]);
  assert.deepEqual(stepsOf(pod, { ...ended, busy: new Set(["release"]) }), []);
  assert.deepEqual(stepsOf(pod, { ...ended, released: true }), ["delete-object"]);
  assert.deepEqual(stepsOf(pod, { ...ended, released: true, deletionConfirmed: true }), []);
});

test("a container that is being started is waited for, then stopped", () => {
  const pod = podOf({}, deleted(30));
  const starting = seen({ app: found }, { busy: new Set(["start-container/app"]) });
  assert.deepEqual(stepsOf(pod, starting), []);
});

test("a deletion with less grace overtakes a patient one", () => {
  const busy = new Set(["stop-container/app"]);
  const ending = { sinceMs: NOW, graceMs: 5_000, round: 1 };
  const observed = seen({ app: attempt("app", {}) }, { busy, ending });
  const message = "Stopping container app";
  assert.deepEqual(planPod(podOf({}, deleted(5)), observed, NOW).steps, [
    { do: "stop-container", container: "app", graceMs: 5_000, message, round: 1 },
  ]);
});

test("a deadline ends the pod as failed", () => {
  const pod = podOf({ activeDeadlineSeconds: 60 });
  const observed = seen({ app: attempt("app", {}) });
  assert.equal(planPod(pod, observed, NOW - 1).wakeAtMs, NOW);
  assert.deepEqual(stepsOf(pod, observed), ["stop-container/app"]);
  const ended = seen({ app: exited("app", 137) });
  const status = podStatus(pod, ended, { nowMs: NOW, hostIp: "192.0.2.1" });
  assert.equal(status.phase, "Failed");
  assert.equal(status.reason, "DeadlineExceeded");
});

test("a disruption is told once the last container has ended", () => {
  const doom = { reason: "Evicted", message: "full", disruption: "full" };
  const types = (one: ContainerObservation) =>
    podStatus(podOf(), seen({ app: one }, { doom }), { nowMs: NOW, hostIp: "192.0.2.1" })
      .conditions?.map(({ type }) => type)
      .includes("DisruptionTarget");
  assert.equal(types(attempt("app", {})), false);
  assert.equal(types(exited("app", 137)), true);
});

test("a pod that the node fails tells so once its last container has ended", () => {
  const pod = podOf({ activeDeadlineSeconds: 60, initContainers: [app("init")] });
  const told = (containers: Record<string, ContainerObservation>) => {
    const { phase, reason, message } = podStatus(pod, seen(containers), {
      nowMs: NOW,
      hostIp: "192.0.2.1",
    });
    return [phase, reason, message !== undefined];
  };
  assert.deepEqual(told({ init: attempt("init", {}), app: found }), ["Pending", undefined, false]);
  const initialized = { init: exited("init", 0), app: attempt("app", {}) };
  assert.deepEqual(told(initialized), ["Running", undefined, false]);
  const ended = { init: exited("init", 0), app: exited("app", 137) };
  assert.deepEqual(told(ended), ["Failed", "DeadlineExceeded", true]);
});

test("what the API calls finished is never started again", () => {
  const pod = podOf({}, { status: { phase: "Succeeded" } });
  assert.deepEqual(stepsOf(pod, seen({ app: found }, { released: true })), []);
});

test("after a reboot the restart count goes on from what the API remembers", () => {
  const containerStatuses = [
    {
      name: "app",
      ready: true,
      restartCount: 4,
      image: "app:1",
      imageID: "",
      containerID: "nephos://x",
      state: { running: {} },
    },
  ];
  const pod = podOf({}, { status: { phase: "Running", containerStatuses } });
  const { steps } = planPod(pod, seen({ app: found }), NOW);
  assert.deepEqual(steps, [{ do: "start-container", container: "app", attempt: 5 }]);
});

test("a container with a postStart hook holds back the ones after it", () => {
  const pod = podOf({ containers: [app("app"), app("log")] });
  const hooked = { ...attempt("app", {}), hookPending: true };
  assert.deepEqual(stepsOf(pod, seen({ app: hooked, log: found })), []);
});
