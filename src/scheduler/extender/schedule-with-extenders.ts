import type { Node } from "../../api/generated/types/core-v1.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import {
  type Decision,
  findFeasible,
  type NoNode,
  schedule,
  type ScheduleInput,
  scoreFeasible,
} from "../schedule.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import type { Extender } from "./extender.ts";

/**
 * Decides for one pod and asks extenders between filters and scores. Others may be placed
 * meanwhile, so every node is looked at once more before it is chosen.
 * @throws ExtenderError from one that is not ignorable
 */
export async function scheduleWithExtenders(
  pod: PodRecord,
  input: ScheduleInput & { extenders: readonly Extender[] },
): Promise<Decision> {
  const { framework, extenders } = input;
  const { state, scratch } = framework;
  const plan = framework.planFor(pod.profile);
  if (plan.begin(pod)) return schedule(pod, input);
  const found = findFeasible(pod, { ...input, plan });
  if (found === 0) return schedule(pod, input);
  const slots = [...scratch.feasible.subarray(0, found)];
  let nodes = slots.flatMap((slot) => (state.nodes[slot] as NodeEntry).node ?? []);
  const failed = new Map<string, string>();
  const unresolvable = new Set<string>();
  for (const extender of extenders) {
    const verdict = await extender.filter(pod.pod, nodes);
    for (const [name, reason] of verdict.failed) failed.set(name, reason);
    for (const name of verdict.unresolvable) unresolvable.add(name);
    const left = new Set(verdict.names);
    nodes = nodes.filter(({ metadata }) => left.has(metadata?.name ?? ""));
    if (nodes.length === 0) return refused(input, { failed, unresolvable });
  }
  const bonuses = await Promise.all(extenders.map((one) => one.prioritize(pod.pod, nodes)));
  return pickAgain(pod, { ...input, nodes, bonuses });
}

function pickAgain(
  pod: PodRecord,
  input: ScheduleInput & {
    nodes: readonly Node[];
    bonuses: readonly ReadonlyMap<string, number>[];
  },
): Decision {
  const { framework } = input;
  const { state, scratch } = framework;
  const plan = framework.planFor(pod.profile);
  if (plan.begin(pod)) return schedule(pod, input);
  scratch.ensure(state.size);
  const names: string[] = [];
  for (const { metadata } of input.nodes) {
    const slot = state.slotOf(metadata?.name ?? "");
    if (slot === undefined || !plan.passes(slot)) continue;
    scratch.feasible[names.length] = slot;
    names.push(metadata?.name ?? "");
  }
  const totals = scoreFeasible(pod, { framework, plan, count: names.length });
  let best: { node: string; score: number } | undefined;
  for (const [at, node] of names.entries()) {
    const bonus = input.bonuses.reduce((sum, scores) => sum + (scores.get(node) ?? 0), 0);
    const score = (totals[at] as number) + bonus;
    if (!best || score > best.score) best = { node, score };
  }
  return best ?? refused(input, { failed: new Map(), unresolvable: new Set() });
}

/** What the plugins say of their nodes, and what the extenders say of the rest. */
function refused(
  { framework }: ScheduleInput,
  of: { failed: ReadonlyMap<string, string>; unresolvable: ReadonlySet<string> },
): NoNode {
  const { state } = framework;
  const reasons = new Map<string, number>();
  for (const reason of of.failed.values()) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return {
    node: undefined,
    nodesTotal: state.live.length,
    reasons,
    refusal: undefined,
    rejectedBy: new Set(),
    resolvable: [...of.failed.keys()]
      .filter((name) => !of.unresolvable.has(name))
      .flatMap((name) => state.slotOf(name) ?? []),
  };
}
