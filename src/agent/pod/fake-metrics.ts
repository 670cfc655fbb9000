import { type AgentMetrics, NO_METRICS } from "../metrics/contract.ts";

/** Metrics that remember what they were told, but for the runtime's operations and stages. */
export interface FakeMetrics extends AgentMetrics {
  /** "started_pods_total", or "pod_worker_duration_seconds create 1.5". */
  readonly told: string[];
}

/** Nothing is told at first. */
export function createFakeMetrics(): FakeMetrics {
  const told: string[] = [];
  return {
    ...NO_METRICS,
    told,
    count: (what, ...labels) => void told.push([what, ...labels].join(" ")),
    observe: (what, value, ...labels) => void told.push([what, ...labels, value].join(" ")),
  };
}
