import type {
  ContainerStatus,
  Pod,
  PodCondition,
  PodPhase,
  PodStatus,
} from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { containerFate } from "./container-fate.ts";
import { containerStatus } from "./container-status.ts";
import { withMissingEnds } from "./missing-ends.ts";
import { type Doom, isStarted, type PodObservation } from "./observation.ts";
import { containersOf, type PodContainer } from "./pod-containers.ts";
import { containerOutcome, doomOf, storedOutcome } from "./pod-outcome.ts";
import { qosClassOf } from "./pod-resources.ts";

/** What the agent writes; the other fields of a pod's status belong to others. */
export type AgentPodStatus = Pick<
  PodStatus,
  | "phase"
  | "conditions"
  | "reason"
  | "message"
  | "hostIP"
  | "hostIPs"
  | "podIP"
  | "podIPs"
  | "startTime"
  | "qosClass"
  | "resize"
  | "initContainerStatuses"
  | "containerStatuses"
  | "ephemeralContainerStatuses"
>;

/** Facts of the moment that the status is told for. */
export interface StatusMoment {
  nowMs: number;
  hostIp: string;
}

interface Telling {
  pod: Pod;
  observed: PodObservation;
  nowMs: number;
  phase: PodPhase;
  statuses: readonly ContainerStatus[];
  items: readonly PodContainer[];
}

/** Tells the pod's status from what is known about it. Pure; times of old conditions are kept. */
export function podStatus(
  pod: Pod,
  observed: PodObservation,
  moment: StatusMoment,
): AgentPodStatus {
  const { nowMs, hostIp } = moment;
  const items = containersOf(pod);
  const old = pod.status ?? {};
  const stored = new Map(
    [
      ...(old.initContainerStatuses ?? []),
      ...(old.containerStatuses ?? []),
      ...(old.ephemeralContainerStatuses ?? []),
    ].map((status) => [status.name, status]),
  );
  const messageMaxBytes = Math.floor(MESSAGES_MAX_BYTES / Math.max(1, items.length));
  const statuses = items.map((item) => {
    const known = stored.get(item.container.name);
    return containerStatus(item, { pod, observed, nowMs, messageMaxBytes, stored: known });
  });
  const doom = doomOf(pod, observed, nowMs);
  const phase = phaseOf({ pod, observed, doom, items, statuses });
  const toldIp = mayStart(observed) ? (observed.podIp ?? old.podIP) : old.podIP;
  const podIp = pod.spec?.hostNetwork ? hostIp : toldIp;
  if (observed.doom?.isRefused) return refusedStatus(pod, observed, observed.doom);
  const telling: Telling = { pod, observed, nowMs, phase, statuses, items };
  const last = hasEnded(phase) ? withMissingEnds(items, statuses) : statuses;
  const ofRole = (...roles: string[]) =>
    last.filter((_, at) => roles.includes(items[at]?.role ?? ""));
  const inits = ofRole("init", "sidecar");
  const ephemeral = ofRole("ephemeral");
  return {
    phase,
    conditions: conditionsOf(telling),
    ...(doom && hasEnded(phase) ? { reason: doom.reason, message: doom.message } : keptReason(old)),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIp ? { podIP: podIp, podIPs: [{ ip: podIp }] } : {}),
    startTime: formatTime(observed.acceptedAtMs),
    qosClass: qosClassOf(pod),
    ...(observed.resize ? { resize: observed.resize } : {}),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: byName(ofRole("main")),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: byName(ephemeral) } : {}),
  };
}

function hasEnded(phase: PodPhase): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

/** Of a pod that the node did not take, nothing more is told than why. */
function refusedStatus(
  pod: Pod,
  observed: PodObservation,
  { reason, message }: Doom,
): AgentPodStatus {
  const startTime = formatTime(observed.acceptedAtMs);
  return { phase: "Failed", reason, message, startTime, qosClass: qosClassOf(pod), conditions: [] };
}

/** What all containers of a pod may say together at their end. */
const MESSAGES_MAX_BYTES = 12 << 10;

/** The order in which a kubelet tells containers, but init containers. */
function byName(statuses: ContainerStatus[]): ContainerStatus[] {
  return statuses.length < 2 ? statuses : statuses.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What containers wait for that are on their way. */
const ON_THEIR_WAY: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing"]);

/** All containers are still to come, and nothing has gone wrong: who watches misses nothing. */
export function isUneventful(status: AgentPodStatus): boolean {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return all.every(({ state }) => ON_THEIR_WAY.has(state?.waiting?.reason ?? ""));
}

/** A reason that somebody else gave for a pod's failure outlives the agent's own view. */
function keptReason(old: PodStatus): { reason?: string; message?: string } {
  if (old.phase !== "Failed") return {};
  return {
    ...(old.reason ? { reason: old.reason } : {}),
    ...(old.message ? { message: old.message } : {}),
  };
}

function phaseOf(input: {
  pod: Pod;
  observed: PodObservation;
  doom: Doom | undefined;
  items: readonly PodContainer[];
  statuses: readonly ContainerStatus[];
}): PodPhase {
  const { pod, observed, doom, items, statuses } = input;
  const stored = storedOutcome(pod);
  if (stored !== "running") return stored;
  const alive = statuses.some(({ state }) => state?.running !== undefined);
  const outcome = containerOutcome(pod, observed);
  if (doom && !alive) return "Failed";
  if (doom) return isPending(items, statuses) ? "Pending" : "Running";
  if (outcome !== "running") return alive ? "Running" : outcome;
  const deleted = observed.gone || pod.metadata?.deletionTimestamp !== undefined;
  const starting = [...observed.busy].some((key) => key.startsWith("start-container"));
  if (deleted && !alive && !starting) {
    const mains = statuses.filter((_, at) => items[at]?.role === "main");
    const clean = mains.every(({ state }) => state?.terminated?.exitCode === 0);
    return clean ? "Succeeded" : "Failed";
  }
  return isPending(items, statuses) ? "Pending" : "Running";
}

/** Some container has yet to run for the first time, or an init container runs (again). */
function isPending(items: readonly PodContainer[], statuses: readonly ContainerStatus[]): boolean {
  const begun = statuses.some(
    ({ state }, at) => items[at]?.role === "main" && (state?.running || state?.terminated),
  );
  return statuses.some(({ state, lastState, started }, at) => {
    const role = items[at]?.role;
    if (role === "ephemeral") return false;
    if (role === "init" && state?.running) return true;
    if (role === "sidecar" && state?.running) return !started && !begun;
    return state?.waiting !== undefined && !lastState?.terminated;
  });
}

function isInitialized(
  pod: Pod,
  observed: PodObservation,
  items: readonly PodContainer[],
): boolean {
  const begun = items.some(
    ({ container, role }) => role === "main" && observed.containers.get(container.name)?.current,
  );
  if (begun) return true;
  return items.every((item) => {
    const seen = observed.containers.get(item.container.name);
    if (item.role === "init") return containerFate(pod, item, seen) === "succeeded";
    return item.role !== "sidecar" || isStarted(seen);
  });
}

interface Verdict {
  type: string;
  status: "True" | "False";
  reason?: string;
  message?: string;
}

function conditionsOf(telling: Telling): PodCondition[] {
  const { pod } = telling;
  const containersReady = containersVerdict(telling);
  const verdicts: Verdict[] = [
    startVerdict(telling),
    initializedVerdict(telling),
    readyVerdict(pod, containersReady),
    containersReady,
    { type: "PodScheduled", status: "True" },
    ...disruption(telling),
  ];
  return verdicts.map((verdict) => dated(verdict, telling));
}

/** A kubelet makes no sandbox before the volumes are there: who waits for it waits for both. */
function mayStart({ sandbox, volumes, containers }: PodObservation): boolean {
  if (!sandbox.ready || volumes.ready) return sandbox.ready;
  return [...containers.values()].some(({ current }) => current !== undefined);
}

/** A pod that has come to its end starts none any more: what they share is being given back. */
function startVerdict({ observed, phase }: Telling): Verdict {
  const isReady = mayStart(observed) && !hasEnded(phase);
  return { type: "PodReadyToStartContainers", status: truth(isReady) };
}

/** Says of a pod that has ended that it was not at fault itself: a Job need not count it. */
function disruption({ observed: { doom }, phase }: Telling): Verdict[] {
  const message = doom?.disruption;
  if (message === undefined || !hasEnded(phase)) return [];
  const reason = "TerminationByKubelet";
  return [{ type: "DisruptionTarget", status: "True", reason, message }];
}

function truth(value: boolean): "True" | "False" {
  return value ? "True" : "False";
}

function dated(verdict: Verdict, { pod, nowMs }: Telling): PodCondition {
  const old = pod.status?.conditions?.find(({ type }) => type === verdict.type);
  const kept = old?.status === verdict.status ? old.lastTransitionTime : undefined;
  return { ...verdict, lastTransitionTime: kept ?? formatTime(nowMs) };
}

function initializedVerdict({ pod, observed, items, phase, statuses }: Telling): Verdict {
  const type = "Initialized";
  if (phase === "Succeeded") return { type, status: "True", reason: "PodCompleted" };
  if (isInitialized(pod, observed, items)) return { type, status: "True" };
  const incomplete = statuses
    .filter(({ ready, started }, at) => {
      const role = items[at]?.role;
      return (role === "init" && !ready) || (role === "sidecar" && !started);
    })
    .map(({ name }) => name);
  const message = `containers with incomplete status: [${incomplete.join(" ")}]`;
  return { type, status: "False", reason: "ContainersNotInitialized", message };
}

function containersVerdict({ phase, statuses, items }: Telling): Verdict {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const unready = statuses
    .filter(({ ready }, at) => !ready && /main|sidecar/.test(items[at]?.role ?? ""))
    .map(({ name }) => name);
  if (unready.length === 0) return { type, status: "True" };
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { type, status: "False", reason: "ContainersNotReady", message };
}

function readyVerdict(pod: Pod, containers: Verdict): Verdict {
  if (containers.status === "False") return { ...containers, type: "Ready" };
  const told = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType: type }) => {
    const condition = pod.status?.conditions?.find((entry) => entry.type === type);
    if (!condition) {
      return [`corresponding condition of pod readiness gate "${type}" does not exist.`];
    }
    const { status } = condition;
    const what = `the status of pod readiness gate "${type}" is not "True", but ${status}`;
    return status === "True" ? [] : [what];
  });
  if (told.length === 0) return { type: "Ready", status: "True" };
  const message = told.join(", ");
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message };
}
