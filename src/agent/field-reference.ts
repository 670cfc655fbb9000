import type { Container, Pod, ResourceFieldSelector } from "../api/generated/types/core-v1.ts";
import { quantityToMilli, quantityToNumber } from "../lib/quantity.ts";

/** What the downward API can tell beside the pod itself. */
export interface DownwardFacts {
  podIp?: string;
  hostIp: string;
  /** `status.allocatable` of the node: what a container without a limit may use. */
  allocatable: Readonly<Record<string, string>>;
}

/** A field that the downward API does not offer. */
export class FieldReferenceError extends Error {
  override name = "FieldReferenceError";
}

/** Value of a `fieldRef` as text: one value, or `key="value"` lines for whole maps. */
export function podField(pod: Pod, fieldPath: string, facts: DownwardFacts): string {
  const subscript = /^(metadata\.(?:labels|annotations))\['([^']*)'\]$/.exec(fieldPath);
  if (subscript) {
    const map = subscript[1] === "metadata.labels" ? pod.metadata?.labels : annotations(pod);
    return map?.[subscript[2] ?? ""] ?? "";
  }
  switch (fieldPath) {
    case "metadata.name":
      return pod.metadata?.name ?? "";
    case "metadata.namespace":
      return pod.metadata?.namespace ?? "";
    case "metadata.uid":
      return pod.metadata?.uid ?? "";
    case "metadata.labels":
      return formatMap(pod.metadata?.labels);
    case "metadata.annotations":
      return formatMap(annotations(pod));
    case "spec.nodeName":
      return pod.spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.hostIP":
    case "status.hostIPs":
      return facts.hostIp;
    case "status.podIP":
    case "status.podIPs":
      return facts.podIp ?? "";
    default:
      throw new FieldReferenceError(`unsupported fieldPath: ${fieldPath}`);
  }
}

function annotations(pod: Pod): Record<string, string> | undefined {
  return pod.metadata?.annotations;
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

/** Value of a `resourceFieldRef`, rounded up to whole divisors. */
export function resourceField(
  container: Container,
  selector: ResourceFieldSelector,
  facts: DownwardFacts,
): string {
  const [kind, name] = splitOnce(selector.resource);
  const { limits, requests } = container.resources ?? {};
  let quantity: string | undefined;
  if (kind === "limits") quantity = limits?.[name] ?? facts.allocatable[name];
  else if (kind === "requests") quantity = requests?.[name] ?? "0";
  else throw new FieldReferenceError(`unsupported resource: ${selector.resource}`);
  const divisor = selector.divisor && selector.divisor !== "0" ? selector.divisor : "1";
  if (name === "cpu") {
    return String(Math.ceil(quantityToMilli(quantity ?? "0") / quantityToMilli(divisor)));
  }
  return String(Math.ceil(quantityToNumber(quantity ?? "0") / quantityToNumber(divisor)));
}

function splitOnce(text: string): [string, string] {
  const dot = text.indexOf(".");
  return dot < 0 ? [text, ""] : [text.slice(0, dot), text.slice(dot + 1)];
}
