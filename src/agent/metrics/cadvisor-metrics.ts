import type { Container } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily, Sample } from "../../lib/prometheus.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";
import type { CgroupUsage } from "../../sys/cgroup.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { NodeUsage, PodUsage } from "./contract.ts";
import { podLabels } from "./resource-metrics.ts";

type CgroupMetric = [
  name: string,
  type: "counter" | "gauge",
  help: string,
  of: (usage: CgroupUsage) => number | undefined,
  labels?: Record<string, string>,
];

const CGROUP_METRICS: readonly CgroupMetric[] = [
  [
    "container_cpu_usage_seconds_total",
    "counter",
    "Cumulative cpu time consumed in seconds.",
    ({ cpuNanoseconds }) => cpuNanoseconds / 1e9,
    { cpu: "total" },
  ],
  [
    "container_cpu_user_seconds_total",
    "counter",
    "Cumulative user cpu time consumed in seconds.",
    ({ cpuModes }) => cpuModes && cpuModes.userNanoseconds / 1e9,
  ],
  [
    "container_cpu_system_seconds_total",
    "counter",
    "Cumulative system cpu time consumed in seconds.",
    ({ cpuModes }) => cpuModes && cpuModes.systemNanoseconds / 1e9,
  ],
  [
    "container_memory_mapped_file",
    "gauge",
    "Size of memory mapped files in bytes.",
    ({ mappedBytes }) => mappedBytes,
  ],
  [
    "container_memory_swap",
    "gauge",
    "Container swap usage in bytes.",
    ({ swapBytes }) => swapBytes,
  ],
  [
    "container_memory_usage_bytes",
    "gauge",
    "Current memory usage in bytes, including all memory regardless of when it was accessed",
    ({ memoryBytes }) => memoryBytes,
  ],
  [
    "container_memory_working_set_bytes",
    "gauge",
    "Current working set in bytes.",
    ({ workingSetBytes }) => workingSetBytes,
  ],
  ["container_memory_rss", "gauge", "Size of RSS in bytes.", ({ residentBytes }) => residentBytes],
  [
    "container_memory_cache",
    "gauge",
    "Number of bytes of page cache memory.",
    ({ cacheBytes }) => cacheBytes,
  ],
  [
    "container_cpu_cfs_periods_total",
    "counter",
    "Number of elapsed enforcement period intervals.",
    ({ throttling }) => throttling?.periods,
  ],
  [
    "container_cpu_cfs_throttled_periods_total",
    "counter",
    "Number of throttled period intervals.",
    ({ throttling }) => throttling?.throttled,
  ],
  [
    "container_cpu_cfs_throttled_seconds_total",
    "counter",
    "Total time duration the container has been throttled.",
    ({ throttling }) => throttling && throttling.throttledNanoseconds / 1e9,
  ],
  [
    "container_threads",
    "gauge",
    "Number of threads running inside the container",
    ({ tasks }) => tasks,
  ],
];

type NetworkMetric = [name: string, help: string, of: (counters: NetworkCounters) => number];

const NETWORK_METRICS: readonly NetworkMetric[] = [
  ["receive_bytes", "Cumulative count of bytes received", (one) => one.receivedBytes],
  ["receive_packets", "Cumulative count of packets received", (one) => one.receivedPackets],
  ["receive_errors", "Cumulative count of errors while receiving", (one) => one.receiveErrors],
  [
    "receive_packets_dropped",
    "Cumulative count of packets dropped while receiving",
    (one) => one.receiveDrops,
  ],
  ["transmit_bytes", "Cumulative count of bytes transmitted", (one) => one.sentBytes],
  ["transmit_packets", "Cumulative count of packets transmitted", (one) => one.sentPackets],
  ["transmit_errors", "Cumulative count of errors while transmitting", (one) => one.sendErrors],
  [
    "transmit_packets_dropped",
    "Cumulative count of packets dropped while transmitting",
    (one) => one.sendDrops,
  ],
];

/** What `/metrics/cadvisor` tells, under cAdvisor's names: dashboards are made of these. */
export function cadvisorMetrics(node: NodeUsage, pods: readonly PodUsage[]): MetricFamily[] {
  const everywhere = <T>(of: (usage: PodUsage) => T[]): T[] => pods.flatMap(of);
  const groups = CGROUP_METRICS.map(
    ([name, type, help, of, labels]): MetricFamily => ({
      name,
      type,
      help,
      samples: everywhere((usage) => cgroupSamples(usage, of, labels ?? {})),
    }),
  );
  const traffic = NETWORK_METRICS.map(
    ([name, help, of]): MetricFamily => ({
      name: `container_network_${name}_total`,
      type: "counter",
      help,
      samples: everywhere((usage) =>
        usage.network
          ? [
              {
                labels: { ...groupLabels(usage), interface: "eth0" },
                value: of(usage.network),
                atMs: usage.stats.atMs,
              },
            ]
          : [],
      ),
    }),
  );
  const starts = everywhere((usage) =>
    usage.stats.containers.map(({ id, name, startedAtMs }) => ({
      labels: groupLabels(usage, { id, name }),
      value: startedAtMs / 1000,
    })),
  );
  const gauge = (name: string, help: string, samples: Sample[]): MetricFamily => {
    return { name, type: "gauge", help, samples };
  };
  return [
    ...groups,
    {
      name: "container_memory_failures_total",
      type: "counter",
      help: "Cumulative count of memory allocation failures.",
      samples: everywhere(memoryFailures),
    },
    ...traffic,
    gauge(
      "container_start_time_seconds",
      "Start time of the container since unix epoch in seconds.",
      starts,
    ),
    gauge(
      "container_last_seen",
      "Last time a container was seen by the exporter",
      everywhere((usage) =>
        usage.stats.containers.map((one) => ({
          labels: groupLabels(usage, one),
          value: usage.stats.atMs / 1000,
        })),
      ),
    ),
    ...specMetrics(everywhere),
    gauge("container_scrape_error", SCRAPE_ERROR, [{ value: 0 }]),
    gauge("machine_scrape_error", SCRAPE_ERROR, [{ value: 0 }]),
    gauge("machine_swap_bytes", "Amount of swap memory available on the machine.", [
      { value: node.swapCapacityBytes },
    ]),
    gauge("machine_cpu_cores", "Number of logical CPU cores.", [{ value: node.cpuCores }]),
    gauge("machine_memory_bytes", "Amount of memory installed on the machine.", [
      { value: node.memoryCapacityBytes },
    ]),
  ];
}

const SCRAPE_ERROR = "1 if there was an error while getting container metrics, 0 otherwise";

/** Of a container itself, and with what is below: a pod has its containers there. */
function memoryFailures({ stats, ...usage }: PodUsage): Sample[] {
  const of = (
    own: Record<string, string>,
    { failures, scopes }: { failures: CgroupUsage; scopes: readonly string[] },
  ): Sample[] =>
    scopes.flatMap((scope) => [
      {
        labels: { ...own, failure_type: "pgfault", scope },
        value: failures.pageFaults,
        atMs: stats.atMs,
      },
      {
        labels: { ...own, failure_type: "pgmajfault", scope },
        value: failures.majorPageFaults,
        atMs: stats.atMs,
      },
    ]);
  const pod = { ...usage, stats };
  return [
    ...of(groupLabels(pod), { failures: stats, scopes: ["hierarchy"] }),
    ...stats.containers.flatMap((one) =>
      of(groupLabels(pod, one), { failures: one, scopes: ["container", "hierarchy"] }),
    ),
  ];
}

type SpecMetric = [name: string, help: string, of: (container: Container) => number | undefined];

const CPU_PERIOD_US = 100_000;
const CPU_SHARES_MIN = 2;
/** Of a whole CPU. */
const CPU_SHARES = 1024;

function cpuShares({ resources }: Container): number {
  const quantity = resources?.requests?.["cpu"] ?? resources?.limits?.["cpu"] ?? "0";
  return Math.max(CPU_SHARES_MIN, Math.floor((quantityToMilli(quantity) * CPU_SHARES) / 1000));
}

const cpuLimit = ({ resources }: Container): number | undefined => {
  const quantity = resources?.limits?.["cpu"];
  return quantity === undefined ? undefined : quantityToMilli(quantity);
};

const SPEC_METRICS: readonly SpecMetric[] = [
  ["container_spec_cpu_shares", "CPU share of the container.", cpuShares],
  [
    "container_spec_memory_limit_bytes",
    "Memory limit for the container.",
    ({ resources }) => quantityToNumber(resources?.limits?.["memory"] ?? "0"),
  ],
  [
    "container_spec_cpu_period",
    "CPU period of the container.",
    (container) => (cpuLimit(container) === undefined ? undefined : CPU_PERIOD_US),
  ],
  [
    "container_spec_cpu_quota",
    "CPU quota of the container.",
    (container) => {
      const milli = cpuLimit(container);
      return milli === undefined ? undefined : (milli * CPU_PERIOD_US) / 1000;
    },
  ],
];

/** What running containers were promised. */
function specMetrics(everywhere: (of: (usage: PodUsage) => Sample[]) => Sample[]): MetricFamily[] {
  return SPEC_METRICS.map(([name, help, of]) => ({
    name,
    type: "gauge",
    help,
    samples: everywhere((usage) =>
      usage.stats.containers.flatMap((one) => {
        const container = usage.pod.spec?.containers.find(({ name }) => name === one.name);
        const value = container && of(container);
        return value === undefined ? [] : [{ labels: groupLabels(usage, one), value }];
      }),
    ),
  }));
}

/** A pod's own group has no container name, as in cAdvisor. */
function cgroupSamples(
  usage: PodUsage,
  of: (usage: CgroupUsage) => number | undefined,
  labels: Record<string, string>,
): Sample[] {
  const { stats } = usage;
  const { atMs } = stats;
  const sample = (own: Record<string, string>, value: number | undefined): Sample[] =>
    value === undefined ? [] : [{ labels: { ...own, ...labels }, value, atMs }];
  return [
    ...sample(groupLabels(usage), of(stats)),
    ...stats.containers.flatMap((one) => sample(groupLabels(usage, one), of(one))),
  ];
}

function groupLabels(
  usage: PodUsage,
  container?: { id: string; name: string },
): Record<string, string> {
  const { uid = "" } = usage.pod.metadata ?? {};
  const status = usage.pod.status?.containerStatuses?.find(({ name }) => name === container?.name);
  return {
    container: container?.name ?? "",
    id: container ? `/kubepods/pod${uid}/${container.id}` : `/kubepods/pod${uid}`,
    image: status?.image ?? "",
    name: container?.id ?? "",
    ...podLabels(usage),
  };
}
