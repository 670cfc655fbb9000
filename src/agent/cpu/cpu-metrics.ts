import type { MetricFamily } from "../../lib/prometheus.ts";

const MILLICORES = 1000;
/** Reasons of refusals that are of the place of CPUs, not of their number. */
const OF_TOPOLOGY = "TopologyAffinityError";

/** Counts CPUs that were set apart, under a kubelet's names. */
export class CpuMetrics {
  #containers = 0;
  #refused = 0;
  #pods = 0;
  #misplaced = 0;

  /** So many containers of a pod asked for CPUs of their own; why they get none, if so. */
  judged(containers: number, reason: string | undefined): void {
    this.#pods++;
    this.#containers += containers;
    if (reason !== undefined) this.#refused++;
    if (reason === OF_TOPOLOGY) this.#misplaced++;
  }

  /** With the number of CPUs of the machine, and of those that containers share. */
  families({ all, shared }: { all: number; shared: number }): MetricFamily[] {
    const one = (type: "counter" | "gauge", name: string, help: string, value: number) => {
      return { name: `kubelet_${name}`, type, help, samples: [{ value }] };
    };
    const cpus = "cpu_manager";
    const topology = "topology_manager_admission";
    return [
      one(
        "counter",
        `${cpus}_pinning_requests_total`,
        "Containers that asked for CPUs of their own.",
        this.#containers,
      ),
      one("counter", `${cpus}_pinning_errors_total`, "Pods that got none.", this.#refused),
      one(
        "gauge",
        `${cpus}_shared_pool_size_millicores`,
        "What containers without CPUs of their own share.",
        shared * MILLICORES,
      ),
      one(
        "gauge",
        `${cpus}_exclusive_cpu_allocation_count`,
        "CPUs that containers have for themselves.",
        all - shared,
      ),
      one("counter", `${topology}_requests_total`, "Pods that CPUs were sought for.", this.#pods),
      one(
        "counter",
        `${topology}_errors_total`,
        "Pods whose CPUs do not lie as they have to.",
        this.#misplaced,
      ),
    ];
  }
}
