import { formatTime } from "../lib/clock.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { SandboxStats } from "./runtime/contract.ts";

/** Use of a pod, or of a container in it. */
interface Use {
  cpuNanoseconds: number;
  memoryBytes: number;
  workingSetBytes: number;
}

/** A pod with what its cgroups say. */
export interface PodStats {
  pod: Pod;
  stats: SandboxStats;
  /** CPU use since the reading before, in nanocores; undefined for the first one. */
  nanoCores?: number;
}

/** Use of the whole node. */
export interface NodeUse extends Use {
  name: string;
  nowMs: number;
  bootMs: number;
  availableBytes: number;
}

function usage(use: Use, time: string, nanoCores?: number): object {
  return {
    cpu: {
      time,
      usageCoreNanoSeconds: use.cpuNanoseconds,
      ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
    },
    memory: { time, usageBytes: use.memoryBytes, workingSetBytes: use.workingSetBytes },
  };
}

/** Body of `/stats/summary` (stats.kubelet.k8s.io/v1alpha1). Pure. */
export function statsSummary(node: NodeUse, pods: readonly PodStats[]): object {
  const time = formatTime(node.nowMs);
  const nodeUsage = usage(node, time) as { memory: object };
  return {
    node: {
      nodeName: node.name,
      startTime: formatTime(node.bootMs),
      ...nodeUsage,
      memory: { ...nodeUsage.memory, availableBytes: node.availableBytes },
    },
    pods: pods.map(({ pod, stats, nanoCores }) => {
      const at = formatTime(stats.atMs);
      const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
      return {
        podRef: { name, namespace, uid },
        startTime: pod.status?.startTime ?? at,
        containers: stats.containers.map((container) => ({
          name: container.name,
          startTime: startOf(pod, container.name) ?? at,
          ...usage(container, at),
        })),
        ...usage(stats, at, nanoCores),
      };
    }),
  };
}

function startOf(pod: Pod, name: string): string | undefined {
  const status = pod.status?.containerStatuses?.find((entry) => entry.name === name);
  return status?.state?.running?.startedAt;
}

/** Prometheus text with cAdvisor's metric names. Pure. */
export function metricsText(pods: readonly PodStats[]): string {
  const cpu: string[] = [];
  const memory: string[] = [];
  const workingSet: string[] = [];
  for (const { pod, stats } of pods) {
    for (const container of stats.containers) {
      const labels = labelsOf(pod, container.name);
      cpu.push(`container_cpu_usage_seconds_total${labels} ${container.cpuNanoseconds / 1e9}`);
      memory.push(`container_memory_usage_bytes${labels} ${container.memoryBytes}`);
      workingSet.push(`container_memory_working_set_bytes${labels} ${container.workingSetBytes}`);
    }
  }
  const family = (name: string, type: string, lines: string[]) =>
    [`# TYPE ${name} ${type}`, ...lines, ""].join("\n");
  return [
    family("container_cpu_usage_seconds_total", "counter", cpu),
    family("container_memory_usage_bytes", "gauge", memory),
    family("container_memory_working_set_bytes", "gauge", workingSet),
    family("kubelet_running_pods", "gauge", [`kubelet_running_pods ${pods.length}`]),
  ].join("");
}

function labelsOf(pod: Pod, container: string): string {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  return `{container="${container}",namespace="${namespace}",pod="${name}"}`;
}
