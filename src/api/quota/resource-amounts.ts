import type { PodSpec, ResourceRequirements } from "../generated/types/core-v1.ts";
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
} from "../../lib/quantity.ts";

/** Quantities by resource name ("cpu", "memory"). */
export type Amounts = Map<string, Quantity>;

/** Parsed copy of a resource list; what is no quantity is left to validation and skipped here. */
export function parseAmounts(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, text] of Object.entries(list ?? {})) {
    try {
      amounts.set(name, parseQuantity(text));
    } catch {
      // Validation refuses the object with the field's path.
    }
  }
  return amounts;
}

/** Adds `more` to `amounts` in place. */
export function addAmounts(amounts: Amounts, more: Amounts): void {
  for (const [name, quantity] of more) {
    const known = amounts.get(name);
    amounts.set(name, known ? addQuantities(known, quantity) : quantity);
  }
}

function raiseTo(amounts: Amounts, floor: Amounts): void {
  for (const [name, quantity] of floor) {
    const known = amounts.get(name);
    if (!known || compareQuantities(known, quantity) < 0) amounts.set(name, quantity);
  }
}

/**
 * What a whole pod asks for: the sum of its containers and sidecars, or more when an init
 * container needs more while it runs, and the overhead of its runtime.
 */
export function podAmounts(spec: PodSpec, field: "requests" | "limits"): Amounts {
  const of = ({ resources }: { resources?: ResourceRequirements }) =>
    parseAmounts(resources?.[field]);
  const total: Amounts = new Map();
  for (const container of spec.containers) addAmounts(total, of(container));
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const amounts = of(container);
    if (container.restartPolicy === "Always") {
      addAmounts(total, amounts);
      addAmounts(sidecars, amounts);
      raiseTo(peak, sidecars);
    } else {
      addAmounts(amounts, sidecars);
      raiseTo(peak, amounts);
    }
  }
  raiseTo(total, peak);
  const overhead = parseAmounts(spec.overhead);
  // A limit that was not set stays unset: overhead alone is no limit.
  for (const [name, quantity] of overhead) {
    if (field === "requests" || total.has(name)) addAmounts(total, new Map([[name, quantity]]));
  }
  return total;
}
