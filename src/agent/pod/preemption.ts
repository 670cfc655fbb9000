import type { Pod } from "../../api/generated/types/core-v1.ts";
import { yieldsTo } from "../pod-priority.ts";
import type { Amounts } from "./pod-requests.ts";
import { qosClassOf } from "./pod-resources.ts";

/** How much a node lacks, by resource name; as `Amounts`. */
export type Lack = Amounts;

/** What a preemption is decided on. */
export interface PreemptionFacts {
  others: readonly Pod[];
  requestsOf: (pod: Pod) => Amounts;
}

/**
 * The pods that make room for a critical one: no dearer class of service than has to be, few pods,
 * of these the smallest. Undefined when all that may go would not be enough.
 */
export function podsToPreempt(
  critical: Pod,
  lack: Lack,
  { others, requestsOf }: PreemptionFacts,
): Pod[] | undefined {
  const candidates = others.filter((pod) => yieldsTo(pod, critical));
  const of = (qos: string) => candidates.filter((pod) => qosClassOf(pod) === qos);
  const [bestEffort, burstable, guaranteed] = ["BestEffort", "Burstable", "Guaranteed"].map(of);
  const without = (...gone: readonly (readonly Pod[] | undefined)[]): Lack =>
    gone.flatMap((pods) => pods ?? []).reduce((left, pod) => after(left, requestsOf(pod)), lack);
  const choose = (pods: readonly Pod[] = [], left: Lack) => nearest(pods, { left, requestsOf });
  if (without(candidates).size > 0) return undefined;
  const dearest = choose(guaranteed, without(bestEffort, burstable));
  const middle = choose(burstable, without(bestEffort, dearest));
  const cheapest = choose(bestEffort, without(middle, dearest));
  return [...cheapest, ...middle, ...dearest];
}

/** What is still lacking when a pod with these requests is gone. */
function after(lack: Lack, requests: Amounts): Lack {
  const left = new Map<string, number>();
  for (const [name, amount] of lack) {
    const rest = amount - (requests.get(name) ?? 0);
    if (rest > 0) left.set(name, rest);
  }
  return left;
}

/** Again and again the pod that leaves the least, each resource weighing the same. */
function nearest(
  pods: readonly Pod[],
  of: { left: Lack; requestsOf: (pod: Pod) => Amounts },
): Pod[] {
  let { left } = of;
  const remaining = [...pods];
  const chosen: Pod[] = [];
  while (left.size > 0 && remaining.length > 0) {
    const ranked = remaining.map((pod) => {
      const requests = of.requestsOf(pod);
      return { pod, requests, distance: distanceOf(left, requests) };
    });
    const best = ranked.reduce((a, b) => (isBetter(b, a) ? b : a));
    left = after(left, best.requests);
    remaining.splice(remaining.indexOf(best.pod), 1);
    chosen.push(best.pod);
  }
  return chosen;
}

interface Ranked {
  requests: Amounts;
  distance: number;
}

/** Of two that leave the same, the one that asks for less. */
function isBetter(a: Ranked, b: Ranked): boolean {
  if (a.distance !== b.distance) return a.distance < b.distance;
  for (const name of ["memory", "cpu"]) {
    const difference = (a.requests.get(name) ?? 0) - (b.requests.get(name) ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

function distanceOf(lack: Lack, requests: Amounts): number {
  let distance = 0;
  for (const [name, amount] of lack) {
    const rest = amount - (requests.get(name) ?? 0);
    if (rest > 0) distance += (rest / amount) ** 2;
  }
  return distance;
}
