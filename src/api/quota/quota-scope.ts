import type {
  Pod,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from "../generated/types/core-v1.ts";

function isBestEffort(pod: Pod): boolean {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers].every(({ resources }) => {
    const lists = [resources?.requests, resources?.limits];
    return lists.every((list) => list?.["cpu"] === undefined && list?.["memory"] === undefined);
  });
}

function crossesNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector);
}

function matchesPriorityClass(
  pod: Pod,
  { operator, values = [] }: ScopedResourceSelectorRequirement,
): boolean {
  const name = pod.spec?.priorityClassName ?? "";
  switch (operator) {
    case "In":
      return values.includes(name);
    case "NotIn":
      return !values.includes(name);
    case "Exists":
      return name !== "";
    default:
      return name === "";
  }
}

function matches(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  const terminating = pod.spec?.activeDeadlineSeconds !== undefined;
  switch (requirement.scopeName) {
    case "Terminating":
      return terminating;
    case "NotTerminating":
      return !terminating;
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(pod);
    case "PriorityClass":
      return matchesPriorityClass(pod, requirement);
    default:
      return false;
  }
}

/** Whether a quota counts an object: scopes select pods, and a scoped quota counts nothing else. */
export function inScope(
  quota: ResourceQuotaSpec,
  of: { resource: { group: string; plural: string }; object: unknown },
): boolean {
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...(quota.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" as const })),
    ...(quota.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (of.resource.group !== "" || of.resource.plural !== "pods") return false;
  return requirements.every((requirement) => matches(of.object as Pod, requirement));
}
