import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
} from "../../api/generated/types/core-v1.ts";

/** Whether the node is one that the pod may run on, by its selector and required affinity. */
export function selectsNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const { nodeSelector = {}, affinity } = pod.spec ?? {};
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

/** An empty term matches nothing. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node) {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": node.metadata?.name ?? "" };
  return (
    matchExpressions.every((one) => holds(one, node.metadata?.labels ?? {})) &&
    matchFields.every((one) => holds(one, fields))
  );
}

function holds(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  const [bound = ""] = values;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(bound);
    case "Lt":
      return value !== undefined && Number(value) < Number(bound);
    default:
      return false;
  }
}
