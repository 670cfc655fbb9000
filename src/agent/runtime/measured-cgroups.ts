import { MetricTable } from "../../lib/metric-table.ts";
import { type MetricFamily, USUAL_SECONDS } from "../../lib/prometheus.ts";
import type { Cgroups } from "../../sys/cgroup.ts";

/** Control groups that tell how long the work on them took. */
export interface MeasuredCgroups extends Cgroups {
  /** By a kubelet's name. */
  metrics(): MetricFamily[];
}

/** The same groups: to make, limit and remove them is timed. */
export function measuredCgroups(cgroups: Cgroups, monotonicMs: () => number): MeasuredCgroups {
  const table = new MetricTable("kubelet_", {
    cgroup_manager_duration_seconds: {
      help: "How long work on control groups took, by what it was.",
      labels: ["operation_type"],
      bounds: USUAL_SECONDS,
    },
  });
  const measured =
    <A extends unknown[], R>(operation: string, act: (...args: A) => R) =>
    (...args: A): R => {
      const beganMs = monotonicMs();
      try {
        return act(...args);
      } finally {
        const seconds = (monotonicMs() - beganMs) / 1000;
        table.observe("cgroup_manager_duration_seconds", seconds, operation);
      }
    };
  const { rename } = cgroups;
  return {
    ...cgroups,
    create: measured("create", (group) => cgroups.create(group)),
    ...(rename && { rename: measured("create", (group, name) => rename(group, name)) }),
    limit: measured("update", (group, limits) => cgroups.limit(group, limits)),
    remove: measured("destroy", (group) => cgroups.remove(group)),
    metrics: () => table.families(),
  };
}
