import type { Node } from "../../api/generated/types/core-v1.ts";

/** Ports of the nodes on which their proxies serve Ingresses. */
export interface IngressPorts {
  http: number;
  https: number;
}

/** Addresses under which outsiders reach the nodes that are ready and not kept out of balancing. */
export function balancedNodeAddresses(nodes: readonly Node[]): string[] {
  const addresses = nodes.filter(isUsable).flatMap(({ status }) => {
    const found = status?.addresses ?? [];
    const address =
      found.find(({ type }) => type === "ExternalIP") ??
      found.find(({ type }) => type === "InternalIP");
    return address?.address.includes(".") ? [address.address] : [];
  });
  return addresses.toSorted();
}

function isUsable({ metadata, status }: Node): boolean {
  const isExcluded =
    metadata?.labels?.["node.kubernetes.io/exclude-from-external-load-balancers"] !== undefined;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return !isExcluded && ready?.status === "True";
}
