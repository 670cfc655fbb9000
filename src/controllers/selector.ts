import {
  compileLabelSelector,
  type Labels,
  type LabelSelectorSpec,
  matchesLabels,
} from "../lib/labels.ts";

/**
 * A predicate on labels for a workload's selector. Absent and empty selectors match nothing: a
 * workload that would adopt every pod is a mistake, not a wish.
 */
export function compileSelector(
  selector: LabelSelectorSpec | null | undefined,
): (labels: Labels | undefined) => boolean {
  const requirements = compileLabelSelector(selector);
  if (!requirements || requirements.length === 0) return () => false;
  return (labels) => matchesLabels(requirements, labels);
}
