import type { Random } from "../lib/random.ts";
import type { Framework } from "./framework/framework.ts";
import type { NodeRefusal, Plan } from "./framework/plan.ts";
import type { PodRecord } from "./pod/pod-profile.ts";
import type { ClusterState, NodeEntry } from "./state/cluster-state.ts";
import type { Nominations } from "./state/nominations.ts";

/** Where a pod goes, or why it can go nowhere. */
export type Decision = Chosen | NoNode;

/** A node that the pod fits. */
export interface Chosen {
  node: string;
  score: number;
}

/** No node fits. */
export interface NoNode {
  node: undefined;
  nodesTotal: number;
  /** Reason to number of nodes that gave it; empty when `refusal` holds for all. */
  reasons: ReadonlyMap<string, number>;
  /** Set when the pod is refused whatever the node. */
  refusal: NodeRefusal | undefined;
  rejectedBy: ReadonlySet<string>;
  /** Slots that might take the pod if others left them. */
  resolvable: readonly number[];
}

/** What a decision reads besides the pod. */
export interface ScheduleInput {
  framework: Framework;
  random: Random;
  /** Pods that were promised room by preemption; they count where they are expected. */
  nominations?: Nominations | undefined;
}

/** Below this many nodes every one is looked at: a part of them is not worth a worse choice. */
const FULL_SCAN_NODES = 1000;

/** How many feasible nodes are enough to choose among: upstream's share, 50 % falling to 5 %. */
export function enoughFeasible(nodesTotal: number, percentage: number): number {
  if (percentage >= 100 || (percentage <= 0 && nodesTotal < FULL_SCAN_NODES)) return nodesTotal;
  const share = percentage > 0 ? percentage : Math.max(5, 50 - Math.floor(nodesTotal / 125));
  return Math.min(nodesTotal, Math.max(100, Math.floor((nodesTotal * share) / 100)));
}

/**
 * Decides for one pod. Reads the state and changes nothing; equal state, pod and randomness give
 * an equal decision.
 */
export function schedule(pod: PodRecord, input: ScheduleInput): Decision {
  const { framework } = input;
  const plan = framework.planFor(pod.profile);
  const refusal = plan.begin(pod);
  if (refusal) return refusedOutright(framework.state, refusal);
  const { random, nominations } = input;
  const count = findFeasible(pod, { framework, random, nominations, plan });
  if (count === 0) return refusedByNodes(pod, { framework, plan });
  return pick(pod, { framework, random, plan, count });
}

/** Fills the scratch with feasible slots and returns their number. */
export function findFeasible(pod: PodRecord, input: ScheduleInput & { plan: Plan }): number {
  const { framework, plan, random, nominations } = input;
  const { state, scratch } = framework;
  scratch.ensure(state.size);
  const { feasible } = scratch;
  const isContested = nominations?.isContested(pod) ?? false;
  const nominated = nominations?.slotOf(pod, state);
  if (nominated !== undefined && fitsSlot(nominated, { ...input, pod })) {
    feasible[0] = nominated;
    return 1;
  }
  const candidates = namedSlots(pod, state) ?? state.live;
  const total = candidates.length;
  const enough = enoughFeasible(total, framework.percentageOfNodesToScore);
  const from = enough < total ? Math.floor(random.float() * total) : 0;
  if (!isContested) return plan.collect(candidates, { from, enough, found: feasible });
  let count = 0;
  for (let step = 0; step < total && count < enough; step++) {
    const slot = candidates[(from + step) % total] as number;
    if (fitsSlot(slot, { ...input, pod })) feasible[count++] = slot;
  }
  return count;
}

/** The nodes that a pod is tied to by name, or undefined. */
function namedSlots({ profile }: PodRecord, state: ClusterState): Int32Array | undefined {
  if (!profile.onlyNodes) return undefined;
  return Int32Array.from([...profile.onlyNodes].flatMap((name) => state.slotOf(name) ?? []));
}

/**
 * Whether a node takes the pod both with and without the pods that preemption promised it to:
 * they may come or not, and some filters want others to be there.
 */
export function fitsSlot(
  slot: number,
  of: ScheduleInput & { pod: PodRecord; plan: Plan },
): boolean {
  const { pod, framework, plan, nominations } = of;
  const { state } = framework;
  const { name } = state.nodes[slot] as NodeEntry;
  if (!plan.passes(slot)) return false;
  const expected = nominations?.expectedOn(name, pod) ?? [];
  if (expected.length === 0) return true;
  for (const other of expected) state.addPod(other, name);
  const fits = plan.begin(pod) === undefined && plan.passes(slot);
  for (const other of expected) state.removePod(other.uid);
  plan.begin(pod);
  return fits;
}

/** The best of the feasible slots; among equals each has the same chance. */
function pick(pod: PodRecord, of: ScheduleInput & { plan: Plan; count: number }): Chosen {
  const { framework, plan, count, random } = of;
  const { feasible } = framework.scratch;
  const nodes = framework.state.nodes;
  if (count === 1) return { node: (nodes[feasible[0] as number] as NodeEntry).name, score: 0 };
  const totals = scoreFeasible(pod, { framework, plan, count });
  let most = Number.NEGATIVE_INFINITY;
  let ties = 0;
  // The best so far gather at the front.
  for (let at = 0; at < count; at++) {
    const total = totals[at] as number;
    if (total < most) continue;
    if (total > most) {
      most = total;
      ties = 0;
    }
    feasible[ties++] = feasible[at] as number;
  }
  const chosen = ties > 1 ? (random.float() * ties) | 0 : 0;
  return { node: (nodes[feasible[chosen] as number] as NodeEntry).name, score: most };
}

/** Weighted sums of all opinions on the first `count` feasible slots. */
export function scoreFeasible(
  pod: PodRecord,
  of: { framework: Framework; plan: Plan; count: number },
): Float64Array {
  const { count, plan } = of;
  const { feasible, totals } = of.framework.scratch;
  plan.score(pod, feasible, { count, totals });
  return totals;
}

function refusedOutright(state: ClusterState, refusal: NodeRefusal): NoNode {
  return {
    node: undefined,
    nodesTotal: state.live.length,
    reasons: new Map(),
    refusal,
    rejectedBy: new Set([refusal.plugin]),
    resolvable: refusal.unresolvable ? [] : [...state.live],
  };
}

/** Asks every node again, for its reason: only pods without a place pay for that. */
function refusedByNodes(
  { profile }: PodRecord,
  { framework, plan }: { framework: Framework; plan: Plan },
): NoNode {
  const { state } = framework;
  const reasons = new Map<string, number>();
  const rejectedBy = new Set<string>();
  const resolvable: number[] = [];
  for (const slot of state.live) {
    const isNamed = profile.onlyNodes?.has((state.nodes[slot] as NodeEntry).name) ?? true;
    const refusal = isNamed ? plan.refusal(slot) : NOT_NAMED;
    if (!refusal) continue;
    for (const reason of refusal.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    rejectedBy.add(refusal.plugin);
    if (!refusal.unresolvable) resolvable.push(slot);
  }
  const nodesTotal = state.live.length;
  return { node: undefined, nodesTotal, reasons, refusal: undefined, rejectedBy, resolvable };
}

const NOT_NAMED: NodeRefusal = {
  plugin: "NodeAffinity",
  reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"],
  unresolvable: true,
};

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.` */
export function failureMessage(decision: NoNode): string {
  if (decision.nodesTotal === 0) return "no nodes available to schedule pods";
  const parts = decision.refusal
    ? decision.refusal.reasons.join(", ")
    : countedReasons(decision.reasons);
  return `0/${decision.nodesTotal} nodes are available: ${parts}.`;
}

/** `1 Insufficient cpu, 2 node(s) were unschedulable`, sorted as text. */
export function countedReasons(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
