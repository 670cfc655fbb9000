import type { NodeSystemInfo } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { NodeUsage } from "./contract.ts";

/** What of a machine does not change while it runs. */
export interface MachineFacts {
  cores: number;
  sockets: number;
  system: NodeSystemInfo;
}

/** What cAdvisor tells of the machine itself. */
export function machineMetrics(
  node: NodeUsage,
  { cores, sockets, system }: MachineFacts,
): MetricFamily[] {
  const labels = {
    boot_id: system.bootID,
    machine_id: system.machineID,
    system_uuid: system.systemUUID,
  };
  const gauge = (name: string, help: string, value: number): MetricFamily => {
    return { name, type: "gauge", help, samples: [{ labels, value }] };
  };
  const versions = {
    cadvisorRevision: "",
    cadvisorVersion: "",
    dockerVersion: "",
    kernelVersion: system.kernelVersion,
    osVersion: system.osImage,
  };
  return [
    {
      name: "cadvisor_version_info",
      type: "gauge",
      help: "1, with the versions of the kernel and of the operating system",
      samples: [{ labels: versions, value: 1 }],
    },
    {
      name: "machine_scrape_error",
      type: "gauge",
      help: "1 when the machine could not be read, else 0",
      samples: [{ value: 0 }],
    },
    gauge("machine_cpu_cores", "Hardware threads", node.cpuCores),
    gauge("machine_cpu_physical_cores", "Cores, each with one thread or more", cores),
    gauge("machine_cpu_sockets", "Packages of cores", sockets),
    gauge("machine_memory_bytes", "Memory of the machine, in bytes", node.memoryCapacityBytes),
    gauge("machine_swap_bytes", "Swap of the machine, in bytes", node.swapCapacityBytes),
  ];
}
