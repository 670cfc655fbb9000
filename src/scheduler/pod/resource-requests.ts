import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";

/** Amounts by resource name: cpu in milli-CPU, everything else in its own unit. */
export type Amounts = Map<string, number>;

/** What a container without requests counts as when nodes are scored (never when filtered). */
const SCORED_DEFAULTS: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

/** Amounts of a resource list such as `status.allocatable`. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, quantity] of Object.entries(list ?? {})) {
    amounts.set(name, name === "cpu" ? quantityToMilli(quantity) : quantityToNumber(quantity));
  }
  return amounts;
}

function addTo(sum: Amounts, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0) + amount);
}

function raiseTo(peak: Amounts, other: Amounts): void {
  for (const [name, amount] of other) peak.set(name, Math.max(peak.get(name) ?? 0, amount));
}

/**
 * What a pod needs at its worst moment: all containers and sidecars together, or one init
 * container beside the sidecars started before it; plus the overhead of its runtime class.
 */
export function podRequests(pod: Pod, read: (container: Container) => Amounts): Amounts {
  const running: Amounts = new Map();
  const peak: Amounts = new Map();
  const sidecars: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const requests = read(container);
    if (container.restartPolicy === "Always") {
      addTo(sidecars, requests);
      raiseTo(peak, sidecars);
    } else {
      const moment = new Map(sidecars);
      addTo(moment, requests);
      raiseTo(peak, moment);
    }
  }
  for (const container of pod.spec?.containers ?? []) addTo(running, read(container));
  addTo(running, sidecars);
  raiseTo(running, peak);
  // What is asked for the pod as a whole takes the place of the sum of its containers.
  for (const [name, amount] of amountsOf(pod.spec?.resources?.requests)) {
    running.set(name, amount);
  }
  addTo(running, amountsOf(pod.spec?.overhead));
  return running;
}

/** Requests as the filter sees them: exactly what the containers ask for. */
export function filteredRequests(container: Container): Amounts {
  return amountsOf(container.resources?.requests);
}

/** Requests as the scores see them: an absent one counts as a small default. */
export function scoredRequests(container: Container): Amounts {
  const amounts: Amounts = new Map();
  const requests = container.resources?.requests;
  for (const [name, fallback] of Object.entries(SCORED_DEFAULTS)) {
    const quantity = requests?.[name];
    if (quantity === undefined) amounts.set(name, fallback);
    else amounts.set(name, name === "cpu" ? quantityToMilli(quantity) : quantityToNumber(quantity));
  }
  return amounts;
}
