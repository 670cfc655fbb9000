import type { NodeSelectorTerm } from "../generated/types/core-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";

/** Labels of nodes that have other names by now. */
const DEPRECATED: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** What is to be said of a label of nodes; nothing for most. */
export function nodeLabelWarning(label: string): string | undefined {
  return Object.hasOwn(DEPRECATED, label) ? DEPRECATED[label] : undefined;
}

/** Warnings of a selector of nodes by their labels. */
export function labelSelectorWarnings(path: string, selector: LabelSelector = {}): string[] {
  const plain = Object.keys(selector.matchLabels ?? {}).flatMap((label) => {
    const text = nodeLabelWarning(label);
    return text ? [`${path}.matchLabels.${label}: ${text}`] : [];
  });
  return [...nodeSelectorWarnings(path, selector), ...plain];
}

/** Warnings of conditions on nodes. */
export function nodeSelectorWarnings(
  path: string,
  term: NodeSelectorTerm | LabelSelector,
): string[] {
  return (term.matchExpressions ?? []).flatMap(({ key }, index) => {
    const text = nodeLabelWarning(key);
    return text ? [`${path}.matchExpressions[${index}].key: ${key} is ${text}`] : [];
  });
}
