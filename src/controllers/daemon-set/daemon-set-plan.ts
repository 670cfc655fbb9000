import type { DaemonSet, DaemonSetStatus } from "../../api/generated/types/apps-v1.ts";
import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { resolveIntOrPercent } from "../int-or-percent.ts";
import { isTerminating } from "../ownership.ts";
import { availableInMs, isActive, isFinished, isReady } from "../pod-state.ts";
import { daemonFit, targetNode } from "./daemon-pod.ts";

export type DaemonStep = { do: "create"; node: string } | { do: "delete"; pod: Pod };

/** Nodes, the set's pods, and the hash of the template that new pods are made from. */
export interface ObservedDaemons {
  nodes: readonly Node[];
  pods: readonly Pod[];
  hash: string;
  nowMs: number;
  /** How long a pod that ended on the node still stands in for the next one; 0 by default. */
  waitMs?: (node: string) => number;
}

interface NodeDaemons {
  name: string;
  run: boolean;
  stay: boolean;
  /** Oldest first. */
  pods: Pod[];
}

function byNode(set: DaemonSet, observed: ObservedDaemons): NodeDaemons[] {
  const pods = new Map<string, Pod[]>();
  for (const pod of observed.pods) {
    const name = targetNode(pod);
    pods.set(name, [...(pods.get(name) ?? []), pod]);
  }
  const created = ({ metadata }: Pod) => Date.parse(metadata?.creationTimestamp ?? "") || 0;
  const entry = (name: string, fit: { run: boolean; stay: boolean }) => ({
    name,
    ...fit,
    pods: (pods.get(name) ?? []).sort((a, b) => created(a) - created(b)),
  });
  const known = observed.nodes.map((node) =>
    entry(node.metadata?.name ?? "", daemonFit(set, node)),
  );
  const names = new Set(known.map(({ name }) => name));
  const lost = [...pods.keys()].filter((name) => !names.has(name));
  return [...known, ...lost.map((name) => entry(name, { run: false, stay: false }))];
}

function isCurrent(pod: Pod, observed: ObservedDaemons): boolean {
  return pod.metadata?.labels?.[REVISION_HASH] === observed.hash;
}

function isAvailable(pod: Pod, at: { set: DaemonSet; nowMs: number }): boolean {
  const minReadySeconds = at.set.spec?.minReadySeconds ?? 0;
  return availableInMs(pod, { minReadySeconds, nowMs: at.nowMs }) === 0;
}

/** The writes that put one pod of the current template on every node that should have one. */
export function planDaemonSet(set: DaemonSet, observed: ObservedDaemons): DaemonStep[] {
  if (isTerminating(set)) return [];
  const daemons = byNode(set, observed);
  const steps: DaemonStep[] = [];
  for (const { name, run, stay, pods } of daemons) {
    const alive = pods.filter((pod) => !isTerminating(pod));
    if (!stay) {
      for (const pod of alive) steps.push({ do: "delete", pod });
      continue;
    }
    const failed = alive.filter(isFinished);
    if (failed.length === 0 || !observed.waitMs?.(name)) {
      for (const pod of failed) steps.push({ do: "delete", pod });
    }
    const healthy = alive.filter((pod) => !failed.includes(pod));
    const [, ...surplus] = healthy;
    // With surge an old and a new pod share the node until the new one is available. Two old
    // ones are left of a rollout that was overtaken by another.
    const current = healthy.filter((pod) => isCurrent(pod, observed)).length;
    const surging = healthy.length === 2 && current === 1 && surgeOf(set, daemons.length) > 0;
    if (!surging) for (const pod of surplus) steps.push({ do: "delete", pod });
    if (run && pods.length === 0) steps.push({ do: "create", node: name });
  }
  if ((set.spec?.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate") {
    steps.push(...planUpdate(set, { ...observed, daemons }));
  }
  const seen = new Set<unknown>();
  return steps.filter((step) => {
    const subject = step.do === "create" ? step.node : step.pod;
    return seen.has(subject) ? false : seen.add(subject);
  });
}

function surgeOf(set: DaemonSet, total: number): number {
  const { maxSurge } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  return resolveIntOrPercent(maxSurge, { total, round: "up" }) ?? 0;
}

function planUpdate(
  set: DaemonSet,
  observed: ObservedDaemons & { daemons: readonly NodeDaemons[] },
): DaemonStep[] {
  const wanted = observed.daemons.filter(({ run, stay }) => run && stay);
  const total = wanted.length;
  const surge = surgeOf(set, total);
  const { maxUnavailable } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const allowed = resolveIntOrPercent(maxUnavailable, { total, round: "up" }) ?? 1;
  const steps: DaemonStep[] = [];
  let unavailable = 0;
  let surging = 0;
  const replaceable: NodeDaemons[] = [];
  for (const one of wanted) {
    const alive = one.pods.filter(isActive);
    const available = alive.filter((pod) => isAvailable(pod, { set, nowMs: observed.nowMs }));
    const old = alive.filter((pod) => !isCurrent(pod, observed));
    if (available.length === 0) unavailable++;
    // Of several old pods the surplus goes first.
    const overtaken = old.length > 1 && old.length === alive.length;
    if (old.length === 0 || overtaken) continue;
    if (alive.length > old.length) {
      surging++;
      if (available.some((pod) => isCurrent(pod, observed)) || !available.includes(old[0] as Pod)) {
        for (const pod of old) steps.push({ do: "delete", pod });
      }
    } else if (available.length === 0) {
      // Nothing is lost by replacing a pod that does not serve.
      for (const pod of old) steps.push({ do: "delete", pod });
    } else {
      replaceable.push(one);
    }
  }
  if (surge > 0) {
    for (const { name } of replaceable.slice(0, Math.max(0, surge - surging))) {
      steps.push({ do: "create", node: name });
    }
  } else {
    for (const { pods } of replaceable.slice(0, Math.max(0, allowed - unavailable))) {
      for (const pod of pods) {
        if (!isTerminating(pod) && !isCurrent(pod, observed)) steps.push({ do: "delete", pod });
      }
    }
  }
  return steps;
}

/** The status that nodes and pods amount to, and when it will change by time alone. */
export function daemonSetStatus(
  set: DaemonSet,
  observed: ObservedDaemons,
): { status: DaemonSetStatus; requeueAfterMs?: number } {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const count = { desired: 0, current: 0, mis: 0, ready: 0, available: 0, updated: 0 };
  const waits: number[] = [];
  for (const { run, pods } of byNode(set, observed)) {
    const [pod] = pods.filter((one) => !isTerminating(one));
    if (!run) {
      if (pod) count.mis++;
      continue;
    }
    count.desired++;
    if (!pod) continue;
    count.current++;
    if (isReady(pod)) count.ready++;
    const waitMs = availableInMs(pod, { minReadySeconds, nowMs: observed.nowMs });
    if (waitMs === 0) count.available++;
    else if (waitMs !== undefined) waits.push(waitMs);
    if (pods.some((one) => !isTerminating(one) && isCurrent(one, observed))) count.updated++;
  }
  const unavailable = count.desired - count.available;
  const { conditions, collisionCount } = set.status ?? {};
  const status: DaemonSetStatus = {
    currentNumberScheduled: count.current,
    numberMisscheduled: count.mis,
    desiredNumberScheduled: count.desired,
    numberReady: count.ready,
    ...(set.metadata?.generation ? { observedGeneration: set.metadata.generation } : {}),
    ...(count.updated > 0 ? { updatedNumberScheduled: count.updated } : {}),
    ...(count.available > 0 ? { numberAvailable: count.available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(collisionCount ? { collisionCount } : {}),
    ...(conditions ? { conditions } : {}),
  };
  return waits.length > 0 ? { status, requeueAfterMs: Math.min(...waits) } : { status };
}
