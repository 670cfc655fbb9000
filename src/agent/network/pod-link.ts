import { createHash } from "node:crypto";
import { closeSync, openSync, writeFileSync } from "node:fs";
import * as route from "../../format/netlink/route-message.ts";
import { type NetlinkSocket, openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import {
  adoptNetworkNamespace,
  createNetworkNamespace,
  descriptorPath,
  openNewNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../../sys/network-namespace.ts";
import type { NetworkFailpoint } from "./failpoints.ts";

/** Link-local gateway that every pod sees; it exists only as a neighbour entry. */
const GATEWAY = "169.254.1.1";

/** The two ends of a pod's link, and what they are told. */
interface LinkSpec {
  ip: string;
  /** Address of the node from which it talks to its pods. */
  nodeAddress: string;
  /** Distinguishes clusters that share a machine; at most 4 characters. */
  linkPrefix: string;
  mtu: number;
  failpoint?: NetworkFailpoint;
}

/** A pod's interface: namespace file, host end and address. */
export interface PodLinkSpec extends LinkSpec {
  podUid: string;
  namespaceFile: string;
  /** A namespace to take instead of a new one. */
  madeNamespace?: string;
  /** The host end has the gateway's address, so that it answers who asks for it. */
  answersAsGateway: boolean;
}

/** A link that no pod has yet: it lives as long as its descriptor, and so not beyond the agent. */
export interface SpareLink extends Disposable {
  readonly ip: string;
  /** Of the host end. */
  readonly name: string;
  /** Keeps its namespace alive at `file`. @throws SysError ENODEV when somebody took its link away */
  adopt(file: string, options: { answersAsGateway: boolean }): void;
}

/** Name of the host end: the prefix and 9 digits of the UID's hash; IFNAMSIZ allows 15. */
export function hostLinkName(linkPrefix: string, podUid: string): string {
  return `${linkPrefix}${createHash("sha256").update(podUid).digest("hex").slice(0, 9)}`;
}

/** Locally administered addresses that follow from the IP, so that they are never looked up. */
function macsOf(ip: string): { host: string; pod: string } {
  const tail = ip.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return { host: `ee:01:${tail.join(":")}`, pod: `ee:02:${tail.join(":")}` };
}

/**
 * Creates namespace, veth pair, addresses, neighbours and routes: about 0.7 ms, synchronous.
 * The pod has a /32 and a link-local gateway, the host a route per pod: no bridge, no ARP.
 */
export function createPodLink(socket: NetlinkSocket, spec: PodLinkSpec): void {
  const name = hostLinkName(spec.linkPrefix, spec.podUid);
  if (spec.madeNamespace === undefined) createNetworkNamespace(spec.namespaceFile);
  else adoptNetworkNamespace(spec.madeNamespace, spec.namespaceFile);
  spec.failpoint?.("network-namespace");
  try {
    link(socket, { ...spec, name, namespace: spec.namespaceFile });
    if (spec.answersAsGateway) answerAsGateway(socket, name);
    spec.failpoint?.("network-routes");
  } catch (error) {
    removeNetworkNamespace(spec.namespaceFile);
    throw error;
  }
}

/** Makes all that a pod needs but the file at which its namespace is found. @throws SysError */
export function createSpareLink(socket: NetlinkSocket, spec: LinkSpec): SpareLink {
  const { ip } = spec;
  // Those of an agent that ended a moment ago may still be there.
  const name = hostLinkName(spec.linkPrefix, `spare ${ip} of ${process.pid}`);
  const fd = openNewNetworkNamespace();
  try {
    link(socket, { ...spec, name, namespace: descriptorPath(fd) });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  spec.failpoint?.("network-spare");
  return {
    ip,
    name,
    adopt(file, { answersAsGateway }) {
      linkIndexOf(socket, name);
      adoptNetworkNamespace(descriptorPath(fd), file);
      spec.failpoint?.("network-adopted");
      if (answersAsGateway) answerAsGateway(socket, name);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function link(socket: NetlinkSocket, spec: LinkSpec & { name: string; namespace: string }): void {
  const { name, namespace, ip, mtu, failpoint } = spec;
  const mac = macsOf(ip);
  const namespaceFd = openSync(namespace, "r");
  try {
    const pair = route.newVethPair(
      { name, mac: mac.host, up: true, mtu },
      { name: "eth0", mac: mac.pod, namespaceFd, mtu },
    );
    try {
      socket.request(pair);
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
      // There was one a moment ago, which the kernel has not taken away yet.
      deleteLink(socket, name);
      socket.request(pair);
    }
  } finally {
    closeSync(namespaceFd);
  }
  failpoint?.("network-link");
  withinNetworkNamespace(namespace, () => configureInside(ip, mac.host));
  failpoint?.("network-inside");
  const linkIndex = linkIndexOf(socket, name);
  allowLoopbackNat(name);
  socket.batch([
    route.newNeighbour({ linkIndex, ip, mac: mac.pod }),
    route.newRoute({ destination: ip, prefixLength: 32, linkIndex, source: spec.nodeAddress }),
  ]);
}

function answerAsGateway(socket: NetlinkSocket, name: string): void {
  const linkIndex = linkIndexOf(socket, name);
  socket.batch([route.newAddress({ linkIndex, ip: GATEWAY, prefixLength: 32 })]);
}

/** Sets the inside of a pod's namespace up again. Idempotent. @throws SysError */
export function restorePodLink(namespaceFile: string, ip: string): void {
  withinNetworkNamespace(namespaceFile, () => configureInside(ip, macsOf(ip).host));
}

function configureInside(ip: string, gatewayMac: string): void {
  using inside = openNetlinkSocket();
  const linkIndex = linkIndexOf(inside, "eth0");
  inside.batch([
    route.setLinkUp(1), // lo is always index 1
    route.newAddress({ linkIndex, ip, prefixLength: 32 }),
    route.setLinkUp(linkIndex),
    route.newNeighbour({ linkIndex, ip: GATEWAY, mac: gatewayMac }),
    route.newRoute({
      destination: "0.0.0.0",
      prefixLength: 0,
      linkIndex,
      gateway: GATEWAY,
      onLink: true,
    }),
  ]);
}

/** A NodePort answers on the host's 127.0.0.1 too; the raw chain keeps pods away from it. */
function allowLoopbackNat(linkName: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${linkName}/route_localnet`, "1");
}

/** @throws SysError ENODEV */
export function linkIndexOf(socket: NetlinkSocket, name: string): number {
  const [answer] = socket.request(route.getLink(name));
  if (!answer) throw new Error(`the kernel did not describe link "${name}"`);
  return route.decodeLink(answer).index;
}

/** Whether this network namespace has a link of that name. @throws SysError */
export function hasLink(socket: NetlinkSocket, name: string): boolean {
  try {
    return socket.request(route.getLink(name)).length > 0;
  } catch (error) {
    if ((error as { code?: string }).code === "ENODEV") return false;
    throw error;
  }
}

/** Removes the host end and the namespace; whatever is gone already is fine. */
export function deletePodLink(socket: NetlinkSocket, namespaceFile: string, name: string): void {
  deleteLink(socket, name);
  removeNetworkNamespace(namespaceFile);
}

function deleteLink(socket: NetlinkSocket, name: string): void {
  try {
    socket.request(route.deleteLink(name));
  } catch (error) {
    if ((error as { code?: string }).code !== "ENODEV") throw error;
  }
}
