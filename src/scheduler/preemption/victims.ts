import type { Plan } from "../framework/plan.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { fitsSlot, type ScheduleInput } from "../schedule.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import type { DisruptionBudgets } from "./disruption-budgets.ts";

/** A node, and the pods that must leave it. */
export interface Candidate {
  node: string;
  /** The most important first. */
  victims: readonly PodRecord[];
  violations: number;
}

/** What a node without a way to make room says. */
export interface NoVictims {
  reasons: readonly string[];
}

const NO_VICTIMS: NoVictims = { reasons: ["No preemption victims found for incoming pod"] };

/**
 * The least important pods whose leaving makes room, budgets respected as far as possible. The
 * state is changed to try it out, and is as before afterwards.
 */
export function selectVictims(
  slot: number,
  of: { pod: PodRecord; plan: Plan; budgets: DisruptionBudgets; input: ScheduleInput },
): Candidate | NoVictims {
  const { pod, plan, budgets, input } = of;
  const { state } = input.framework;
  const { name, pods } = state.nodes[slot] as NodeEntry;
  const lower = [...pods].filter(({ profile }) => profile.priority < pod.profile.priority);
  if (lower.length === 0) return NO_VICTIMS;
  // Trying it out takes long, and is of no use here.
  const lasting = plan.refusal(slot)?.lasting;
  if (lasting) return { reasons: lasting };
  const fits = () => plan.begin(pod) === undefined && fitsSlot(slot, { ...input, pod, plan });
  for (const { uid } of lower) state.removePod(uid);
  if (!fits()) {
    const reasons = plan.refusal(slot)?.reasons ?? [];
    for (const one of lower) state.addPod(one, name);
    return { reasons };
  }
  lower.sort(byImportance);
  const violating = budgets.violating(lower);
  const victims: PodRecord[] = [];
  let violations = 0;
  const reprieve = (one: PodRecord) => {
    state.addPod(one, name);
    if (fits()) return;
    state.removePod(one.uid);
    victims.push(one);
    if (violating.has(one)) violations++;
  };
  for (const one of lower) if (violating.has(one)) reprieve(one);
  for (const one of lower) if (!violating.has(one)) reprieve(one);
  for (const victim of victims) state.addPod(victim, name);
  return { node: name, victims: victims.sort(byImportance), violations };
}

/** Higher priority first, then whoever runs longest. */
export function byImportance(a: PodRecord, b: PodRecord): number {
  return b.profile.priority - a.profile.priority || compareText(startOf(a), startOf(b));
}

/** When a pod started; one that has not is younger than all others. */
export function startOf({ pod }: PodRecord): string {
  return pod.status?.startTime ?? "~";
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
