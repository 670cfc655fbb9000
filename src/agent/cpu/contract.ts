import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";

/** "none" leaves all containers on all CPUs; "static" gives some CPUs of their own. */
export type CpuPolicy = "none" | "static";

/** What is asked of NUMA nodes: nothing, a wish, or a condition for running at all. */
export type TopologyPolicy = "none" | "best-effort" | "restricted" | "single-numa-node";

/** Which CPUs each container may use. */
export interface CpuManager {
  /**
   * Sets CPUs apart for a pod that is about to be accepted; idempotent. Undefined when all is
   * well, else why the pod cannot run here.
   */
  admit(pod: Pod): { reason: string; message: string } | undefined;
  /** CPUs of a container, such as "0-1,4"; undefined when it may use all. */
  cpusOf(pod: Pod, container: string): string | undefined;
  /** Whether the container has CPUs of its own. */
  hasOwn(podUid: string, container: string): boolean;
  release(podUid: string): void;
  /** Gives back what belongs to none of these pods. */
  retain(podUids: ReadonlySet<string>): void;
  /** Called when the CPUs that containers share have changed. */
  onShared(handler: () => void): Disposable;
  /** What was set apart, and refused, for `/metrics`. */
  metrics(): MetricFamily[];
}

/** Every container may use every CPU. */
export const ALL_CPUS: CpuManager = {
  admit: () => undefined,
  cpusOf: () => undefined,
  hasOwn: () => false,
  release: () => {},
  retain: () => {},
  onShared: () => ({ [Symbol.dispose]: () => {} }),
  metrics: () => [],
};
