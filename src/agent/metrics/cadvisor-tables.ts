import type { Container } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";
import type { DiskTraffic } from "../../sys/cgroup-details.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { GroupStats } from "../runtime/contract.ts";

// Names and types of cAdvisor's metrics, and where their values come from.

export type CgroupMetric = [
  name: string,
  type: "counter" | "gauge",
  help: string,
  of: (usage: GroupStats) => number | undefined,
  labels?: Record<string, string>,
];

/** Of a pod, of each container and of the groups above. */
export const CGROUP_METRICS: readonly CgroupMetric[] = [
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
  ["container_processes", "gauge", "Processes in the group", ({ details }) => details?.processes],
  [
    "container_file_descriptors",
    "gauge",
    "Files that these processes have open",
    ({ details }) => details?.openFiles,
  ],
  [
    "container_memory_failcnt",
    "counter",
    "How often memory met its limit",
    ({ details }) => details?.memoryLimitHits,
  ],
  [
    "container_memory_max_usage_bytes",
    "gauge",
    "The most memory so far, in bytes",
    ({ details }) => details?.memoryPeakBytes,
  ],
  [
    "container_memory_kernel_usage",
    "gauge",
    "Memory of the kernel for the group, in bytes",
    ({ details }) => details?.kernelBytes,
  ],
  [
    "container_memory_total_active_file_bytes",
    "gauge",
    "Page cache that was used lately, in bytes",
    ({ details }) => details?.activeFileBytes,
  ],
  [
    "container_memory_total_inactive_file_bytes",
    "gauge",
    "Page cache that may be taken back at once, in bytes",
    ({ details }) => details?.inactiveFileBytes,
  ],
  [
    "container_oom_events_total",
    "counter",
    "Processes that the kernel killed for want of memory",
    ({ details }) => details?.oomKills,
  ],
];

export type DiskMetric = [name: string, help: string, of: (disk: DiskTraffic) => number];

/** Their names follow "container_fs_". */
export const DISK_METRICS: readonly DiskMetric[] = [
  ["reads", "Reads that a device has finished", ({ reads }) => reads],
  ["reads_bytes", "Bytes that a device has read", ({ readBytes }) => readBytes],
  ["writes", "Writes that a device has finished", ({ writes }) => writes],
  ["writes_bytes", "Bytes that a device has written", ({ writtenBytes }) => writtenBytes],
];

export type NetworkMetric = [name: string, help: string, of: (counters: NetworkCounters) => number];

/** Their names follow "container_network_". */
export const NETWORK_METRICS: readonly NetworkMetric[] = [
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

export type SpecMetric = [
  name: string,
  help: string,
  of: (container: Container) => number | undefined,
];

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

/** What a container was promised. */
export const SPEC_METRICS: readonly SpecMetric[] = [
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
