import { diskUsage } from "../agent/eviction/disk-usage.ts";
import type { NetworkCounters } from "../agent/network/contract.ts";
import type { ContainerStats as ContainerUsage, SandboxStats } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import type { CgroupUsage } from "../sys/cgroup.ts";
import {
  type CriContext,
  hasLabels,
  nanoseconds,
  requireContainer,
  requireSandbox,
} from "./cri-context.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import type { ContainerRecord, SandboxRecord } from "./record-table.ts";

type Stats = Outgoing<cri.ContainerStats>;

/** Use of one running container. @throws GrpcError */
export async function containerStats(
  context: CriContext,
  { containerId }: cri.ContainerStatsRequest,
): Promise<Outgoing<cri.ContainerStatsResponse>> {
  const record = requireContainer(context, containerId);
  const { atMs, containers } = await context.runtime.stats(record.sandboxId);
  const usage = containers.find(({ id }) => id === record.id);
  if (usage) return { stats: await statsOf(context, record, { atMs, usage }) };
  throw new GrpcError("failed-precondition", `container "${record.id}" does not run`);
}

/** Use of the running containers that a filter lets through. */
export async function listContainerStats(
  context: CriContext,
  { filter }: cri.ListContainerStatsRequest,
): Promise<Outgoing<cri.ListContainerStatsResponse>> {
  const wanted = context.containers
    .all()
    .filter(
      ({ id, sandboxId, config }) =>
        id.startsWith(filter?.id ?? "") &&
        sandboxId.startsWith(filter?.podSandboxId ?? "") &&
        hasLabels(config.labels, filter?.labelSelector),
    );
  const ids = new Set(wanted.map(({ id }) => id));
  const sandboxes = [...new Set(wanted.map(({ sandboxId }) => sandboxId))];
  const read = await Promise.all(sandboxes.map((id) => statsIn(context, id)));
  return { stats: read.flat().filter(({ attributes }) => ids.has(attributes?.id ?? "")) };
}

/** Of the running containers of a sandbox; one that ends meanwhile is left out. */
async function statsIn(context: CriContext, sandboxId: string): Promise<Stats[]> {
  const read = await usageOf(context, sandboxId);
  const known = (read?.containers ?? []).flatMap((usage) => {
    const record = context.containers.find(usage.id);
    return record ? [{ record, usage }] : [];
  });
  const atMs = read?.atMs ?? 0;
  return Promise.all(known.map(({ record, usage }) => statsOf(context, record, { atMs, usage })));
}

/** Undefined when the sandbox is gone. */
async function usageOf({ runtime }: CriContext, id: string): Promise<SandboxStats | undefined> {
  return await runtime.stats(id).catch(() => undefined);
}

async function statsOf(
  { runtime }: CriContext,
  { id, config }: ContainerRecord,
  { atMs, usage }: { atMs: number; usage: ContainerUsage },
): Promise<Stats> {
  const directory = runtime.writableLayer(id);
  const written = await diskUsage(directory);
  const timestamp = nanoseconds(atMs);
  return {
    attributes: {
      id,
      metadata: config.metadata,
      labels: config.labels,
      annotations: config.annotations,
    },
    ...processorAndMemory(usage, timestamp),
    writableLayer: {
      timestamp,
      fsId: { mountpoint: directory },
      usedBytes: { value: written.bytes },
      inodesUsed: { value: written.inodes },
    },
  };
}

function processorAndMemory(usage: CgroupUsage, timestamp: number) {
  return {
    cpu: { timestamp, usageCoreNanoSeconds: { value: usage.cpuNanoseconds } },
    memory: {
      timestamp,
      workingSetBytes: { value: usage.workingSetBytes },
      usageBytes: { value: usage.memoryBytes },
      rssBytes: { value: usage.residentBytes },
      pageFaults: { value: usage.pageFaults },
      majorPageFaults: { value: usage.majorPageFaults },
    },
  };
}

/** Use of one sandbox. @throws GrpcError "not-found" */
export async function sandboxStats(
  context: CriContext,
  { podSandboxId }: cri.PodSandboxStatsRequest,
): Promise<Outgoing<cri.PodSandboxStatsResponse>> {
  const record = requireSandbox(context, podSandboxId);
  const counters = context.network.current()?.counters();
  return { stats: await describe(context, record, counters) };
}

/** Use of the ready sandboxes that a filter lets through. */
export async function listSandboxStats(
  context: CriContext,
  { filter }: cri.ListPodSandboxStatsRequest,
): Promise<Outgoing<cri.ListPodSandboxStatsResponse>> {
  const counters = context.network.current()?.counters();
  const wanted = context.sandboxes
    .all()
    .filter(
      ({ id, config, ready }) =>
        ready && id.startsWith(filter?.id ?? "") && hasLabels(config.labels, filter?.labelSelector),
    );
  return { stats: await Promise.all(wanted.map((each) => describe(context, each, counters))) };
}

async function describe(
  context: CriContext,
  { id, config }: SandboxRecord,
  counters: ReadonlyMap<string, NetworkCounters> | undefined,
): Promise<Outgoing<cri.PodSandboxStats>> {
  const usage = await usageOf(context, id);
  const timestamp = nanoseconds(usage?.atMs ?? context.clock.now());
  const traffic = counters?.get(id);
  return {
    attributes: {
      id,
      metadata: config.metadata,
      labels: config.labels,
      annotations: config.annotations,
    },
    linux: {
      ...(usage && processorAndMemory(usage, timestamp)),
      ...(usage && { process: { timestamp, processCount: { value: usage.tasks } } }),
      ...(traffic && {
        network: {
          timestamp,
          defaultInterface: {
            name: "eth0",
            rxBytes: { value: traffic.receivedBytes },
            rxErrors: { value: traffic.receiveErrors },
            txBytes: { value: traffic.sentBytes },
            txErrors: { value: traffic.sendErrors },
          },
        },
      }),
      containers: await statsIn(context, id),
    },
  };
}
