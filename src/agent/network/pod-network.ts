import { writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import path from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { unmountAside } from "../../sys/mount.ts";
import { connectToLoopback } from "../../sys/namespaced-connect.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";
import { isNetworkNamespace, removeNetworkNamespace } from "../../sys/network-namespace.ts";
import { mirrored, readLinkCounters } from "../link-counters.ts";
import { createAddressPool } from "./address-pool.ts";
import type { AttachRequest, HostPort, PodAttachment, PodNetwork } from "./contract.ts";
import type { NetworkFailpoint } from "./failpoints.ts";
import { prepareNode } from "./node-link.ts";
import {
  createPodLink,
  createSpareLink,
  deletePodLink,
  hasLink,
  hostLinkName,
  restorePodLink,
} from "./pod-link.ts";
import { createSpareLinks } from "./spare-links.ts";

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
  /** Makes up to `max` networks ahead while no pod comes; one at most when absent. */
  ahead?: { clock: Clock; max: number };
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
  /** Of the host end, when it was made before the pod. */
  linkName?: string;
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

  const linkOptions = {
    nodeAddress: pool.gateway,
    linkPrefix,
    mtu: options.mtu ?? MTU_BYTES,
    failpoint,
  };
  const spares = createSpareLinks({
    pool,
    make: (ip) => createSpareLink(socket, { ...linkOptions, ip }),
    logger: options.logger,
    ...(options.ahead && { ahead: options.ahead }),
  });

  const linkNameOf = (record: PodRecord) =>
    record.linkName ?? hostLinkName(linkPrefix, record.podUid);

  /** Gives the pod what was made ahead. False when there is none, or it is not what it was. */
  const adoptSpare = (record: PodRecord): boolean => {
    const { podUid, networkNamespacePath, hasOwnStack = false } = record;
    using spare = spares.take();
    if (!spare) return false;
    const { ip, name } = spare;
    try {
      spare.adopt(networkNamespacePath, { answersAsGateway: hasOwnStack });
    } catch (error) {
      options.logger.warn("cannot use the network that was made ahead", { podUid, error });
      removeNetworkNamespace(networkNamespacePath);
      return false;
    }
    pool.claim(podUid, ip);
    record.ip = ip;
    record.linkName = name;
    return true;
  };

  /** What waits for a pod gives way to one that is there. @throws RangeError */
  const allocate = (podUid: string): string => {
    for (;;) {
      try {
        return pool.allocate(podUid);
      } catch (error) {
        using spare = spares.take();
        if (!spare) throw error;
      }
    }
  };

  const announce = () =>
    options.onHostPorts?.(
      [...records.values()].flatMap((record) =>
        record.hostPorts.map((port) => ({ ...port, podIp: record.ip })),
      ),
    );

  /** After a reboot the namespace is gone; with a node's own namespace went the host end. */
  const isAttached = (record: PodRecord): boolean =>
    isNetworkNamespace(record.networkNamespacePath) && hasLink(socket, linkNameOf(record));

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
  const removeNow = async (podUid: string, linkName = hostLinkName(linkPrefix, podUid)) => {
    deletePodLink(socket, namespaceFile(podUid), linkName);
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
        else await removeNow(podUid, record?.linkName);
      }
      spares.begin();
      announce();
    },

    async attach(request: AttachRequest) {
      const { podUid } = request;
      const held = records.get(podUid);
      if (held) return held;
      spares.podComes();
      const record: PodRecord = {
        podUid,
        ip: "",
        networkNamespacePath: namespaceFile(podUid),
        podName: request.podName,
        podNamespace: request.podNamespace,
        hostPorts: request.hostPorts,
        ...(request.asksForNeighbours && { hasOwnStack: true as const }),
      };
      // One that was made for the pod wants a link and an address of its own.
      if (request.namespacePath || !adoptSpare(record)) {
        record.ip = allocate(podUid);
        try {
          createPodLink(socket, {
            ...linkOptions,
            podUid,
            namespaceFile: record.networkNamespacePath,
            ...(request.namespacePath && { madeNamespace: request.namespacePath }),
            ip: record.ip,
            answersAsGateway: request.asksForNeighbours ?? false,
          });
        } catch (error) {
          await removeNow(podUid);
          throw error;
        }
      }
      records.set(podUid, record);
      if (request.hostPorts.length > 0) announce();
      writeFileSync(recordFile(podUid), JSON.stringify(record));
      failpoint("network-record");
      return record;
    },

    prepareNext: (isAlone) => spares.prepareNext(isAlone),

    restore(podUid) {
      const record = records.get(podUid);
      if (record) restorePodLink(record.networkNamespacePath, record.ip);
    },

    detach: (podUid) => remove(podUid),
    attachment: (podUid) => records.get(podUid),
    counters() {
      const links = readLinkCounters();
      return new Map(
        [...records].flatMap(([podUid, record]) => {
          const ours = links.get(linkNameOf(record));
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
      spares[Symbol.dispose]();
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
