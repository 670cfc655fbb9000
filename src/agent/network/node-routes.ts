import { NODES } from "../../api/generated/resources.ts";
import type { Node } from "../../api/generated/types/core-v1.ts";
import type { InformerFactory } from "../../client/informer.ts";
import * as route from "../../format/netlink/route-message.ts";
import { formatIpv4, parseCidr } from "../../lib/ipv4.ts";
import type { Logger } from "../../lib/logger.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";

/** How another node's pods are reached: their range through that node's address. */
export interface NodeRoute {
  podCidr: string;
  nodeIp: string;
}

/** The routes that node `self` needs; nodes without an address or a range yet are left out. */
export function nodeRoutesOf(nodes: readonly Node[], self: string): NodeRoute[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const nodeIp = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const podCidr = spec?.podCIDR;
    return metadata?.name !== self && nodeIp && podCidr ? [{ nodeIp, podCidr }] : [];
  });
}

/** Keeps routes to all other nodes' pods; those of nodes that left are removed. */
export function startNodeRoutes(options: {
  informers: InformerFactory;
  nodeName: string;
  /** From which this node talks to their pods: an address that they can answer. */
  source: string;
  logger: Logger;
}): Disposable {
  const { informers, nodeName, source, logger } = options;
  const socket = openNetlinkSocket();
  const nodes = informers.informer(NODES);
  const installed = new Map<string, string>();
  const sync = () => {
    const wanted = new Map(
      nodeRoutesOf(nodes.list(), nodeName).map(({ podCidr, nodeIp }) => [podCidr, nodeIp]),
    );
    for (const podCidr of installed.keys()) {
      if (wanted.has(podCidr)) continue;
      installed.delete(podCidr);
      attempt(logger, podCidr, () => removeRoute(socket, podCidr));
    }
    for (const [podCidr, nodeIp] of wanted) {
      if (installed.get(podCidr) === nodeIp) continue;
      if (attempt(logger, podCidr, () => addRoute(socket, { podCidr, nodeIp, source }))) {
        installed.set(podCidr, nodeIp);
      }
    }
  };
  const subscription = nodes.onChange(sync);
  return {
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      socket[Symbol.dispose]();
    },
  };
}

function attempt(logger: Logger, podCidr: string, change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    logger.warn("a route to another node's pods could not be changed", { podCidr, error });
    return false;
  }
}

function destinationOf(podCidr: string): { destination: string; prefixLength: number } {
  const { base, prefixLength } = parseCidr(podCidr);
  return { destination: formatIpv4(base), prefixLength };
}

/**
 * A node on the same link is the gateway itself; one behind a router is reached as its address is,
 * through the router, which must then know the pod range too.
 */
function addRoute(
  socket: ReturnType<typeof openNetlinkSocket>,
  to: NodeRoute & { source: string },
): void {
  const [answer] = socket.request(route.lookUpRoute(to.nodeIp));
  const path = answer && route.decodeRoute(answer);
  if (!path) throw new Error(`no route leads to node address ${to.nodeIp}`);
  socket.request(
    route.newRoute({
      ...destinationOf(to.podCidr),
      linkIndex: path.linkIndex,
      gateway: path.gateway ?? to.nodeIp,
      onLink: true,
      source: to.source,
    }),
  );
}

function removeRoute(socket: ReturnType<typeof openNetlinkSocket>, podCidr: string): void {
  try {
    socket.request(route.deleteRoute({ ...destinationOf(podCidr), linkIndex: 0 }));
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}
