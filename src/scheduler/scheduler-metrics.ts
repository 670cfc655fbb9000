import type { VolumeStage } from "./volumes/volume-binding.ts";
import { Histogram, type MetricFamily, type Sample } from "../lib/prometheus.ts";

/** Upper ends of upstream's buckets: powers of two from a millisecond, and from ten. */
const ATTEMPT_SECONDS = Array.from({ length: 15 }, (_, at) => 0.001 * 2 ** at);
const POD_SECONDS = Array.from({ length: 20 }, (_, at) => 0.01 * 2 ** at);
/** Pods that needed more attempts than that are counted together. */
const ATTEMPTS_MAX = 15;

/** How an attempt to place a pod ended. */
export type AttemptResult = "scheduled" | "unschedulable" | "error";

/** Pods that wait, by what they wait for. */
export interface PendingPods {
  active: number;
  backoff: number;
  unschedulable: number;
}

/** What the scheduler did, under kube-scheduler's names. Times are in milliseconds. */
export class SchedulerMetrics {
  readonly #algorithm = new Histogram(ATTEMPT_SECONDS);
  readonly #attempts = new Map<string, { labels: Record<string, string>; times: Histogram }>();
  readonly #pods = new Map<string, Histogram>();
  readonly #volumeErrors = new Map<VolumeStage, number>();
  #pending: () => PendingPods = () => ({ active: 0, backoff: 0, unschedulable: 0 });

  /** Where to ask for the pods that wait. */
  follow(pending: () => PendingPods): void {
    this.#pending = pending;
  }

  /** Filters and scores were asked. */
  decided(durationMs: number): void {
    this.#algorithm.observe(durationMs / 1000);
  }

  attempted(result: AttemptResult, of: { profile: string; durationMs: number }): void {
    const { profile, durationMs } = of;
    const key = `${result}/${profile}`;
    let row = this.#attempts.get(key);
    if (!row) {
      row = { labels: { result, profile }, times: new Histogram(ATTEMPT_SECONDS) };
      this.#attempts.set(key, row);
    }
    row.times.observe(durationMs / 1000);
  }

  /** A pod has its node, so long after it was first seen. */
  placed(attempts: number, durationMs: number): void {
    const label = attempts > ATTEMPTS_MAX ? `${ATTEMPTS_MAX}+` : String(attempts);
    const times = this.#pods.get(label) ?? new Histogram(POD_SECONDS);
    this.#pods.set(label, times);
    times.observe(durationMs / 1000);
  }

  /** The volumes of a pod could not be had on its node, or were not bound there. */
  volumesFailed(stage: VolumeStage): void {
    this.#volumeErrors.set(stage, (this.#volumeErrors.get(stage) ?? 0) + 1);
  }

  families(): MetricFamily[] {
    const attempts = [...this.#attempts.values()];
    return [
      {
        name: "scheduler_scheduling_algorithm_duration_seconds",
        type: "histogram",
        help: "Seconds that it took to choose a node.",
        samples: this.#algorithm.samples(),
      },
      {
        name: "scheduler_scheduling_attempt_duration_seconds",
        type: "histogram",
        help: "Seconds that an attempt took, with its binding.",
        samples: attempts.flatMap(({ labels, times }) => times.samples(labels)),
      },
      {
        name: "scheduler_schedule_attempts_total",
        type: "counter",
        help: "Attempts to place a pod, by their results.",
        samples: attempts.map(({ labels, times }) => ({ labels, value: times.count })),
      },
      {
        name: "scheduler_pod_scheduling_sli_duration_seconds",
        type: "histogram",
        help: "Seconds from when a pod was first seen to its binding, by attempts.",
        samples: [...this.#pods].flatMap(([label, times]) => times.samples({ attempts: label })),
      },
      {
        name: "scheduler_pending_pods",
        type: "gauge",
        help: "Pods that wait: to be tried, for the end of a delay, for something to happen.",
        samples: Object.entries(this.#pending()).map(
          ([queue, value]): Sample => ({ labels: { queue }, value }),
        ),
      },
      {
        name: "scheduler_volume_scheduling_stage_error_total",
        type: "counter",
        help: "How often volumes kept a pod from its node after the decision, by when.",
        samples: [...this.#volumeErrors].map(
          ([operation, value]): Sample => ({ labels: { operation }, value }),
        ),
      },
    ];
  }
}
