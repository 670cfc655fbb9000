import type { PodRecord } from "../pod/pod-profile.ts";
import { pickCandidate } from "../preemption/pick-candidate.ts";
import type { Candidate } from "../preemption/victims.ts";
import type { Extender } from "./extender.ts";

/**
 * Lets extenders strike candidates and victims, one after another, and picks among what is left;
 * undefined when nothing is. @throws ExtenderError from one that is not ignorable
 */
export async function pickWithExtenders(
  pod: PodRecord,
  of: { candidates: readonly Candidate[]; extenders: readonly Extender[] },
): Promise<Candidate | undefined> {
  let { candidates } = of;
  for (const extender of of.extenders) {
    if (candidates.length === 0) break;
    candidates = await extender.preempt(pod.pod, candidates);
  }
  return pickCandidate(candidates);
}
