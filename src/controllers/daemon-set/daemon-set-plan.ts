import type { DaemonSet, DaemonSetStatus } from "../../api/generated/types/apps-v1.ts";
import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { isTerminating } from "../ownership.ts";
import { availableInMs, isActive, isFinished, isReady } from "../pod-state.ts";
import { daemonFit, targetNode } from "./daemon-pod.ts";
import { daemonView, planDaemonUpdate, surplusDaemons } from "./daemon-set-update.ts";

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

/** A node, what the set wants of it, and the pods that it has for the set. */
export interface NodeDaemons {
  name: string;
  run: boolean;
  stay: boolean;
  /** Bound ones first, then the oldest; without those that ended and are on their way out. */
  pods: Pod[];
}

function byNode(set: DaemonSet, observed: ObservedDaemons): NodeDaemons[] {
  const pods = new Map<string, Pod[]>();
  for (const pod of observed.pods) {
    if (isFinished(pod) && isTerminating(pod)) continue;
    const name = targetNode(pod);
    pods.set(name, [...(pods.get(name) ?? []), pod]);
  }
  const entry = (name: string, fit: { run: boolean; stay: boolean }) => ({
    name,
    ...fit,
    pods: (pods.get(name) ?? []).sort(byPlace),
  });
  const known = observed.nodes.map((node) =>
    entry(node.metadata?.name ?? "", daemonFit(set, node)),
  );
  const names = new Set(known.map(({ name }) => name));
  const lost = [...pods.keys()].filter((name) => !names.has(name));
  return [...known, ...lost.map((name) => entry(name, { run: false, stay: false }))];
}

function byPlace(a: Pod, b: Pod): number {
  const created = ({ metadata }: Pod) => Date.parse(metadata?.creationTimestamp ?? "") || 0;
  return (
    Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName)) ||
    created(a) - created(b) ||
    ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1)
  );
}

/** The writes that put one pod of the current template on every node that should have one. */
export function planDaemonSet(set: DaemonSet, observed: ObservedDaemons): DaemonStep[] {
  if (isTerminating(set)) return [];
  const daemons = byNode(set, observed);
  const view = daemonView(set, { ...observed, total: daemons.filter(({ run }) => run).length });
  const steps: DaemonStep[] = [];
  for (const { name, run, stay, pods } of daemons) {
    const alive = pods.filter((pod) => !isTerminating(pod));
    if (!stay) {
      for (const pod of alive) steps.push({ do: "delete", pod });
      continue;
    }
    const waits = Boolean(observed.waitMs?.(name));
    for (const pod of alive) {
      const { phase } = pod.status ?? {};
      if (phase === "Succeeded" || (phase === "Failed" && !waits))
        steps.push({ do: "delete", pod });
    }
    for (const pod of surplusDaemons(alive.filter(isActive), view)) {
      steps.push({ do: "delete", pod });
    }
    if (run && pods.length === 0) steps.push({ do: "create", node: name });
  }
  if ((set.spec?.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate") {
    steps.push(...planDaemonUpdate(daemons, view));
  }
  const seen = new Set<unknown>();
  return steps.filter((step) => {
    const subject = step.do === "create" ? step.node : step.pod;
    return seen.has(subject) ? false : seen.add(subject);
  });
}

/** The status that nodes and pods amount to, and when it will change by time alone. */
export function daemonSetStatus(
  set: DaemonSet,
  observed: ObservedDaemons,
): { status: DaemonSetStatus; requeueAfterMs?: number } {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const count = { desired: 0, current: 0, mis: 0, ready: 0, available: 0, updated: 0 };
  const waits: number[] = [];
  const names = new Set(observed.nodes.map(({ metadata }) => metadata?.name));
  for (const { name, run, pods } of byNode(set, observed)) {
    const [pod] = pods;
    if (!names.has(name)) continue;
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
    if (pod.metadata?.labels?.[REVISION_HASH] === observed.hash) count.updated++;
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
