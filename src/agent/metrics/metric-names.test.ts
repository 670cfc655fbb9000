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
const resources = { requests: { cpu: "500m" }, limits: { cpu: "1", memory: "1Mi" } };
const pod: Pod = {
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: { containers: [{ name: "app", image: "app:1", resources }] },
};
const pods: PodUsage[] = [
  {
    pod,
    stats: { atMs: 0, ...usage, containers: [{ id: "c1", name: "app", startedAtMs: 0, ...usage }] },
  },
];
const node = readNodeUsage({ name: "n", nowMs: 0, directory: "/", imageDirectory: "/" });

/** Values by labels of one family. */
function valuesOf(families: readonly MetricFamily[], name: string): Map<string, number> {
  const family = families.find((one) => one.name === name);
  assert.ok(family, name);
  return new Map(
    family.samples.map(({ labels = {}, value }) => {
      const { container, failure_type: type, scope } = labels;
      return [[container, type, scope].filter((one) => one !== undefined).join("/"), value];
    }),
  );
}

test("cAdvisor's names tell of processor modes, swap, faults and shares", () => {
  const families = cadvisorMetrics(node, pods);
  const both = (value: number) =>
    new Map([
      ["", value],
      ["app", value],
    ]);
  assert.deepEqual(valuesOf(families, "container_cpu_user_seconds_total"), both(2));
  assert.deepEqual(valuesOf(families, "container_cpu_system_seconds_total"), both(1));
  assert.deepEqual(valuesOf(families, "container_memory_mapped_file"), both(6));
  assert.deepEqual(valuesOf(families, "container_memory_swap"), both(7));
  assert.deepEqual(valuesOf(families, "container_spec_cpu_shares"), new Map([["app", 512]]));
  assert.deepEqual(
    valuesOf(families, "container_memory_failures_total"),
    new Map([
      ["/pgfault/hierarchy", 2],
      ["/pgmajfault/hierarchy", 1],
      ["app/pgfault/container", 2],
      ["app/pgmajfault/container", 1],
      ["app/pgfault/hierarchy", 2],
      ["app/pgmajfault/hierarchy", 1],
    ]),
  );
  for (const name of ["container_scrape_error", "machine_scrape_error"]) {
    assert.deepEqual(valuesOf(families, name), new Map([["", 0]]));
  }
  assert.deepEqual(
    valuesOf(families, "machine_swap_bytes"),
    new Map([["", node.swapCapacityBytes]]),
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
  assert.deepEqual(valuesOf(families, "container_swap_usage_bytes"), new Map([["app", 7]]));
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
