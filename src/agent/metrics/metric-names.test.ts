import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import type { PodUsage } from "./contract.ts";
import { readNodeUsage } from "./node-usage.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { statsSummary } from "./stats-summary.ts";

const usage = {
  cpuNanoseconds: 3e9,
  cpuModes: { userNanoseconds: 2e9, systemNanoseconds: 1e9 },
  memoryBytes: 10,
  workingSetBytes: 5,
  residentBytes: 4,
  cacheBytes: 3,
  mappedBytes: 6,
  swapBytes: 7,
  pageFaults: 2,
  majorPageFaults: 1,
  tasks: 1,
};
const details = {
  disks: [
    {
      device: "/dev/vda",
      major: 254,
      minor: 0,
      reads: 1,
      writes: 2,
      readBytes: 3,
      writtenBytes: 4,
    },
  ],
  processes: 5,
  openFiles: 6,
  memoryPeakBytes: undefined,
  memoryLimitHits: 7,
  kernelBytes: 8,
  activeFileBytes: 9,
  inactiveFileBytes: 10,
  oomKills: 11,
};
const resources = { requests: { cpu: "500m" }, limits: { cpu: "1", memory: "1Mi" } };
const pod: Pod = {
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: { containers: [{ name: "app", image: "app:1", resources }] },
  status: { qosClass: "Burstable" },
};
const pods: PodUsage[] = [
  {
    pod,
    stats: {
      atMs: 0,
      ...usage,
      containers: [{ id: "c1", name: "app", startedAtMs: 0, ...usage, details }],
    },
  },
];
const node = readNodeUsage({ name: "n", nowMs: 0, directory: "/", imageDirectory: "/" });

const machine = {
  cores: 3,
  sockets: 1,
  system: {
    architecture: "amd64",
    bootID: "b1",
    containerRuntimeVersion: "r",
    kernelVersion: "6.1",
    kubeProxyVersion: "v1",
    kubeletVersion: "v1",
    machineID: "m1",
    operatingSystem: "linux",
    osImage: "Linux",
    systemUUID: "s1",
  },
};

/** Values by labels of one family, by the ids of their groups. */
function valuesOf(
  families: readonly MetricFamily[],
  name: string,
  by: readonly string[] = ["id", "container", "failure_type", "scope"],
): Record<string, number> {
  const family = families.find((one) => one.name === name);
  assert.ok(family, name);
  return Object.fromEntries(
    family.samples.map(({ labels = {}, value }) => {
      return [by.flatMap((label) => labels[label] ?? []).join(" "), value];
    }),
  );
}

const POD = "/kubepods/burstable/podu1";
const APP = `${POD}/c1 app`;

test("cAdvisor's names tell of processor modes, swap, faults and shares, of each group", () => {
  const families = cadvisorMetrics(node, pods, machine);
  const both = (value: number) => ({ [`${POD} `]: value, [APP]: value });
  assert.deepEqual(valuesOf(families, "container_cpu_user_seconds_total"), both(2));
  assert.deepEqual(valuesOf(families, "container_cpu_system_seconds_total"), both(1));
  assert.deepEqual(valuesOf(families, "container_memory_mapped_file"), both(6));
  assert.deepEqual(valuesOf(families, "container_memory_swap"), {
    "/ ": node.swapBytes,
    ...both(7),
  });
  assert.deepEqual(valuesOf(families, "container_memory_rss"), {
    "/ ": node.residentBytes,
    ...both(4),
  });
  assert.deepEqual(valuesOf(families, "container_spec_cpu_shares"), { [APP]: 512 });
  const {
    "/  pgfault hierarchy": _1,
    "/  pgmajfault hierarchy": _2,
    ...faults
  } = valuesOf(families, "container_memory_failures_total");
  assert.deepEqual(faults, {
    [`${POD}  pgfault hierarchy`]: 2,
    [`${POD}  pgmajfault hierarchy`]: 1,
    [`${APP} pgfault container`]: 2,
    [`${APP} pgmajfault container`]: 1,
    [`${APP} pgfault hierarchy`]: 2,
    [`${APP} pgmajfault hierarchy`]: 1,
  });
  assert.deepEqual(valuesOf(families, "container_scrape_error"), { "": 0 });
});

test("they tell of disks, files and limits where these were asked for", () => {
  const families = cadvisorMetrics(node, pods, machine);
  const told = Object.fromEntries(
    families
      .filter(({ name }) =>
        /_fs_|processes|descriptors|failcnt|max_us|kernel|active|oom/.test(name),
      )
      .map(({ name }) => [name, valuesOf(families, name, ["container", "device"])]),
  );
  assert.deepEqual(told, {
    container_processes: { app: 5 },
    container_file_descriptors: { app: 6 },
    container_memory_failcnt: { app: 7 },
    container_memory_max_usage_bytes: {},
    container_memory_kernel_usage: { app: 8 },
    container_memory_total_active_file_bytes: { app: 9 },
    container_memory_total_inactive_file_bytes: { app: 10 },
    container_oom_events_total: { app: 11 },
    container_fs_reads_total: { "app /dev/vda": 1 },
    container_fs_writes_total: { "app /dev/vda": 2 },
    container_fs_reads_bytes_total: { "app /dev/vda": 3 },
    container_fs_writes_bytes_total: { "app /dev/vda": 4 },
  });
});

test("they tell of the machine, and which one it is", () => {
  const families = cadvisorMetrics(node, pods, machine);
  const of = (name: string) => valuesOf(families, `machine_${name}`, ["boot_id"]);
  assert.deepEqual(of("cpu_physical_cores"), { b1: 3 });
  assert.deepEqual(of("cpu_sockets"), { b1: 1 });
  assert.deepEqual(of("cpu_cores"), { b1: node.cpuCores });
  assert.deepEqual(of("swap_bytes"), { b1: node.swapCapacityBytes });
  assert.deepEqual(of("scrape_error"), { "": 0 });
});

test("groups are named by their pod's class, and sidecars have their image", () => {
  const [usage] = pods;
  assert.ok(usage);
  const status = {
    qosClass: "BestEffort" as const,
    initContainerStatuses: [
      { name: "app", image: "side:1", imageID: "", ready: true, restartCount: 0 },
    ],
  };
  const families = cadvisorMetrics(node, [{ ...usage, pod: { ...pod, status } }], machine);
  assert.deepEqual(
    Object.keys(valuesOf(families, "container_memory_rss", ["id", "image"])).slice(1),
    ["/kubepods/besteffort/podu1 ", "/kubepods/besteffort/podu1/c1 side:1"],
  );
});

test("a kubelet's page of resources has every family, swap among them", () => {
  const families = resourceMetrics(node, pods);
  assert.deepEqual(families.map(({ name }) => name).sort(), [
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_start_time_seconds",
    "container_swap_usage_bytes",
    "node_cpu_usage_seconds_total",
    "node_memory_working_set_bytes",
    "node_swap_usage_bytes",
    "pod_cpu_usage_seconds_total",
    "pod_memory_working_set_bytes",
    "pod_swap_usage_bytes",
    "resource_scrape_error",
    "scrape_error",
  ]);
  assert.deepEqual(valuesOf(families, "container_swap_usage_bytes"), { app: 7 });
});

test("the summary tells of swap: of the node, of a pod and of its containers", () => {
  const time = "1970-01-01T00:00:00Z";
  const summary = statsSummary(node, pods, () => undefined) as {
    node: { swap: { swapAvailableBytes: number; swapUsageBytes: number } };
    pods: { swap: object; containers: { swap: object }[] }[];
  };
  const { swapAvailableBytes, swapUsageBytes } = summary.node.swap;
  assert.equal(swapAvailableBytes + swapUsageBytes, node.swapCapacityBytes);
  assert.deepEqual(summary.pods[0]?.swap, { time, swapUsageBytes: 7 });
  assert.deepEqual(summary.pods[0]?.containers[0]?.swap, { time, swapUsageBytes: 7 });
});
