import path from "node:path";
import * as route from "../../format/netlink/route-message.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import { isNetworkNamespace, withinNetworkNamespace } from "../../sys/network-namespace.ts";
import { createPodLink, deletePodLink, hasLink, hostLinkName } from "./pod-link.ts";

/** A further node on this machine: a network namespace with one link to the host. */
export interface NodeHostSpec {
  /** Unique on the machine together with `linkPrefix`. */
  name: string;
  runDirectory: string;
  ip: string;
  /** Source of the host's own traffic to it. */
  hostAddress: string;
  linkPrefix: string;
}

const MTU_BYTES = 1500;

/** Where the namespace of the node is mounted. */
export function nodeNamespaceFile(spec: Pick<NodeHostSpec, "runDirectory" | "name">): string {
  return path.join(spec.runDirectory, "nodes", spec.name);
}

/**
 * Makes sure that the node's network exists and returns its namespace file. One that an earlier
 * daemon made is kept, since running pods hang on it, unless its address is another.
 * @throws SysError
 */
export function ensureNodeHost(spec: NodeHostSpec): string {
  const namespaceFile = nodeNamespaceFile(spec);
  if (isWhole(spec)) return namespaceFile;
  removeNodeHost(spec);
  using socket = openNetlinkSocket();
  createPodLink(socket, {
    podUid: spec.name,
    namespaceFile,
    ip: spec.ip,
    nodeAddress: spec.hostAddress,
    linkPrefix: spec.linkPrefix,
    mtu: MTU_BYTES,
    answersAsGateway: false,
  });
  return namespaceFile;
}

function isWhole(spec: NodeHostSpec): boolean {
  const namespaceFile = nodeNamespaceFile(spec);
  if (!isNetworkNamespace(namespaceFile)) return false;
  using socket = openNetlinkSocket();
  if (!hasLink(socket, hostLinkName(spec.linkPrefix, spec.name))) return false;
  return withinNetworkNamespace(namespaceFile, () => {
    using inside = openNetlinkSocket();
    const addresses = inside.request(route.dumpAddresses()).map(route.decodeAddress);
    return addresses.some(({ ip }) => ip === spec.ip);
  });
}

/** Removes the node's network. Idempotent. */
export function removeNodeHost(
  spec: Pick<NodeHostSpec, "runDirectory" | "name" | "linkPrefix">,
): void {
  using socket = openNetlinkSocket();
  deletePodLink(socket, nodeNamespaceFile(spec), hostLinkName(spec.linkPrefix, spec.name));
}
