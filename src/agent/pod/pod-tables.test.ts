import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import type { ContainerObservation, PodObservation } from "./observation.ts";
import { planPod } from "./pod-plan.ts";
import { podStatus } from "./pod-status.ts";
import { statusDifference } from "./status-writer.ts";
import { stepKey } from "./step.ts";

/** The facts of a kubelet's tables about what comes next for a pod, in our words. */

const NOW = Date.UTC(2025, 0, 1, 12);
const SINCE = NOW - 60_000;

/**
 * A container in a few letters: "run" (through its startup), "late" (not yet), "hook" (its postStart
 * hook runs), "0", "1", ... (ended with that code), "new" (image there, never run).
 */
type Seen = string;

function observe(name: string, seen: Seen): ContainerObservation {
  const image = { id: "i", references: [], sizeBytes: 1, config: {}, layerPaths: [] };
  const base = { stale: [], image, health: { started: false, ready: false }, hookPending: false };
  if (seen === "new") return base;
  const isUp = /run|late|hook/.test(seen);
  const status = {
    id: `${name}-0`,
    sandboxId: "u",
    name,
    attempt: 0,
    state: isUp ? ("running" as const) : ("exited" as const),
    imageReference: "a:1",
    imageId: "i",
    logPath: "",
    createdAtMs: SINCE,
    startedAtMs: SINCE,
    ...(isUp ? {} : { exitCode: Number(seen), finishedAtMs: NOW - 1 }),
  };
  const started = seen === "run";
  const health = { started: started || seen === "hook", ready: started };
  return { ...base, current: { status }, health, hookPending: seen === "hook" };
}

const of = (name: string, more: Partial<Container> = {}): Container => {
  return { name, image: "a:1", ...more };
};

/**
 * A pod of main containers "a" and "b", after init containers "i..." and sidecars "s...", with
 * ephemeral containers "e...", as they are named in `seen`.
 */
function podOf(
  seen: Readonly<Record<string, Seen>>,
  spec: Partial<PodSpec> = {},
): { pod: Pod; observed: PodObservation } {
  const names = Object.keys(seen);
  const initContainers = names
    .filter((name) => /^[is]/.test(name))
    .map((name) => of(name, name.startsWith("s") ? { restartPolicy: "Always" } : {}));
  const pod: Pod = {
    metadata: { name: "p", namespace: "n", uid: "u" },
    spec: {
      restartPolicy: "Always",
      initContainers,
      containers: names.filter((name) => /^[ab]/.test(name)).map((name) => of(name)),
      ephemeralContainers: names.filter((name) => name.startsWith("e")).map((name) => of(name)),
      ...spec,
    },
  };
  const observed: PodObservation = {
    acceptedAtMs: SINCE,
    sandbox: { ready: true },
    volumes: { ready: true },
    containers: new Map(names.map((name) => [name, observe(name, seen[name] ?? "")])),
    busy: new Set(),
    gone: false,
    released: false,
    deletionConfirmed: false,
  };
  return { pod, observed };
}

const stepsOf = ({ pod, observed }: ReturnType<typeof podOf>) =>
  planPod(pod, observed, NOW)
    .steps.map(stepKey)
    .map((key) => key.replace("start-container/", "+").replace("stop-container/", "-"))
    .join(" ");

type Row = [name: string, seen: Record<string, Seen>, policy: string, wanted: string];

const TURNS: readonly Row[] = [
  ["all containers run", { a: "run", b: "run" }, "Always", ""],
  ["nothing ran yet", { a: "new", b: "new" }, "Never", "+a +b"],
  ["all ended, to run always", { a: "0", b: "1" }, "Always", "+a +b"],
  ["one failed, to run on failure", { a: "0", b: "1" }, "OnFailure", "+b"],
  ["all succeeded, to run on failure", { a: "0", b: "0" }, "OnFailure", "release"],
  ["all ended, never to run again", { a: "0", b: "1" }, "Never", "release"],
  ["one of two ended, never to run again", { a: "run", b: "1" }, "Never", ""],
  ["init containers that wait", { i1: "new", i2: "new", a: "new" }, "Always", "+i1"],
  ["the first init container runs", { i1: "late", i2: "new", a: "new" }, "Always", ""],
  ["the first init container is done", { i1: "0", i2: "new", a: "new" }, "Always", "+i2"],
  ["all init containers are done", { i1: "0", i2: "0", a: "new" }, "Always", "+a"],
  ["only the last init container left a trace", { i1: "new", i2: "0", a: "new" }, "Always", "+a"],
  ["only a running one left a trace", { i1: "new", i2: "late", a: "new" }, "Always", ""],
  ["an init container failed", { i1: "0", i2: "1", a: "new" }, "OnFailure", "+i2"],
  ["an init container failed for good", { i1: "1", i2: "new", a: "new" }, "Never", "release"],
  ["a pod runs whose init containers left no trace", { i1: "new", a: "run" }, "Always", ""],
  ["a debugger comes while init containers run", { i1: "late", a: "new", e: "new" }, "Never", "+e"],
  ["a debugger comes while a hook runs", { a: "hook", b: "new", e: "new" }, "Always", "+e"],
  ["a debugger that ended stays ended", { a: "run", e: "1" }, "Always", ""],
  ["sidecars start one after another", { s1: "late", s2: "new", a: "new" }, "Always", ""],
  ["a sidecar has started", { s1: "run", s2: "new", a: "new" }, "Always", "+s2"],
  ["a sidecar before an init container", { s1: "run", i2: "new", a: "new" }, "Always", "+i2"],
  ["all sidecars have started", { s1: "run", s2: "run", a: "new" }, "Always", "+a"],
  ["a sidecar ended while the pod runs", { s1: "0", s2: "run", a: "run" }, "Never", "+s1"],
  ["a sidecar ended before the pod ran", { s1: "1", s2: "new", a: "new" }, "Never", "+s1"],
  [
    "a sidecar ended while those after it got done",
    { s1: "1", i2: "0", a: "new" },
    "Always",
    "+s1 +a",
  ],
  [
    "a sidecar ended, the one after it started",
    { s1: "1", s2: "run", a: "new" },
    "Always",
    "+s1 +a",
  ],
  ["a sidecar ended, the one after it starts", { s1: "1", s2: "late", a: "new" }, "Always", "+s1"],
  ["a sidecar and an init container ended", { s1: "1", i2: "1", a: "new" }, "OnFailure", "+s1 +i2"],
  ["the main containers are done, sidecars not", { s1: "run", a: "0" }, "Never", "-s1"],
  ["the init container failed beside a sidecar", { s1: "run", i2: "1", a: "new" }, "Never", "-s1"],
];

for (const [name, seen, restartPolicy, wanted] of TURNS) {
  test(`what comes next (${restartPolicy}): ${name}`, () => {
    assert.equal(stepsOf(podOf(seen, { restartPolicy } as Partial<PodSpec>)), wanted);
  });
}

test("containers wait for the postStart hook of one before them, unless that cannot start", () => {
  const lifecycle = { postStart: { exec: { command: ["wait"] } } };
  const containers = [of("a", { lifecycle }), of("b")];
  const next = (a: Seen) => stepsOf(podOf({ a, b: "new" }, { containers }));
  assert.equal(next("new"), "+a");
  assert.equal(next("hook"), "");
  assert.equal(next("run"), "+b");
  assert.equal(next("1"), "+a +b");
  const failure = { attempts: 1, sinceMs: NOW, retryAtMs: NOW + 10_000, message: "" };
  for (const kind of ["failure", "imageFailure"] as const) {
    const one = podOf({ a: "new", b: "new" }, { containers });
    const seen = one.observed.containers.get("a");
    if (seen) seen[kind] = { ...failure, reason: "ErrImagePull" };
    if (kind === "imageFailure") delete seen?.image;
    assert.equal(stepsOf(one), "+b", kind);
  }
  const rebooted = podOf({ a: "137", b: "137" }, { containers });
  for (const seen of rebooted.observed.containers.values()) seen.isOfLostSandbox = true;
  assert.equal(stepsOf(rebooted), "+a");
});

test("init containers run again in a new sandbox, and main containers wait for them", () => {
  const rebooted = podOf({ i1: "0", s2: "137", a: "137" });
  for (const seen of rebooted.observed.containers.values()) seen.isOfLostSandbox = true;
  assert.equal(stepsOf(rebooted), "+i1");
  const mains = new Map(rebooted.observed.containers);
  const next = { ...rebooted, observed: { ...rebooted.observed, containers: mains } };
  mains.set("i1", observe("i1", "0"));
  assert.equal(stepsOf(next), "+s2");
  mains.set("s2", observe("s2", "run"));
  assert.equal(stepsOf(next), "+a");
});

/** Why a container is stopped: its name, what is wrong, the policy, and the event's words. */
const REASONS: readonly [string, "liveness" | "startup" | "hook" | "image", string, string][] = [
  ["a", "liveness", "Always", "Container a failed liveness probe, will be restarted"],
  ["a", "startup", "OnFailure", "Container a failed startup probe, will be restarted"],
  ["a", "liveness", "Never", "Container a failed liveness probe"],
  ["a", "image", "Never", "Container a definition changed, will be restarted"],
  ["a", "hook", "Always", "FailedPostStartHook"],
  ["s", "liveness", "Always", "Init container s failed liveness probe"],
  ["s", "startup", "Never", "Init container s failed startup probe"],
  ["s", "image", "Always", "Init container s definition changed"],
];

for (const [name, what, restartPolicy, wanted] of REASONS) {
  test(`why ${name} is stopped (${restartPolicy}): ${what}`, () => {
    const { pod, observed } = podOf({ s: "run", a: "run" }, { restartPolicy } as Partial<PodSpec>);
    const seen = observed.containers.get(name);
    assert.ok(seen?.current);
    if (what === "image") seen.current.status.imageReference = "a:0";
    else if (what === "hook") seen.health.failed = { reason: "FailedPostStartHook", message: "" };
    else seen.health.failed = { reason: "Unhealthy", message: `failed ${what} probe` };
    const { steps } = planPod(pod, observed, NOW);
    assert.deepEqual(
      steps.map((step) => ("message" in step ? step.message : step.do)),
      [wanted],
    );
  });
}

test("a container that gives way to another image runs again whatever the policy says", () => {
  for (const restartPolicy of ["Never", "OnFailure"] as const) {
    const replaced = podOf({ a: "0" }, { restartPolicy });
    assert.equal(stepsOf(replaced), "release");
    const seen = replaced.observed.containers.get("a");
    assert.ok(seen);
    Object.assign(seen, { isReplaced: true, crash: { delayMs: 300_000, sinceMs: SINCE } });
    assert.equal(stepsOf(replaced), "+a");
  }
});

test("sidecars end after all others, the last first; their preStop hooks run ahead", () => {
  const ending = { sinceMs: NOW - 4_000, graceMs: 30_000, round: 0 };
  const end = (seen: Record<string, Seen>, more: Partial<PodObservation> = {}) => {
    const { pod, observed } = podOf(seen);
    const metadata = { deletionTimestamp: "then", deletionGracePeriodSeconds: 30 };
    const deleted = { ...pod, metadata: { ...pod.metadata, ...metadata } };
    return { pod: deleted, observed: { ...observed, ending, ...more } };
  };
  const all = { s1: "run", s2: "run", a: "run", e: "run" };
  assert.equal(stepsOf(end(all)), "pre-stop/s1 pre-stop/s2 -a -e");
  assert.equal(planPod(end(all).pod, end(all).observed, NOW).wakeAtMs, NOW + 26_000);
  assert.equal(stepsOf(end({ ...all, a: "0" })), "pre-stop/s1 -s2 -e");
  const hooked = end({ ...all, a: "0", e: "0" }, { busy: new Set(["pre-stop/s2"]) });
  assert.equal(stepsOf(hooked), "pre-stop/s1");
  const last = end({ s1: "run", s2: "0", a: "0" });
  const first = last.observed.containers.get("s1");
  assert.ok(first);
  first.preStopped = true;
  const [stop] = planPod(last.pod, last.observed, NOW).steps;
  assert.ok(stop?.do === "stop-container");
  assert.deepEqual([stop.container, stop.isTold, stop.graceMs], ["s1", true, 26_000]);
  const over = end(all, { ending: { ...ending, sinceMs: NOW - 30_000 } });
  assert.equal(stepsOf(over), "-s1 -s2 -a -e");
});

const PHASES: readonly Row[] = [
  ["nothing ran yet", { a: "new", b: "new" }, "Always", "Pending"],
  ["all run", { a: "run", b: "run" }, "Always", "Running"],
  ["one is still to come", { a: "run", b: "new" }, "Always", "Pending"],
  ["one has ended", { a: "run", b: "1" }, "Never", "Running"],
  ["all ended, to run always", { a: "0", b: "0" }, "Always", "Running"],
  ["all succeeded", { a: "0", b: "0" }, "OnFailure", "Succeeded"],
  ["all succeeded for good", { a: "0", b: "0" }, "Never", "Succeeded"],
  ["all ended, one to run again", { a: "0", b: "1" }, "OnFailure", "Running"],
  ["all ended, one failed", { a: "0", b: "1" }, "Never", "Failed"],
  ["an init container runs", { i1: "late", a: "new" }, "Always", "Pending"],
  ["an init container is done", { i1: "0", a: "new" }, "Always", "Pending"],
  ["an init container failed", { i1: "1", a: "new" }, "Always", "Pending"],
  ["an init container failed for good", { i1: "1", a: "new" }, "Never", "Failed"],
  ["an init container runs again", { i1: "late", a: "137" }, "Always", "Pending"],
  ["a sidecar starts", { s1: "late", a: "new" }, "Always", "Pending"],
  ["a sidecar runs, the rest is to come", { s1: "run", a: "new" }, "Always", "Pending"],
  ["a sidecar starts again", { s1: "late", a: "run" }, "Always", "Running"],
  ["a sidecar has ended", { s1: "1", a: "run" }, "Always", "Running"],
  ["all succeeded but a sidecar", { s1: "137", a: "0" }, "Never", "Succeeded"],
  ["all succeeded, a sidecar still runs", { s1: "run", a: "0" }, "Never", "Running"],
];

for (const [name, seen, restartPolicy, wanted] of PHASES) {
  test(`phase (${restartPolicy}): ${name}`, () => {
    const { pod, observed } = podOf(seen, { restartPolicy } as Partial<PodSpec>);
    assert.equal(podStatus(pod, observed, { nowMs: NOW, hostIp: "192.0.2.1" }).phase, wanted);
  });
}

/** How a pod ends that is deleted: "137" is an end that nobody saw, "..." a container that waits. */
const ENDS: readonly (readonly [string, Record<string, Seen>, string])[] = [
  ["nothing ran", { a: "new", b: "new" }, "a:137 b:137"],
  ["one ran", { a: "0", b: "new" }, "a:0 b:137"],
  ["all ran", { a: "0", b: "2" }, "a:0 b:2"],
  ["no init container ran", { i1: "new", i2: "new", a: "new" }, "i1:137 i2:... a:..."],
  ["the first init container failed", { i1: "1", i2: "new", a: "new" }, "i1:1 i2:... a:..."],
  ["the first init container was done", { i1: "0", i2: "new", a: "new" }, "i1:0 i2:... a:..."],
  [
    "only the last init container left a trace",
    { i1: "new", i2: "0", a: "new" },
    "i1:137 i2:0 a:137",
  ],
  ["all init containers were done", { i1: "0", i2: "0", a: "new" }, "i1:0 i2:0 a:137"],
  ["the init container left no trace", { i1: "new", a: "0" }, "i1:137 a:0"],
  ["the sidecar ended first", { s1: "1", a: "new" }, "s1:1 a:..."],
];

for (const [name, seen, wanted] of ENDS) {
  test(`how containers of a deleted pod ended: ${name}`, () => {
    const { pod, observed } = podOf(seen);
    const metadata = { ...pod.metadata, deletionTimestamp: "then" };
    const told = podStatus({ ...pod, metadata }, observed, { nowMs: NOW, hostIp: "192.0.2.1" });
    const all = [...(told.initContainerStatuses ?? []), ...(told.containerStatuses ?? [])];
    const ends = all.map(({ name: of, state }) => `${of}:${state?.terminated?.exitCode ?? "..."}`);
    assert.equal(ends.join(" "), wanted);
    for (const { state, name: of } of all) {
      const isUnknown = state?.terminated?.reason === "ContainerStatusUnknown";
      assert.equal(isUnknown, state?.terminated !== undefined && seen[of] === "new");
    }
  });
}

test("of a pod that was refused only the reason is told", () => {
  const { pod, observed } = podOf({ a: "new" });
  const doom = { reason: "OutOfcpu", message: "Pod was rejected: no CPU", isRefused: true };
  const moment = { nowMs: NOW, hostIp: "192.0.2.1" };
  const told = podStatus(pod, { ...observed, doom }, moment);
  const { reason, message } = doom;
  const startTime = "2025-01-01T11:59:00Z";
  const qosClass = "BestEffort";
  const phase = "Failed";
  assert.deepEqual(told, { phase, reason, message, startTime, qosClass, conditions: [] });
  const conditions = [
    { type: "PodScheduled", status: "True" as const },
    { type: "x.y/gate", status: "True" as const },
  ];
  const stored = { phase, reason, message, startTime, qosClass, conditions } as const;
  const difference = { conditions: [{ $patch: "delete", type: "PodScheduled" }] };
  assert.deepEqual(statusDifference(stored, told), difference);
});

test("readiness gates say what they are, and whether they are there", () => {
  const gates = { readinessGates: [{ conditionType: "x.y/one" }, { conditionType: "x.y/two" }] };
  const { pod, observed } = podOf({ a: "run" }, gates);
  const ready = (...statuses: ("True" | "False" | "Unknown")[]) => {
    const conditions = statuses.map((status, at) => ({ type: at ? "x.y/two" : "x.y/one", status }));
    const told = podStatus({ ...pod, status: { conditions } }, observed, {
      nowMs: NOW,
      hostIp: "192.0.2.1",
    });
    const { status, message } = told.conditions?.find(({ type }) => type === "Ready") ?? {};
    return [status, message];
  };
  assert.deepEqual(ready("True", "True"), ["True", undefined]);
  const absent = (name: string) =>
    `corresponding condition of pod readiness gate "x.y/${name}" does not exist.`;
  assert.deepEqual(ready(), ["False", `${absent("one")}, ${absent("two")}`]);
  const other = 'the status of pod readiness gate "x.y/one" is not "True", but Unknown';
  assert.deepEqual(ready("Unknown"), ["False", `${other}, ${absent("two")}`]);
});

test("containers are told by name, init containers as they come", () => {
  const { pod, observed } = podOf({ s2: "run", i1: "0", b: "run", a: "run", e2: "0", e1: "0" });
  const told = podStatus(pod, observed, { nowMs: NOW, hostIp: "192.0.2.1" });
  const names = (statuses: readonly { name: string }[] = []) =>
    statuses.map(({ name }) => name).join(" ");
  assert.equal(names(told.containerStatuses), "a b");
  assert.equal(names(told.initContainerStatuses), "s2 i1");
  assert.equal(names(told.ephemeralContainerStatuses), "e1 e2");
});

test("what containers say at their end is shared out among all of them", () => {
  const saying = (...names: string[]) => {
    const { pod, observed } = podOf(Object.fromEntries(names.map((name) => [name, "1"])), {
      restartPolicy: "Never",
    });
    for (const { current } of observed.containers.values()) {
      if (current) current.terminationMessage = "x".repeat(4_096);
    }
    const told = podStatus(pod, observed, { nowMs: NOW, hostIp: "192.0.2.1" });
    return told.containerStatuses?.map(({ state }) => state?.terminated?.message?.length);
  };
  assert.deepEqual(saying("a"), [4_096]);
  assert.deepEqual(saying("a1", "a2", "a3"), [4_096, 4_096, 4_096]);
  assert.deepEqual(saying("a1", "a2", "a3", "a4"), [3_072, 3_072, 3_072, 3_072]);
});
