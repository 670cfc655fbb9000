import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily, Sample } from "../../lib/prometheus.ts";
import type { GroupStats } from "../runtime/contract.ts";
import { type MachineFacts, machineMetrics } from "./cadvisor-machine.ts";
import { CGROUP_METRICS, DISK_METRICS, NETWORK_METRICS, SPEC_METRICS } from "./cadvisor-tables.ts";
import type { NodeUsage, PodUsage } from "./contract.ts";
import { podLabels } from "./resource-metrics.ts";

type Labels = Readonly<Record<string, string>>;

/** A control group as cAdvisor tells of it. */
interface Group {
  labels: Labels;
  atMs: number;
  stats: GroupStats;
  /** Of a container alone. */
  container?: { spec: Container | undefined; startedAtMs: number };
}

/** What `/metrics/cadvisor` tells, under cAdvisor's names: dashboards are made of these. */
export function cadvisorMetrics(
  node: NodeUsage,
  pods: readonly PodUsage[],
  machine: MachineFacts,
): MetricFamily[] {
  const groups = [...nodeGroups(node), ...pods.flatMap(podGroups)];
  const containers = groups.filter(({ container }) => container);
  const gauge = (name: string, help: string, samples: Sample[]): MetricFamily => {
    return { name, type: "gauge", help, samples };
  };
  return [
    ...CGROUP_METRICS.map(([name, type, help, of, more]): MetricFamily => {
      const samples = groups.flatMap((group) => {
        const value = of(group.stats);
        return value === undefined ? [] : [sampleOf(group, value, more)];
      });
      return { name, type, help, samples };
    }),
    ...DISK_METRICS.map(([name, help, of]): MetricFamily => {
      const samples = groups.flatMap((group) =>
        (group.stats.details?.disks ?? []).map((disk) =>
          sampleOf(group, of(disk), { device: disk.device }),
        ),
      );
      return { name: `container_fs_${name}_total`, type: "counter", help, samples };
    }),
    ...NETWORK_METRICS.map(([name, help, of]): MetricFamily => {
      const samples = pods.flatMap((usage) => {
        if (!usage.network) return [];
        const labels = { ...groupLabels(usage), interface: "eth0" };
        return [{ labels, value: of(usage.network), atMs: usage.stats.atMs }];
      });
      return { name: `container_network_${name}_total`, type: "counter", help, samples };
    }),
    {
      name: "container_memory_failures_total",
      type: "counter",
      help: "Cumulative count of memory allocation failures.",
      samples: groups.flatMap(memoryFailures),
    },
    gauge(
      "container_start_time_seconds",
      "Start time of the container since unix epoch in seconds.",
      containers.map(({ labels, container }) => {
        return { labels, value: (container?.startedAtMs ?? 0) / 1000 };
      }),
    ),
    gauge(
      "container_last_seen",
      "Last time a container was seen by the exporter",
      containers.map(({ labels, atMs }) => ({ labels, value: atMs / 1000 })),
    ),
    ...SPEC_METRICS.map(([name, help, of]) => {
      const samples = containers.flatMap(({ labels, container }) => {
        const value = container?.spec && of(container.spec);
        return value === undefined ? [] : [{ labels, value }];
      });
      return gauge(name, help, samples);
    }),
    gauge("container_scrape_error", SCRAPE_ERROR, [{ value: 0 }]),
    ...machineMetrics(node, machine),
  ];
}

const SCRAPE_ERROR = "1 if there was an error while getting container metrics, 0 otherwise";

function sampleOf({ labels, atMs }: Group, value: number, more: Labels = {}): Sample {
  return { labels: { ...labels, ...more }, value, atMs };
}

/** Of a container itself, and with what is below: a pod has its containers there. */
function memoryFailures(group: Group): Sample[] {
  const { pageFaults, majorPageFaults } = group.stats;
  const scopes = group.container ? ["container", "hierarchy"] : ["hierarchy"];
  return scopes.flatMap((scope) => [
    sampleOf(group, pageFaults, { failure_type: "pgfault", scope }),
    sampleOf(group, majorPageFaults, { failure_type: "pgmajfault", scope }),
  ]);
}

const NO_LABELS = { container: "", id: "/", image: "", name: "", namespace: "", pod: "" };

/** The whole machine, and all pods of it. */
function nodeGroups(node: NodeUsage): Group[] {
  const { atMs } = node;
  const root = { labels: NO_LABELS, atMs, stats: { ...node, tasks: node.processes } };
  if (!node.pods) return [root];
  return [root, { labels: { ...NO_LABELS, id: "/kubepods" }, atMs, stats: node.pods }];
}

/** A pod's own group, which has no container name, as in cAdvisor, and those of its containers. */
function podGroups(usage: PodUsage): Group[] {
  const { stats, pod } = usage;
  const specs = containersOf(pod);
  return [
    { labels: groupLabels(usage), atMs: stats.atMs, stats },
    ...stats.containers.map((one): Group => {
      const spec = specs.find(({ name }) => name === one.name);
      const container = { spec, startedAtMs: one.startedAtMs };
      return { labels: groupLabels(usage, one), atMs: stats.atMs, stats: one, container };
    }),
  ];
}

/** Sidecars and debuggers run beside the others. */
function containersOf({ spec }: Pod): Container[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers];
}

/** Named as a kubelet's groups, wherever they are. */
function groupLabels(usage: PodUsage, container?: { id: string; name: string }): Labels {
  const { metadata, status } = usage.pod;
  const { initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  const statuses = [
    ...initContainerStatuses,
    ...containerStatuses,
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const qos = status?.qosClass ?? "Guaranteed";
  const above = qos === "Guaranteed" ? "/kubepods" : `/kubepods/${qos.toLowerCase()}`;
  const pod = `${above}/pod${metadata?.uid ?? ""}`;
  return {
    container: container?.name ?? "",
    id: container ? `${pod}/${container.id}` : pod,
    image: statuses.find(({ name }) => name === container?.name)?.image ?? "",
    name: container?.id ?? "",
    ...podLabels(usage),
  };
}
