import type { PostFilterInput, PostFilterResult, SchedulerPlugin } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { countedReasons } from "../schedule.ts";
import type { DisruptionBudgets } from "./disruption-budgets.ts";
import { PREEMPTION_REASON } from "./evict-victims.ts";
import { pickCandidate } from "./pick-candidate.ts";
import { type Candidate, selectVictims } from "./victims.ts";

/** Arguments of the plugin, as in `DefaultPreemptionArgs`. */
export interface DefaultPreemptionArgs {
  minCandidateNodesPercentage?: number;
  minCandidateNodesAbsolute?: number;
}

const NOT_HELPFUL = "Preemption is not helpful for scheduling";

/** Makes room for a pod by taking less important ones away. */
export function defaultPreemption(
  budgets: DisruptionBudgets,
  args: DefaultPreemptionArgs = {},
): SchedulerPlugin {
  return {
    name: "DefaultPreemption",
    postFilter(pod, of) {
      const objection = whyNotEligible(pod, of);
      if (objection) return { message: `preemption: ${objection}` };
      return preempt(pod, { ...of, budgets, args });
    },
  };
}

function whyNotEligible(pod: PodRecord, { decision, input }: PostFilterInput): string | undefined {
  const { profile } = pod;
  if (!profile.preempts) return "not eligible due to preemptionPolicy=Never.";
  const { state } = input.framework;
  const nominated = input.nominations?.slotOf(pod, state);
  // A node that no room would help with any more is none to wait for.
  if (nominated === undefined || !decision.resolvable.includes(nominated)) return undefined;
  for (const other of state.nodes[nominated]?.pods ?? []) {
    if (isPreempted(other) && other.profile.priority < profile.priority) {
      return "not eligible due to a terminating pod on the nominated node.";
    }
  }
  return undefined;
}

/** Whether it goes for another's sake; one that goes for its own may take as long as it likes. */
function isPreempted({ pod, terminating }: PodRecord): boolean {
  const target = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  return terminating && target?.status === "True" && target.reason === PREEMPTION_REASON;
}

function preempt(
  pod: PodRecord,
  of: PostFilterInput & { budgets: DisruptionBudgets; args: DefaultPreemptionArgs },
): PostFilterResult {
  const { decision, input, budgets, args } = of;
  const { state } = input.framework;
  const slots = decision.resolvable;
  const reasons = new Map<string, number>();
  const count = (reason: string, times = 1) =>
    reasons.set(reason, (reasons.get(reason) ?? 0) + times);
  const hopeless = decision.nodesTotal - slots.length;
  if (hopeless > 0) count(NOT_HELPFUL, hopeless);
  if (!state.hasPodsBelow(pod.profile.priority)) {
    if (slots.length > 0) count("No preemption victims found for incoming pod", slots.length);
    return { message: messageOf(decision.nodesTotal, reasons) };
  }
  const plan = input.framework.planFor(pod.profile);
  const enough = enoughCandidates(slots.length, args);
  const start = Math.floor(input.random.float() * slots.length);
  const candidates: Candidate[] = [];
  let isHarmless = false;
  for (let step = 0; step < slots.length; step++) {
    const slot = slots[(start + step) % slots.length] as number;
    const found = selectVictims(slot, { pod, plan, budgets, input });
    if ("reasons" in found) {
      for (const reason of found.reasons) count(reason);
      continue;
    }
    candidates.push(found);
    isHarmless ||= found.violations === 0;
    if (isHarmless && candidates.length >= enough) break;
  }
  const best = pickCandidate(candidates);
  if (!best) return { message: messageOf(decision.nodesTotal, reasons) };
  return { message: "", preemption: { node: best.node, victims: best.victims, candidates } };
}

function messageOf(nodesTotal: number, reasons: ReadonlyMap<string, number>): string {
  return `preemption: 0/${nodesTotal} nodes are available: ${countedReasons(reasons)}.`;
}

/** Trying more nodes makes the choice better, but every one costs a simulation. */
function enoughCandidates(nodes: number, args: DefaultPreemptionArgs): number {
  const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = args;
  const share = Math.floor((nodes * minCandidateNodesPercentage) / 100);
  return Math.min(nodes, Math.max(share, minCandidateNodesAbsolute));
}
