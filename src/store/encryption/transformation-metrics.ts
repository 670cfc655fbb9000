import type { Clock } from "../../lib/clock.ts";
import { Histogram, type MetricFamily } from "../../lib/prometheus.ts";

/** Upper ends of upstream's buckets: powers of two from five microseconds. */
const SECONDS = Array.from({ length: 25 }, (_, at) => 5e-6 * 2 ** at);

/** Whether a value was decrypted or encrypted. */
export type Transformation = "from_storage" | "to_storage";

/** What is transformed: `resource` as the store names it, `prefix` as values begin. */
export interface Transformed {
  resource: string;
  prefix: string;
}

/** Counts how values are encrypted and decrypted, under kube-apiserver's names. */
export class TransformationMetrics {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #times = new Map<string, { labels: Record<string, string>; times: Histogram }>();
  readonly #counts = new Map<string, { labels: Record<string, string>; value: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Does the work and counts it, also when it throws. */
  measure<T>(type: Transformation, { resource, prefix }: Transformed, work: () => T): T {
    const sinceMs = this.#clock.monotonicMs();
    let status = "Unknown";
    try {
      const done = work();
      status = "OK";
      return done;
    } finally {
      const by = { transformation_type: type, transformer_prefix: prefix };
      const key = `${type} ${prefix}`;
      const row = this.#times.get(key) ?? { labels: by, times: new Histogram(SECONDS) };
      this.#times.set(key, row);
      row.times.observe((this.#clock.monotonicMs() - sinceMs) / 1000);
      this.#count(`${key} ${resource} ${status}`, { resource: nameOf(resource), status, ...by });
    }
  }

  families(): MetricFamily[] {
    return [
      {
        name: "apiserver_storage_transformation_duration_seconds",
        type: "histogram",
        help: "Seconds that it took to encrypt or decrypt a value.",
        samples: [...this.#times.values()].flatMap(({ labels, times }) => times.samples(labels)),
      },
      {
        name: "apiserver_storage_transformation_operations_total",
        type: "counter",
        help: "Values that were encrypted or decrypted, or could not be.",
        samples: [...this.#counts.values()],
      },
    ];
  }

  #count(key: string, labels: Record<string, string>): void {
    const row = this.#counts.get(key) ?? { labels, value: 0 };
    row.value++;
    this.#counts.set(key, row);
  }
}

/** "deployments.apps" for "apps/deployments", "secrets" for "core/secrets". */
function nameOf(resource: string): string {
  const [group = "", name = ""] = resource.split("/");
  return group === "core" ? name : `${name}.${group}`;
}
