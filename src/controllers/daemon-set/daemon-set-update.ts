import type { DaemonSet } from "../../api/generated/types/apps-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { resolveIntOrPercent } from "../int-or-percent.ts";
import { isTerminating } from "../ownership.ts";
import { availableInMs, isReady } from "../pod-state.ts";
import type { DaemonStep, NodeDaemons } from "./daemon-set-plan.ts";

/** How a rollout tells new pods from old ones, and how far it may go. */
export interface DaemonView {
  surge: number;
  maxUnavailable: number;
  /** Nodes that should have a pod. */
  total: number;
  isCurrent: (pod: Pod) => boolean;
  isAvailable: (pod: Pod) => boolean;
}

export function daemonView(
  set: DaemonSet,
  at: { hash: string; nowMs: number; total: number },
): DaemonView {
  const { hash, nowMs, total } = at;
  const { maxSurge, maxUnavailable } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const surge = resolveIntOrPercent(maxSurge, { total, round: "up" }) ?? 0;
  const allowed = resolveIntOrPercent(maxUnavailable, { total, round: "up" }) ?? 1;
  return {
    surge,
    // Neither could move at all.
    maxUnavailable: surge === 0 ? Math.max(1, allowed) : allowed,
    total,
    isCurrent: (pod) => pod.metadata?.labels?.[REVISION_HASH] === hash,
    isAvailable: (pod) => availableInMs(pod, { minReadySeconds, nowMs }) === 0,
  };
}

/**
 * Of the pods that run on one node those that are too many. With surge an old and a new one share
 * it, as long as the old one is ready and the new one not yet available.
 */
export function surplusDaemons(running: readonly Pod[], view: DaemonView): Pod[] {
  if (view.surge === 0 || running.length < 2) return running.slice(1);
  const fresh = running.find(view.isCurrent);
  const old = running.find((pod) => !view.isCurrent(pod));
  const surplus = running.filter((pod) => pod !== fresh && pod !== old);
  if (fresh && old && (!isReady(old) || view.isAvailable(fresh))) surplus.push(old);
  return surplus;
}

/** The new and the old pod of a node; undefined when it has several of one of them. */
function pairOf({ pods }: NodeDaemons, view: DaemonView): { fresh?: Pod; old?: Pod } | undefined {
  const alive = pods.filter((pod) => !isTerminating(pod));
  const [fresh, anotherFresh] = alive.filter(view.isCurrent);
  const [old, anotherOld] = alive.filter((pod) => !view.isCurrent(pod));
  if (anotherFresh || anotherOld) return undefined;
  return { ...(fresh ? { fresh } : {}), ...(old ? { old } : {}) };
}

/** The next writes of a rolling update: of nodes that have pods, and of those that should. */
export function planDaemonUpdate(daemons: readonly NodeDaemons[], view: DaemonView): DaemonStep[] {
  const concerned = daemons.filter(({ run, pods }) => run || pods.length > 0);
  return view.surge > 0 ? planSurge(concerned, view) : planReplacement(concerned, view);
}

/** Old pods that do not serve go at once; of those that do, as many as may be missed. */
function planReplacement(daemons: readonly NodeDaemons[], view: DaemonView): DaemonStep[] {
  const lame: Pod[] = [];
  const serving: Pod[] = [];
  let unavailable = 0;
  for (const one of daemons) {
    const pair = pairOf(one, view);
    if (!pair || Boolean(pair.fresh) === Boolean(pair.old)) unavailable++;
    else if (pair.fresh && !view.isAvailable(pair.fresh)) unavailable++;
    else if (pair.old) (view.isAvailable(pair.old) ? serving : lame).push(pair.old);
  }
  const going = serving.slice(0, Math.max(0, view.maxUnavailable - unavailable));
  return [...lame, ...going].map((pod) => ({ do: "delete", pod }));
}

/** New pods come first; an old one goes when the new one serves. */
function planSurge(daemons: readonly NodeDaemons[], view: DaemonView): DaemonStep[] {
  const steps: DaemonStep[] = [];
  const serving: string[] = [];
  const sunset: Pod[] = [];
  let surging = 0;
  let available = 0;
  for (const one of daemons) {
    const pair = pairOf(one, view);
    if (!pair) {
      surging++;
      continue;
    }
    const { fresh, old } = pair;
    if ([fresh, old].some((pod) => pod && view.isAvailable(pod))) available++;
    if (!old) continue;
    if (fresh) {
      if (view.isAvailable(fresh)) steps.push({ do: "delete", pod: old });
      else surging++;
    } else if (!view.isAvailable(old)) {
      steps.push(one.run ? { do: "create", node: one.name } : { do: "delete", pod: old });
    } else if (one.run) {
      serving.push(one.name);
    } else {
      sunset.push(old);
    }
  }
  for (const node of serving.slice(0, Math.max(0, view.surge - surging))) {
    steps.push({ do: "create", node });
  }
  // Where a pod may stay but would not be started, it leaves once enough others serve.
  for (const pod of sunset.slice(0, Math.max(0, available - view.total))) {
    steps.push({ do: "delete", pod });
  }
  return steps;
}
