import { type LabelRequirement, type Labels, matchesLabels } from "../lib/labels.ts";
import { labelValueErrors, qualifiedNameErrors } from "../lib/names.ts";
import type { NodeSelectorTerm } from "./generated/types/core-v1.ts";

/** A test of a node's labels and name. */
export type NodeTest = (labels: Labels, name: string) => boolean;

/** `nodeSelector` and required node affinity in one; undefined when every node will do. */
export function requiredNodeTest(
  nodeSelector: Labels | undefined,
  terms: readonly NodeSelectorTerm[] | undefined,
): NodeTest | undefined {
  const selector = Object.entries(nodeSelector ?? {});
  if (selector.length === 0 && terms === undefined) return undefined;
  const tests = terms?.map(termTest);
  return (labels, name) =>
    selector.every(([key, value]) => labels[key] === value) &&
    (tests === undefined || tests.some((test) => test(labels, name)));
}

function canHold({ key, operator, values }: LabelRequirement): boolean {
  if (qualifiedNameErrors(key).length > 0) return false;
  const isList = operator === "In" || operator === "NotIn";
  return !isList || values.every((value) => labelValueErrors(value).length === 0);
}

/**
 * All expressions and fields of a term must hold; an empty term matches nothing, and neither does
 * one that asks for what no label can be.
 */
export function termTest(term: NodeSelectorTerm): NodeTest {
  const requirements = (list: NodeSelectorTerm["matchExpressions"]): LabelRequirement[] =>
    (list ?? []).map(({ key, operator, values = [] }) => ({ key, operator, values }));
  const expressions = requirements(term.matchExpressions);
  const fields = requirements(term.matchFields);
  if (expressions.length + fields.length === 0) return () => false;
  if (!expressions.every(canHold)) return () => false;
  return (labels, name) =>
    matchesLabels(expressions, labels) && matchesLabels(fields, { "metadata.name": name });
}
