import {
  decodeFlow,
  deleteFlow,
  dumpFlows,
  type Flow,
} from "../../format/netlink/conntrack-message.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import type { ServicePort } from "./contract.ts";

const NETLINK_NETFILTER = 12;
const UDP = 17;

/** The part of a service port that decides where its UDP flows may lead. */
export type FlowTarget = Pick<
  ServicePort,
  "virtualIps" | "externalIps" | "balancedIps" | "port" | "nodePort" | "endpoints"
>;

/**
 * A UDP client that keeps its port stays with the endpoint it first got, even when that is gone:
 * its flow never ends while it sends. So flows to one of `targets` that lead elsewhere are stale.
 * Connections of TCP notice by themselves.
 */
export function staleFlows(flows: readonly Flow[], targets: readonly FlowTarget[]): Flow[] {
  return flows.filter(({ original, reply }) => {
    if (original.protocol !== UDP) return false;
    const { destination, destinationPort } = original;
    const target = targets.find(({ virtualIps, externalIps, balancedIps, port, nodePort }) => {
      const own = [virtualIps, externalIps, balancedIps];
      if (own.some((ips) => ips?.includes(destination))) return port === destinationPort;
      return nodePort === destinationPort;
    });
    if (!target) return false;
    return !target.endpoints.some(
      ({ ip, port }) => ip === reply.source && port === reply.sourcePort,
    );
  });
}

/** Makes the kernel forget stale flows in this thread's network namespace. @throws SysError */
export function removeStaleFlows(targets: readonly FlowTarget[]): void {
  using socket = openNetlinkSocket(NETLINK_NETFILTER);
  const flows = socket.request(dumpFlows()).flatMap((message) => {
    const flow = decodeFlow(message);
    return flow ? [flow] : [];
  });
  for (const flow of staleFlows(flows, targets)) {
    try {
      socket.request(deleteFlow(flow));
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
}
