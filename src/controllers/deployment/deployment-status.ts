import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from "../../api/generated/types/apps-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { findCondition, withoutCondition } from "../conditions.ts";
import { rolloutLimits, totalAvailable, totalReplicas, wantedReplicas } from "./rollout-limits.ts";

/** Upstream's way to say "no deadline". */
const NO_DEADLINE_SECONDS = 2_147_483_647;

type Conditions = DeploymentCondition[];

/** The sets a status is computed from, and what this pass already has to say about progress. */
export interface StatusInput {
  current: ReplicaSet | undefined;
  old: readonly ReplicaSet[];
  /** A `Progressing` condition that this pass set, such as NewReplicaSetCreated. */
  progress?: { status: string; reason: string; message: string } | undefined;
  collisionCount?: number | undefined;
  /** False while paused or being resized: progress is not judged then. */
  judgeProgress: boolean;
  nowMs: number;
}

/** True when every wanted pod is new, available, and no old one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

function deadlineSeconds(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === NO_DEADLINE_SECONDS ? undefined : seconds;
}

/** Puts a condition in; an unchanged status and reason leaves the list, and its times, alone. */
export function setCondition(
  conditions: Conditions,
  wanted: { type: string; status: string; reason: string; message: string },
  nowMs: number,
): Conditions {
  const old = findCondition(conditions, wanted.type);
  if (old?.status === wanted.status && old.reason === wanted.reason) return conditions;
  const now = formatTime(nowMs);
  const since = old?.status === wanted.status ? old.lastTransitionTime : undefined;
  const next = { ...wanted, lastUpdateTime: now, lastTransitionTime: since ?? now };
  return [...withoutCondition(conditions, wanted.type), next];
}

/** The counts of a status; members that are zero are absent, as upstream omits them. */
function countsOf(deployment: Deployment, at: StatusInput): DeploymentStatus {
  const all = at.current ? [...at.old, at.current] : at.old;
  const sum = (read: (set: ReplicaSet) => number | undefined) =>
    all.reduce((total, set) => total + (read(set) ?? 0), 0);
  const counts = {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum((set) => set.status?.replicas),
    updatedReplicas: at.current?.status?.replicas ?? 0,
    readyReplicas: sum((set) => set.status?.readyReplicas),
    availableReplicas: totalAvailable(all),
    unavailableReplicas: Math.max(0, totalReplicas(all) - totalAvailable(all)),
    collisionCount: at.collisionCount ?? deployment.status?.collisionCount ?? 0,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** The status that the sets amount to. */
export function deploymentStatus(deployment: Deployment, at: StatusInput): DeploymentStatus {
  const status = countsOf(deployment, at);
  let conditions: Conditions = deployment.status?.conditions ?? [];
  const enough = wantedReplicas(deployment) - rolloutLimits(deployment).unavailable;
  const available = (status.availableReplicas ?? 0) >= enough;
  conditions = setCondition(
    conditions,
    {
      type: "Available",
      status: available ? "True" : "False",
      reason: available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      message: available
        ? "Deployment has minimum availability."
        : "Deployment does not have minimum availability.",
    },
    at.nowMs,
  );
  if (deadlineSeconds(deployment) === undefined) {
    conditions = withoutCondition(conditions, "Progressing");
  } else {
    if (at.progress) {
      conditions = setCondition(conditions, { type: "Progressing", ...at.progress }, at.nowMs);
    }
    if (at.judgeProgress) conditions = judgeProgress(deployment, { ...at, status, conditions });
  }
  const failure = [...at.old, ...(at.current ? [at.current] : [])]
    .map((set) => findCondition(set.status?.conditions, "ReplicaFailure"))
    .find((condition) => condition !== undefined);
  if (failure) {
    const { reason = "", message = "" } = failure;
    const wanted = { type: "ReplicaFailure", status: failure.status, reason, message };
    conditions = setCondition(conditions, wanted, at.nowMs);
  } else {
    conditions = withoutCondition(conditions, "ReplicaFailure");
  }
  return { ...status, conditions };
}

/** The status with a rollout that cannot go on; without a deadline nobody judges progress. */
export function stuckStatus(
  deployment: Deployment,
  at: { reason: string; message: string; nowMs: number },
): DeploymentStatus {
  const { reason, message, nowMs } = at;
  const { status = {} } = deployment;
  if (deadlineSeconds(deployment) === undefined) return status;
  const wanted = { type: "Progressing", status: "False", reason, message };
  return { ...status, conditions: setCondition(status.conditions ?? [], wanted, nowMs) };
}

function judgeProgress(
  deployment: Deployment,
  at: StatusInput & { status: DeploymentStatus; conditions: Conditions },
): Conditions {
  const { status, conditions, nowMs } = at;
  const old = deployment.status ?? {};
  const before = findCondition(conditions, "Progressing");
  const settled =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) &&
    before?.reason === "NewReplicaSetAvailable";
  if (settled) return conditions;
  const subject = at.current
    ? `ReplicaSet "${at.current.metadata?.name}"`
    : `Deployment "${deployment.metadata?.name}"`;
  const progressing = (status: string, reason: string, message: string) => ({
    type: "Progressing",
    status,
    reason,
    message: `${subject} ${message}`,
  });
  if (isComplete(deployment, status)) {
    const wanted = progressing("True", "NewReplicaSetAvailable", "has successfully progressed.");
    return setCondition(conditions, wanted, nowMs);
  }
  const oldPods = (one: DeploymentStatus) => (one.replicas ?? 0) - (one.updatedReplicas ?? 0);
  const moved =
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldPods(status) < oldPods(old) ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0);
  if (moved) {
    const wanted = progressing("True", "ReplicaSetUpdated", "is progressing.");
    const rest = withoutCondition(conditions, "Progressing");
    const since = before?.status === "True" ? before.lastTransitionTime : undefined;
    const now = formatTime(nowMs);
    return [...rest, { ...wanted, lastUpdateTime: now, lastTransitionTime: since ?? now }];
  }
  const deadlineMs = progressDeadlineMs(deployment, conditions);
  if (deadlineMs === undefined || deadlineMs > nowMs) return conditions;
  const wanted = progressing("False", "ProgressDeadlineExceeded", "has timed out progressing.");
  return setCondition(conditions, wanted, nowMs);
}

/** When a rollout that shows no progress counts as stuck; undefined when nothing is due. */
export function progressDeadlineMs(
  deployment: Deployment,
  conditions: readonly DeploymentCondition[] | undefined,
): number | undefined {
  const seconds = deadlineSeconds(deployment);
  const progress = findCondition(conditions, "Progressing");
  if (seconds === undefined || !progress?.lastUpdateTime) return undefined;
  const over = ["NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"];
  if (over.includes(progress.reason ?? "")) return undefined;
  return Date.parse(progress.lastUpdateTime) + seconds * 1000;
}
