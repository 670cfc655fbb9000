import type { Job, PodFailurePolicyRule } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";

/** What a rule makes of a failed pod. */
export interface FailureVerdict {
  action: "FailJob" | "FailIndex" | "Ignore" | "Count";
  message: string;
}

/** The first rule that fits a failed pod decides; without one the failure counts. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  for (const [at, rule] of rules.entries()) {
    const why = whyRuleFits(rule, pod);
    // Without limits per index there is no index to fail: such a rule fits nothing.
    const isMoot = rule.action === "FailIndex" && job.spec?.backoffLimitPerIndex === undefined;
    if (!why || isMoot) continue;
    const message = `${why} matching ${rule.action} rule at index ${at}`;
    return { action: knownAction(rule.action), message };
  }
  return { action: "Count", message: "" };
}

function knownAction(action: string): FailureVerdict["action"] {
  const isKnown = action === "FailJob" || action === "FailIndex" || action === "Ignore";
  return isKnown ? action : "Count";
}

function whyRuleFits(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  const { onExitCodes, onPodConditions } = rule;
  if (onExitCodes) {
    const statuses = [
      ...(pod.status?.containerStatuses ?? []),
      ...(pod.status?.initContainerStatuses ?? []),
    ];
    for (const status of statuses) {
      const code = status.state?.terminated?.exitCode;
      if (code === undefined || code === 0) continue;
      if (onExitCodes.containerName && onExitCodes.containerName !== status.name) continue;
      const listed = onExitCodes.values.includes(code);
      if (listed === (onExitCodes.operator === "In")) {
        return `Container ${status.name} for pod ${name} failed with exit code ${code}`;
      }
    }
  }
  for (const pattern of onPodConditions ?? []) {
    const wanted = pattern.status || "True";
    const found = pod.status?.conditions?.some(
      ({ type, status }) => type === pattern.type && status === wanted,
    );
    if (found) return `Pod ${name} has condition ${pattern.type}`;
  }
  return undefined;
}
