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

/** How long the store takes to answer, under the names that dashboards know from etcd. */
export class StoreMetrics {
  readonly #rows = new Map<string, Map<string, Row>>();

  /** Writes are durable: told once per commit, however many share it. */
  committed(versions: readonly Version[], durationMs: number): void {
    for (const version of versions) {
      this.#count(this.#rowOf(version.resource, operationOf(version)), durationMs);
    }
  }

  /** A read was answered. */
  read(operation: "get" | "list", of: { resource: string; durationMs: number }): void {
    this.#count(this.#rowOf(of.resource, operation), of.durationMs);
  }

  families(): MetricFamily[] {
    const rows = [...this.#rows.values()].flatMap((row) => [...row.values()]);
    return [
      {
        name: "etcd_request_duration_seconds",
        type: "histogram",
        help: "Seconds until a read was answered, or from the beginning of a commit until it was durable.",
        samples: rows.flatMap(({ labels, durations }) => durations.samples(labels)),
      },
      {
        name: "etcd_requests_total",
        type: "counter",
        help: "Requests to the store, by what they did with which resource.",
        samples: rows.map(({ labels, count }) => ({ labels, value: count })),
      },
    ];
  }

  #count(row: Row, durationMs: number): void {
    row.count++;
    row.durations.observe(durationMs / 1000);
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
