import type { ControllerStats, RunningController } from "../client/controller-runner.ts";
import type { MetricFamily } from "../lib/prometheus.ts";

/** How much the controllers have to do, in upstream's names. */
export function queueMetrics(controllers: readonly RunningController[]): MetricFamily[] {
  const all = controllers.map((each) => ({ labels: { name: each.name }, stats: each.stats() }));
  const samples = (of: (stats: ControllerStats) => number): MetricFamily["samples"] =>
    all.map(({ labels, stats }) => ({ labels, value: of(stats) }));
  return [
    {
      name: "workqueue_depth",
      type: "gauge",
      help: "Keys that wait for a worker.",
      samples: samples(({ waiting }) => waiting),
    },
    {
      name: "workqueue_adds_total",
      type: "counter",
      help: "Keys that were added, those that waited already not counted.",
      samples: samples(({ adds }) => adds),
    },
    {
      name: "workqueue_retries_total",
      type: "counter",
      help: "Keys that were added again because they had failed.",
      samples: samples(({ retries }) => retries),
    },
    {
      name: "workqueue_queue_duration_seconds",
      type: "histogram",
      help: "Seconds that a key waited for a worker.",
      samples: controllers.flatMap(({ name, waits }) => waits.samples({ name })),
    },
    {
      name: "workqueue_work_duration_seconds",
      type: "histogram",
      help: "Seconds that a key was worked on.",
      samples: controllers.flatMap(({ name, durations }) => durations.samples({ name })),
    },
  ];
}
