import type { Container, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";

/** Amounts by resource name; CPU in thousandths, all others in whole units. */
export type Amounts = ReadonlyMap<string, number>;

/** Reads amounts of a resource list. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  return new Map(
    Object.entries(list ?? {}).map(([name, quantity]) => [
      name,
      name === "cpu" ? quantityToMilli(quantity) : quantityToNumber(quantity),
    ]),
  );
}

/**
 * What a pod asks its node for: its containers and sidecars together, or its largest init container
 * with the sidecars before it, whichever is more, and its overhead. A pod counts as one of "pods".
 */
export function podRequests(pod: Pod): Amounts {
  const { initContainers = [], containers = [], overhead } = pod.spec ?? {};
  const sum = new Map<string, number>([["pods", 1]]);
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of containers) add(sum, requestsOf(container));
  for (const container of initContainers) {
    const requests = requestsOf(container);
    if (container.restartPolicy === "Always") {
      add(sum, requests);
      add(sidecars, requests);
    } else {
      const busy = new Map(sidecars);
      add(busy, requests);
      for (const [name, value] of busy) peak.set(name, Math.max(peak.get(name) ?? 0, value));
    }
  }
  for (const [name, value] of peak) sum.set(name, Math.max(sum.get(name) ?? 0, value));
  add(sum, amountsOf(overhead));
  return sum;
}

/** `podRequests` that reads every specification once: all pods of a node count for each new one. */
export function rememberRequests(): (pod: Pod) => Amounts {
  const known = new WeakMap<PodSpec, Amounts>();
  return (pod) => {
    const { spec } = pod;
    const requests = (spec && known.get(spec)) ?? podRequests(pod);
    if (spec) known.set(spec, requests);
    return requests;
  };
}

function requestsOf({ resources }: Container): Amounts {
  return amountsOf({ ...resources?.limits, ...resources?.requests });
}

function add(to: Map<string, number>, amounts: Amounts): void {
  for (const [name, value] of amounts) to.set(name, (to.get(name) ?? 0) + value);
}
