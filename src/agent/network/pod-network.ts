import { writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { connectToLoopback } from "../../sys/namespaced-connect.ts";
import { unmountAside } from "../../sys/mount.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import { isNetworkNamespace, removeNetworkNamespace } from "../../sys/network-namespace.ts";
import type { Logger } from "../../lib/logger.ts";
import { createAddressPool } from "./address-pool.ts";
import type { AttachRequest, HostPort, PodAttachment, PodNetwork } from "./contract.ts";
import type { NetworkFailpoint } from "./failpoints.ts";
import { prepareNode } from "./node-link.ts";
import { createPodLink, deletePodLink, hasLink, hostLinkName, restorePodLink } from "./pod-link.ts";
import { mirrored, readLinkCounters } from "../link-counters.ts";

/** Where and with what addresses the pods of a node live. */
export interface PodNetworkOptions {
  /** Survives a restart of the agent, not a reboot: namespaces are mounted below it. */
  runDirectory: string;
  podCidr: string;
  /** At most 4 characters, such as "nph". */
  linkPrefix: string;
  /** Addresses that the node itself answers on, such as the cluster DNS address. */
  localAddresses: readonly string[];
  mtu?: number;
  /** Told of every change of the pods' host ports. */
  onHostPorts?: (ports: readonly PodHostPort[]) => void;
  failpoint?: NetworkFailpoint;
  logger: Logger;
}

/** A host port and the pod address that it leads to. */
export interface PodHostPort extends HostPort {
  podIp: string;
}

interface PodRecord extends PodAttachment {
  podName: string;
  podNamespace: string;
  hostPorts: readonly HostPort[];
  /** Its network is inside a kernel of its own. */
  hasOwnStack?: true;
}

const MTU_BYTES = 1500;
const CONNECT_MS = 5_000;

/** Routed veth pairs, one per pod; state is one small file per pod beside its namespace. */
export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const pool = createAddressPool(options.podCidr);
  const records = new Map<string, PodRecord>();
  const namespaces = path.join(options.runDirectory, "netns");
  const socket = openNetlinkSocket();
  const { linkPrefix, failpoint = () => {} } = options;
  prepareNode(socket, { addresses: [pool.gateway, ...options.localAddresses], linkPrefix });
  const namespaceFile = (podUid: string) => path.join(namespaces, podUid);
  const recordFile = (podUid: string) => path.join(options.runDirectory, "links", podUid);

  const announce = () =>
    options.onHostPorts?.(
      [...records.values()].flatMap((record) =>
        record.hostPorts.map((port) => ({ ...port, podIp: record.ip })),
      ),
    );

  /** After a reboot the namespace is gone; with a node's own namespace went the host end. */
  const isAttached = (record: PodRecord): boolean =>
    isNetworkNamespace(record.networkNamespacePath) &&
    hasLink(socket, hostLinkName(linkPrefix, record.podUid));

  const remove = async (podUid: string) => {
    // The kernel frees the links with the namespace: to delete one here would block this thread for
    // an RCU grace period of about 20 ms, and all threads that need the routing lock with it.
    await unmountAside(namespaceFile(podUid));
    removeNetworkNamespace(namespaceFile(podUid));
    failpoint("network-namespace-removed");
    await rm(recordFile(podUid), { force: true });
    failpoint("network-removed");
    pool.release(podUid);
    if (records.get(podUid)?.hostPorts.length && records.delete(podUid)) announce();
    records.delete(podUid);
  };

  /** Frees the name of the link at once too, for the next attempt to attach the same pod. */
  const removeNow = async (podUid: string) => {
    deletePodLink(socket, namespaceFile(podUid), hostLinkName(linkPrefix, podUid));
    await remove(podUid);
  };

  return {
    gateway: pool.gateway,

    async recover(podUids) {
      await mkdir(path.join(options.runDirectory, "links"), { recursive: true });
      const known = new Set([
        ...(await readdir(path.join(options.runDirectory, "links"))),
        ...(await readdir(namespaces).catch(() => [])),
      ]);
      for (const podUid of known) {
        const text = await readFile(recordFile(podUid), "utf8").catch(() => "");
        const record = parseRecord(text);
        const alive = record && podUids.has(podUid) && isAttached(record);
        if (alive && pool.claim(podUid, record.ip)) records.set(podUid, record);
        else await removeNow(podUid);
      }
      announce();
    },

    async attach(request: AttachRequest) {
      const held = records.get(request.podUid);
      if (held) return held;
      const ip = pool.allocate(request.podUid);
      const record: PodRecord = {
        podUid: request.podUid,
        ip,
        networkNamespacePath: namespaceFile(request.podUid),
        podName: request.podName,
        podNamespace: request.podNamespace,
        hostPorts: request.hostPorts,
        ...(request.asksForNeighbours && { hasOwnStack: true as const }),
      };
      try {
        createPodLink(socket, {
          podUid: request.podUid,
          namespaceFile: record.networkNamespacePath,
          ...(request.namespacePath && { madeNamespace: request.namespacePath }),
          ip,
          nodeAddress: pool.gateway,
          linkPrefix: options.linkPrefix,
          mtu: options.mtu ?? MTU_BYTES,
          answersAsGateway: request.asksForNeighbours ?? false,
          failpoint,
        });
      } catch (error) {
        await removeNow(request.podUid);
        throw error;
      }
      records.set(request.podUid, record);
      if (request.hostPorts.length > 0) announce();
      writeFileSync(recordFile(request.podUid), JSON.stringify(record));
      failpoint("network-record");
      return record;
    },

    restore(podUid) {
      const record = records.get(podUid);
      if (record) restorePodLink(record.networkNamespacePath, record.ip);
    },

    detach: (podUid) => remove(podUid),
    attachment: (podUid) => records.get(podUid),
    counters() {
      const links = readLinkCounters();
      return new Map(
        [...records.keys()].flatMap((podUid) => {
          const ours = links.get(hostLinkName(linkPrefix, podUid));
          return ours ? [[podUid, mirrored(ours)] as const] : [];
        }),
      );
    },

    async connect(podUid, address) {
      const record = records.get(podUid);
      if (!record) throw new Error(`Cannot connect to pod "${podUid}" as it has no network`);
      const loopback = address.host === "localhost" || address.host.startsWith("127.");
      if (loopback && record.hasOwnStack) {
        // Its loopback is out of reach: what listens on all addresses answers on the pod's.
        return connected(connect({ host: record.ip, port: address.port }));
      }
      if (loopback) {
        const { port } = address;
        return connectToLoopback(record.networkNamespacePath, { port, timeoutMs: CONNECT_MS });
      }
      return connected(connect({ host: address.host, port: address.port }));
    },

    async [Symbol.asyncDispose]() {
      socket[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}

function parseRecord(text: string): PodRecord | undefined {
  try {
    const record = JSON.parse(text) as PodRecord;
    return typeof record.ip === "string" && Array.isArray(record.hostPorts) ? record : undefined;
  } catch {
    return undefined; // cut short by a crash: the pod is set up anew
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
