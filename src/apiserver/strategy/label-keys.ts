import type { Affinity, PodAffinity, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

type Labels = Readonly<Record<string, string>>;

/**
 * The affinity of a new pod whose terms' matchLabelKeys and mismatchLabelKeys have become
 * requirements of their selectors, with the values that the pod's own labels have at this moment.
 */
export function withLabelKeysMerged(affinity: Affinity, labels: Labels): Affinity {
  const { podAffinity, podAntiAffinity } = affinity;
  return {
    ...affinity,
    ...(podAffinity ? { podAffinity: merged(podAffinity, labels) } : {}),
    ...(podAntiAffinity ? { podAntiAffinity: merged(podAntiAffinity, labels) } : {}),
  };
}

function merged(rules: PodAffinity, labels: Labels): PodAffinity {
  const { [REQUIRED]: required, [PREFERRED]: preferred } = rules;
  return {
    ...rules,
    ...(required ? { [REQUIRED]: required.map((term) => mergedTerm(term, labels)) } : {}),
    ...(preferred
      ? {
          [PREFERRED]: preferred.map((wish) =>
            wish.podAffinityTerm
              ? { ...wish, podAffinityTerm: mergedTerm(wish.podAffinityTerm, labels) }
              : wish,
          ),
        }
      : {}),
  };
}

/** A key that the pod has no label of asks for nothing. */
function mergedTerm(term: PodAffinityTerm, labels: Labels): PodAffinityTerm {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return term;
  const asked = (keys: readonly string[], operator: "In" | "NotIn") =>
    keys.flatMap((key) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const own = [...asked(matchLabelKeys, "In"), ...asked(mismatchLabelKeys, "NotIn")];
  if (own.length === 0) return term;
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...own];
  return { ...term, labelSelector: { ...labelSelector, matchExpressions } };
}
