import {
  compileLabelSelector,
  type LabelRequirement,
  type LabelRequirements,
  type Labels,
  type LabelSelectorSpec,
} from "../../lib/labels.ts";

/** A set of pods: those of some namespaces that a selector matches. `key` tells sets apart. */
export interface PodSelector {
  key: string;
  namespaces: readonly string[];
  /** Adds namespaces by their labels; undefined adds none. */
  namespaceSelector: LabelRequirements | undefined;
  /** undefined matches no pod, none at all matches every pod. */
  requirements: LabelRequirements | undefined;
  /** Set instead of `requirements`: pods of one controller. */
  ownerUid: string | undefined;
  /** Set instead of `requirements`: pods that are in all of these sets. */
  all: readonly PodSelector[] | undefined;
}

/** Builds a selector and its key. */
export function podSelector(of: {
  namespaces: readonly string[];
  namespaceSelector?: LabelSelectorSpec | undefined;
  requirements?: LabelRequirements | undefined;
  ownerUid?: string | undefined;
}): PodSelector {
  const namespaceSelector = compileLabelSelector(of.namespaceSelector);
  const { namespaces, requirements, ownerUid } = of;
  const key = JSON.stringify([
    namespaces,
    namespaceSelector ?? null,
    requirements ?? null,
    ownerUid ?? null,
  ]);
  return { key, namespaces, namespaceSelector, requirements, ownerUid, all: undefined };
}

/** The pods that are in every one of some sets; one set stays as it is. */
export function intersection(selectors: readonly PodSelector[]): PodSelector {
  const [first, ...others] = selectors;
  if (first && others.length === 0) return first;
  return {
    key: JSON.stringify(selectors.map(({ key }) => key)),
    namespaces: [],
    namespaceSelector: undefined,
    requirements: undefined,
    ownerUid: undefined,
    all: selectors,
  };
}

/** Requirements that other pods have the values of the pod's own labels. */
export function byLabelKeys(
  keys: readonly string[] | undefined,
  labels: Labels,
): LabelRequirement[] {
  return (keys ?? []).flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator: "In", values: [value] }];
  });
}
