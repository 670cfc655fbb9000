import { Histogram, type MetricFamily } from "../lib/prometheus.ts";
import type { Version } from "../store/backend.ts";

/** Upper ends of upstream's buckets. */
const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

interface Row {
  labels: { operation: string; type: string };
  durations: Histogram;
  count: number;
}

/**
 * How long the store takes to make writes durable, under the names that dashboards know from etcd.
 * It is told once per commit, however many writes share it.
 */
export class WriteMetrics {
  readonly #rows = new Map<string, Map<string, Row>>();

  committed(versions: readonly Version[], durationMs: number): void {
    for (const version of versions) {
      const row = this.#rowOf(version.resource, operationOf(version));
      row.count++;
      row.durations.observe(durationMs / 1000);
    }
  }

  families(): MetricFamily[] {
    const rows = [...this.#rows.values()].flatMap((row) => [...row.values()]);
    return [
      {
        name: "etcd_request_duration_seconds",
        type: "histogram",
        help: "Seconds from the beginning of a commit until its writes were durable.",
        samples: rows.flatMap(({ labels, durations }) => durations.samples(labels)),
      },
      {
        name: "etcd_requests_total",
        type: "counter",
        help: "Writes of the store, by what they did to which resource.",
        samples: rows.map(({ labels, count }) => ({ labels, value: count })),
      },
    ];
  }

  #rowOf(resource: string, operation: string): Row {
    let rows = this.#rows.get(resource);
    if (!rows) this.#rows.set(resource, (rows = new Map()));
    let row = rows.get(operation);
    if (!row) {
      const labels = { operation, type: typeOf(resource) };
      row = { labels, durations: new Histogram(SECONDS), count: 0 };
      rows.set(operation, row);
    }
    return row;
  }
}

function operationOf({ bytes, revision, createRevision }: Version): string {
  if (!bytes) return "delete";
  return revision === createRevision ? "create" : "update";
}

/** "deployments.apps" for "apps/deployments", "pods" for "core/pods". */
function typeOf(resource: string): string {
  const [group = "", name = ""] = resource.split("/");
  return group === "core" ? name : `${name}.${group}`;
}
