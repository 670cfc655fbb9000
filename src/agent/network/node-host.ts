import path from "node:path";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import { createPodLink, deletePodLink, hostLinkName } from "./pod-link.ts";

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

/** Creates the node's network and returns its namespace file. Not idempotent. @throws SysError */
export function createNodeHost(spec: NodeHostSpec): string {
  using socket = openNetlinkSocket();
  const namespaceFile = nodeNamespaceFile(spec);
  createPodLink(socket, {
    podUid: spec.name,
    namespaceFile,
    ip: spec.ip,
    nodeAddress: spec.hostAddress,
    linkPrefix: spec.linkPrefix,
    mtu: MTU_BYTES,
  });
  return namespaceFile;
}

/** Removes the node's network. Idempotent. */
export function removeNodeHost(
  spec: Pick<NodeHostSpec, "runDirectory" | "name" | "linkPrefix">,
): void {
  using socket = openNetlinkSocket();
  deletePodLink(socket, nodeNamespaceFile(spec), hostLinkName(spec.linkPrefix, spec.name));
}
