import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { LEASES, NODES } from "../../api/generated/resources.ts";
import type { Lease } from "../../api/generated/types/coordination-v1.ts";
import type { Node, NodeStatus, Taint } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import type { InformerFactory, Lister } from "../../client/informer.ts";
import { type Clock, formatMicroTime, type Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ReportingRules } from "../config/contract.ts";
import type { NodePressure } from "../eviction/contract.ts";
import type { ImageStore } from "../image/contract.ts";
import type { RuntimeHandler } from "../runtime/contract.ts";
import { type NodeResources, readSystemInfo } from "./node-facts.ts";
import {
  allocatableOf,
  conditionNews,
  conditionsOf,
  missingLabels,
  type NodeStatusPatch,
  nodeLabels,
  runtimeHandlersOf,
  statusChanged,
} from "./node-status-plan.ts";

/** What the node says about itself. */
export interface NodeStatusOptions {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  logger: Logger;
  name: string;
  ip: string;
  /** Port of the agent's HTTPS endpoint. */
  agentPort: number;
  capacity: NodeResources;
  allocatable: NodeResources;
  versions: { kubelet: string; runtime: string };
  images: ImageStore;
  reporting: ReportingRules;
  /** What the Node is created with. */
  taints: readonly Taint[];
  providerId: string | undefined;
  handlers: () => readonly RuntimeHandler[];
  pressure: () => NodePressure;
  /** Why pods cannot run now; `undefined` when they can. */
  problem: () => string | undefined;
  /** Told the reason of an event for each condition that the Node did not have so before. */
  onNews: (reason: string) => void;
}

/** Keeps Node and Lease of this node current. */
export interface NodeStatusKeeper extends Disposable {
  /** Resolves when the API server has the first complete status. */
  readonly reported: Promise<void>;
  /** Looks again now, for example when `problem` changed. */
  refresh(): void;
}

const LEASE_NAMESPACE = "kube-node-lease";

/** Registers the node and reports until disposed. The Node object is created when it is missing. */
export function startNodeStatus(options: NodeStatusOptions): NodeStatusKeeper {
  const { clock, logger, informers, name } = options;
  const nodes = informers.informer(NODES, { fieldSelector: `metadata.name=${name}` });
  let timer: Timer | undefined;
  let disposed = false;
  let running = false;
  let again = false;
  let writtenAtMs: number | undefined;
  let resolveReported: () => void = () => {};
  const reported = new Promise<void>((resolve) => {
    resolveReported = resolve;
  });

  const round = async () => {
    running = true;
    timer?.cancel();
    try {
      writtenAtMs = await report(options, { nodes, writtenAtMs });
      resolveReported();
      await renewLease(options);
    } catch (error) {
      logger.warn("the node's status could not be reported", { error });
    }
    running = false;
    if (disposed) return;
    const delayMs = again ? 0 : writtenAtMs === undefined ? 1_000 : options.reporting.heartbeatMs;
    again = false;
    timer = clock.setTimer(delayMs, () => void round());
  };
  const refresh = () => {
    if (running) again = true;
    else void round();
  };
  void round();
  // Somebody may add a resource, or have called the node unreachable.
  const following = nodes.onChange(({ type, object }) => {
    if (type === "deleted" || object.metadata?.name !== name || running) return;
    const stored = object.status ?? {};
    if (writtenAtMs !== undefined && statusChanged(stored, statusOf(options, stored))) refresh();
  });
  return {
    reported,
    refresh,
    [Symbol.dispose]() {
      disposed = true;
      timer?.cancel();
      following[Symbol.dispose]();
      nodes[Symbol.dispose]();
    },
  };
}

/** Resolves with the time of the last write. */
async function report(
  options: NodeStatusOptions,
  { nodes, writtenAtMs }: { nodes: Lister<Node>; writtenAtMs: number | undefined },
): Promise<number> {
  const { clock, name } = options;
  const known = nodes.get(undefined, name);
  const node = writtenAtMs === undefined || !known ? await ensureNode(options) : known;
  const nowMs = clock.now();
  const status = statusOf(options, node.status ?? {});
  const due = writtenAtMs === undefined || nowMs - writtenAtMs >= options.reporting.reportMs;
  if (!due && !statusChanged(node.status ?? {}, status)) return writtenAtMs;
  try {
    await write(options, status);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureNode(options); // somebody deleted the Node: it registers anew
    await write(options, status);
  }
  for (const reason of conditionNews(node.status?.conditions ?? [], status.conditions ?? [])) {
    options.onNews(reason);
  }
  return nowMs;
}

/** Merged by condition type and resource name: what others keep there stays. */
async function write({ client, name }: NodeStatusOptions, status: NodeStatusPatch): Promise<void> {
  const options = { subresource: "status", type: "strategic" } as const;
  await client.for(NODES).patch({ name }, { status }, options);
}

async function ensureNode(options: NodeStatusOptions): Promise<Node> {
  const { client, name } = options;
  const nodes = client.for(NODES);
  const { architecture } = readSystemInfo(options.versions);
  const labels = nodeLabels({ name, architecture });
  try {
    return await nodes.create(newNode({ ...options, labels }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const found = await nodes.get({ name });
  const missing = missingLabels(found, labels);
  if (Object.keys(missing).length === 0) return found;
  return await nodes.patch({ name }, { metadata: { labels: missing } });
}

/** A Node that registers itself. */
export function newNode(of: {
  name: string;
  labels: Record<string, string>;
  taints: readonly Taint[];
  providerId: string | undefined;
}): Node {
  const { name, labels, taints, providerId } = of;
  const spec = {
    ...(taints.length > 0 ? { taints: [...taints] } : {}),
    ...(providerId === undefined ? {} : { providerID: providerId }),
  };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec };
}

function statusOf(options: NodeStatusOptions, stored: NodeStatus): NodeStatusPatch {
  const { name, ip, agentPort, capacity, images, clock } = options;
  const { imagesMax } = options.reporting;
  const health = { pressure: options.pressure(), problem: options.problem() };
  return {
    capacity: { ...capacity },
    allocatable: allocatableOf(options, stored),
    addresses: [
      { type: "InternalIP", address: ip },
      { type: "Hostname", address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: agentPort } },
    nodeInfo: readSystemInfo(options.versions),
    runtimeHandlers: runtimeHandlersOf(options.handlers()),
    conditions: conditionsOf(health, stored.conditions ?? [], clock.now()),
    images: images
      .list()
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, imagesMax < 0 ? undefined : imagesMax)
      .map(({ references, sizeBytes }) => ({ names: [...references], sizeBytes })),
  };
}

async function renewLease({ client, clock, name, reporting }: NodeStatusOptions): Promise<void> {
  const leases = client.for(LEASES);
  const renewTime = formatMicroTime(clock.now());
  const ref = { name, namespace: LEASE_NAMESPACE };
  try {
    await leases.patch(ref, { spec: { renewTime } });
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const node = await client.for(NODES).get({ name });
  const lease: Lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      ...ref,
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: node.metadata?.uid ?? "" }],
    },
    spec: { holderIdentity: name, leaseDurationSeconds: reporting.leaseSeconds, renewTime },
  };
  await leases.create(lease);
}
