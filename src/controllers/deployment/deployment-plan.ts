import type {
  Deployment,
  DeploymentStatus,
  ReplicaSet,
} from "../../api/generated/types/apps-v1.ts";
import { DEPLOYMENTS } from "../../api/generated/resources.ts";
import type { PodTemplateSpec } from "../../api/generated/types/core-v1.ts";
import { findCondition } from "../conditions.ts";
import { jsonEqual } from "../json-equal.ts";
import { controllerReference, isTerminating } from "../ownership.ts";
import { templateHash } from "../template-hash.ts";
import { deploymentStatus, isComplete, progressDeadlineMs } from "./deployment-status.ts";
import { isScalingEvent, scaleSets } from "./proportional-scaling.ts";
import { newSetAnnotations, REVISION, revisionOf, sizeAnnotations } from "./revision.ts";
import {
  byAge,
  isRollingUpdate,
  isShrinking,
  nextNewReplicas,
  shrinkOldSets,
  specReplicas,
  totalReplicas,
} from "./rollout-limits.ts";

const HASH_LABEL = "pod-template-hash";

/** One write; `event` is told as ScalingReplicaSet once it is done. */
export type DeploymentStep =
  | { do: "create"; set: ReplicaSet; event?: string }
  | { do: "update"; set: ReplicaSet; event?: string }
  | { do: "delete"; set: ReplicaSet }
  | { do: "annotate"; annotations: Record<string, string> }
  | { do: "status"; status: DeploymentStatus };

/** The sets that the deployment owns, and whether pods of its old sets still run (Recreate). */
export interface ObservedSets {
  sets: readonly ReplicaSet[];
  oldPodsRun: (current: ReplicaSet | undefined) => boolean;
  nowMs: number;
}

/** The sets as this pass leaves them. */
interface Draft {
  deployment: Deployment;
  current: ReplicaSet | undefined;
  old: ReplicaSet[];
  created: boolean;
  events: Map<string, string>;
  progress: { status: string; reason: string; message: string } | undefined;
}

/** The writes that move a rollout on by one step, the status last. */
export function planDeployment(
  deployment: Deployment,
  observed: ObservedSets,
): { steps: DeploymentStep[]; requeueAfterMs?: number } {
  const current = findNewSet(deployment, observed.sets);
  const old = observed.sets.filter((set) => set !== current);
  const draft: Draft = {
    deployment,
    current,
    old,
    created: false,
    events: new Map(),
    progress: pauseProgress(deployment),
  };
  const paused = deployment.spec?.paused === true;
  const resizing = isScalingEvent(deployment, observed.sets);
  if (!isTerminating(deployment)) {
    if (paused || resizing) {
      if (draft.current) annotateCurrent(draft);
      resize(draft, scaleSets(deployment, draft));
    } else if (isRollingUpdate(deployment)) {
      ensureCurrent(draft);
      resizeCurrent(draft);
      resize(draft, shrinkOldSets(deployment, draft));
    } else {
      recreate(draft, observed);
    }
  }
  const steps = writesOf(draft, observed.sets);
  const complete = isComplete(deployment, deployment.status ?? {});
  if (!isTerminating(deployment) && (paused || complete)) {
    steps.push(...surplusHistory(deployment, draft.old));
  }
  const status = deploymentStatus(deployment, {
    ...draft,
    judgeProgress: !paused && !resizing && !isTerminating(deployment),
    nowMs: observed.nowMs,
  });
  if (!jsonEqual(status, deployment.status)) steps.push({ do: "status", status });
  const deadlineMs = paused ? undefined : progressDeadlineMs(deployment, status.conditions);
  if (deadlineMs === undefined) return { steps };
  return { steps, requeueAfterMs: Math.max(0, deadlineMs - observed.nowMs) + 1000 };
}

/** The set whose template is the deployment's, whatever hash it carries; the oldest if several. */
export function findNewSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec?.template);
  return [...sets].sort(byAge).find((set) => jsonEqual(withoutHash(set.spec?.template), wanted));
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {};
  const { labels: _labels, creationTimestamp: _created, ...metadata } = template?.metadata ?? {};
  return { spec: template?.spec, metadata: { ...metadata, labels } };
}

function recreate(draft: Draft, observed: ObservedSets): void {
  if (totalReplicas(draft.old) > 0) {
    resize(draft, new Map(draft.old.map((set) => [set, 0])));
    if (draft.current) annotateCurrent(draft);
    return;
  }
  if (observed.oldPodsRun(draft.current)) return;
  ensureCurrent(draft);
  resizeCurrent(draft);
}

function nextRevision(draft: Draft): bigint {
  const revisions = draft.old.map(revisionOf);
  return revisions.reduce((last, each) => (each > last ? each : last), 0n) + 1n;
}

/** Brings annotations of the newest set up to date; creates it when it does not exist. */
function ensureCurrent(draft: Draft): void {
  const { deployment } = draft;
  if (draft.current) {
    annotateCurrent(draft);
    const known = findCondition(deployment.status?.conditions, "Progressing");
    const message = `Found new replica set "${draft.current.metadata?.name}"`;
    if (!known) draft.progress = { status: "True", reason: "FoundNewReplicaSet", message };
    return;
  }
  const template = deployment.spec?.template;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template?.metadata?.labels, [HASH_LABEL]: hash };
  const selector = deployment.spec?.selector;
  const name = `${deployment.metadata?.name}-${hash}`;
  const replicas = nextNewReplicas(deployment, { all: draft.old, current: 0 });
  draft.current = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: deployment.metadata?.namespace ?? "",
      labels,
      annotations: {
        ...newSetAnnotations(deployment, { existing: undefined, revision: nextRevision(draft) }),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(DEPLOYMENTS, deployment)],
    },
    spec: {
      replicas,
      ...minReadyOf(deployment),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
  draft.created = true;
  const message = `Created new replica set "${name}"`;
  draft.progress = { status: "True", reason: "NewReplicaSetCreated", message };
  if (replicas > 0) draft.events.set(name, `Scaled up replica set ${name} from 0 to ${replicas}`);
}

function minReadyOf(deployment: Deployment): { minReadySeconds?: number } {
  const seconds = deployment.spec?.minReadySeconds;
  return seconds ? { minReadySeconds: seconds } : {};
}

function annotateCurrent(draft: Draft): void {
  const { current, deployment } = draft;
  if (!current) return;
  const existing = current.metadata?.annotations;
  const annotations = newSetAnnotations(deployment, { existing, revision: nextRevision(draft) });
  const { minReadySeconds: _, ...spec } = current.spec ?? {};
  draft.current = {
    ...current,
    metadata: { ...current.metadata, annotations },
    spec: { ...spec, ...minReadyOf(deployment) } as NonNullable<ReplicaSet["spec"]>,
  };
}

function resizeCurrent(draft: Draft): void {
  const { current, old, deployment } = draft;
  if (!current || draft.created || isShrinking(current)) return;
  const all = [...old, current];
  const size = nextNewReplicas(deployment, { all, current: specReplicas(current) });
  resize(draft, new Map([[current, size]]));
}

/** Gives sets their new sizes and records what the deployment wanted then. */
function resize(draft: Draft, sizes: ReadonlyMap<ReplicaSet, number>): void {
  const apply = (set: ReplicaSet): ReplicaSet => {
    const size = sizes.get(set);
    if (size === undefined) return set;
    const before = specReplicas(set);
    const recorded = { ...set.metadata?.annotations, ...sizeAnnotations(draft.deployment) };
    // An idle old set is left alone: its annotations say how large it was in its time.
    if (size === before && (size === 0 || jsonEqual(recorded, set.metadata?.annotations))) {
      return set;
    }
    const name = set.metadata?.name ?? "";
    if (size !== before) {
      const direction = size > before ? "up" : "down";
      draft.events.set(name, `Scaled ${direction} replica set ${name} from ${before} to ${size}`);
    }
    return {
      ...set,
      metadata: { ...set.metadata, annotations: recorded },
      spec: { ...set.spec, replicas: size } as NonNullable<ReplicaSet["spec"]>,
    };
  };
  if (draft.current) draft.current = apply(draft.current);
  draft.old = draft.old.map(apply);
}

function writesOf(draft: Draft, before: readonly ReplicaSet[]): DeploymentStep[] {
  const steps: DeploymentStep[] = [];
  const known = new Map(before.map((set) => [set.metadata?.name, set]));
  for (const set of [...(draft.current ? [draft.current] : []), ...draft.old]) {
    const original = known.get(set.metadata?.name);
    const event = draft.events.get(set.metadata?.name ?? "");
    const told = event ? { event } : {};
    if (draft.created && set === draft.current) steps.push({ do: "create", set, ...told });
    else if (!jsonEqual(original, set)) steps.push({ do: "update", set, ...told });
  }
  const revision = draft.current?.metadata?.annotations?.[REVISION];
  const recorded = draft.deployment.metadata?.annotations?.[REVISION];
  if (revision && revision !== recorded && !isTerminating(draft.deployment)) {
    steps.push({ do: "annotate", annotations: { [REVISION]: revision } });
  }
  return steps;
}

/** Old sets beyond the history limit that are empty and settled, lowest revision first. */
function surplusHistory(deployment: Deployment, old: readonly ReplicaSet[]): DeploymentStep[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const alive = old.filter((set) => !isTerminating(set));
  return [...alive]
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || byAge(a, b))
    .slice(0, Math.max(0, alive.length - limit))
    .filter((set) => {
      const observed = (set.status?.observedGeneration ?? 0) >= (set.metadata?.generation ?? 0);
      return specReplicas(set) === 0 && (set.status?.replicas ?? 0) === 0 && observed;
    })
    .map((set) => ({ do: "delete", set }));
}

/** While paused the Progressing condition says so, so that the deadline does not run. */
function pauseProgress(deployment: Deployment): Draft["progress"] {
  const before = findCondition(deployment.status?.conditions, "Progressing");
  if (before?.reason === "ProgressDeadlineExceeded") return undefined;
  const wasPaused = before?.reason === "DeploymentPaused";
  if (deployment.spec?.paused && !wasPaused) {
    return { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" };
  }
  if (!deployment.spec?.paused && wasPaused) {
    return { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" };
  }
  return undefined;
}

/** True when the set was created for another template that merely hashes alike. */
export function isHashCollision(deployment: Deployment, existing: ReplicaSet): boolean {
  const uid = deployment.metadata?.uid;
  const ours = existing.metadata?.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
  return !ours || findNewSet(deployment, [existing]) === undefined;
}
