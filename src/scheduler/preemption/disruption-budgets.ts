import type { PodDisruptionBudget } from "../../api/generated/types/policy-v1.ts";
import { compileLabelSelector, type LabelRequirements, matchesLabels } from "../../lib/labels.ts";
import type { PodRecord } from "../pod/pod-profile.ts";

interface Budget {
  requirements: LabelRequirements | undefined;
  allowed: number;
  disrupted: ReadonlySet<string>;
}

/** The budgets of the cluster, as preemption asks about them. */
export class DisruptionBudgets {
  readonly #byNamespace = new Map<string, Map<string, Budget>>();

  set({ metadata, spec, status }: PodDisruptionBudget): void {
    const { namespace = "", name = "" } = metadata ?? {};
    const budgets = this.#byNamespace.get(namespace) ?? new Map<string, Budget>();
    this.#byNamespace.set(namespace, budgets);
    budgets.set(name, {
      requirements: compileLabelSelector(spec?.selector),
      allowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    });
  }

  delete(namespace: string, name: string): void {
    const budgets = this.#byNamespace.get(namespace);
    budgets?.delete(name);
    if (budgets?.size === 0) this.#byNamespace.delete(namespace);
  }

  /** The pods whose loss, one after another in this order, a budget does not allow. */
  violating(pods: readonly PodRecord[]): ReadonlySet<PodRecord> {
    const violating = new Set<PodRecord>();
    if (this.#byNamespace.size === 0) return violating;
    const left = new Map<Budget, number>();
    for (const pod of pods) {
      const { labels, namespace } = pod.profile;
      if (Object.keys(labels).length === 0) continue;
      for (const budget of this.#byNamespace.get(namespace)?.values() ?? []) {
        const { requirements, disrupted } = budget;
        if (!requirements?.length || !matchesLabels(requirements, labels)) continue;
        if (disrupted.has(pod.name)) continue;
        const allowed = (left.get(budget) ?? budget.allowed) - 1;
        left.set(budget, allowed);
        if (allowed < 0) violating.add(pod);
      }
    }
    return violating;
  }
}
