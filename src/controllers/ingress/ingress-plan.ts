import type { Node, Service } from "../../api/generated/types/core-v1.ts";
import type { IngressLoadBalancerIngress } from "../../api/generated/types/networking-v1.ts";
import { balancedNodeAddresses, type IngressPorts } from "../service-load-balancer/contract.ts";

/** Where clients find the Ingresses of the nodes' proxies, or what stands in the way. Pure. */
export function planIngressStatus(of: {
  ports: IngressPorts;
  nodes: readonly Node[];
  services: readonly Service[];
}): { addresses: IngressLoadBalancerIngress[] } | { problem: string } {
  const addresses = balancedNodeAddresses(of.nodes);
  const own = [of.ports.http, of.ports.https];
  for (const { metadata, spec, status } of of.services) {
    // Its rules are asked before any program that listens.
    const isOnNodes = status?.loadBalancer?.ingress?.some(({ ip }) => addresses.includes(ip ?? ""));
    const taken = spec?.ports?.find(({ port, protocol = "TCP" }) => {
      return protocol === "TCP" && own.includes(port);
    });
    if (!isOnNodes || !taken) continue;
    const holder = `${metadata?.namespace}/${metadata?.name}`;
    return { problem: `port ${taken.port} of the nodes belongs to service ${holder}` };
  }
  return { addresses: addresses.map((ip) => ({ ip })) };
}
