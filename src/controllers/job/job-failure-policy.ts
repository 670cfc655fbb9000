import type { Job, PodFailurePolicyRule } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";

/** What a rule makes of a failed pod. */
export interface FailureVerdict {
  action: "FailJob" | "Ignore" | "Count";
  message: string;
}

/** The first rule that fits a failed pod decides; without one the failure counts. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  for (const [at, rule] of rules.entries()) {
    const why = whyRuleFits(rule, pod);
    if (!why) continue;
    const action = rule.action === "FailJob" || rule.action === "Ignore" ? rule.action : "Count";
    return { action, message: `${why} matching ${rule.action} rule at index ${at}` };
  }
  return { action: "Count", message: "" };
}

function whyRuleFits(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  const { onExitCodes, onPodConditions } = rule;
  if (onExitCodes) {
    const statuses = [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
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
