import type { Clock } from "../../lib/clock.ts";
import { Histogram, type MetricFamily } from "../../lib/prometheus.ts";

/** Upper ends of kube-proxy's buckets: 1 ms, doubled 14 times. */
const SECONDS = Array.from({ length: 15 }, (_, doubled) => 0.001 * 2 ** doubled);

/** How often the rules of Services were brought into the kernel, and how long that took. */
export class SyncMetrics {
  readonly #clock: Clock;
  readonly #durations = new Histogram(SECONDS);
  #lastMs: number | undefined;
  #failures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The kernel has what was begun at this moment of the monotonic clock. */
  done(sinceMs: number): void {
    this.#durations.observe((this.#clock.monotonicMs() - sinceMs) / 1000);
    this.#lastMs = this.#clock.now();
  }

  failed(): void {
    this.#failures++;
  }

  families(): MetricFamily[] {
    const prefix = "kubeproxy_sync_proxy_rules";
    const last = this.#lastMs;
    return [
      {
        name: `${prefix}_duration_seconds`,
        type: "histogram",
        help: "Seconds that it took to bring the rules of Services into the kernel.",
        samples: this.#durations.samples(),
      },
      {
        name: `${prefix}_last_timestamp_seconds`,
        type: "gauge",
        help: "When the kernel last took the rules of Services.",
        samples: last === undefined ? [] : [{ value: last / 1000 }],
      },
      {
        name: `${prefix}_nftables_sync_failures_total`,
        type: "counter",
        help: "How often the kernel refused the rules of Services.",
        samples: [{ value: this.#failures }],
      },
    ];
  }
}
