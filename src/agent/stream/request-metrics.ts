import type { IncomingMessage } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import { MetricTable } from "../../lib/metric-table.ts";
import { type MetricFamily, USUAL_SECONDS } from "../../lib/prometheus.ts";

const LABELS = ["method", "path", "server_type", "long_running"] as const;
const METHODS: ReadonlySet<string> = new Set(
  "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE".split(" "),
);
/** First parts of the paths that a node has; those of metrics have two. */
const PATHS: ReadonlySet<string> = new Set([
  "attach",
  "checkpoint",
  "configz",
  "containerLogs",
  "exec",
  "healthz",
  "metrics",
  "metrics/cadvisor",
  "metrics/probes",
  "metrics/resource",
  "pods",
  "portForward",
  "runningpods",
  "stats",
]);
const LONG: ReadonlySet<string> = new Set(["attach", "exec", "portForward"]);

/** Counts what a node's HTTPS endpoint is asked for, under a kubelet's names. */
export class RequestMetrics {
  readonly #clock: Clock;
  readonly #table = new MetricTable("kubelet_", {
    http_requests_total: { help: "Requests to the node's endpoint.", labels: LABELS },
    http_requests_duration_seconds: {
      help: "How long requests to the node's endpoint took.",
      labels: LABELS,
      bounds: USUAL_SECONDS,
    },
  });
  readonly #inflight = new Map<string, { labels: readonly string[]; count: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request has come; the result is to be called when it has ended. */
  begin({ method = "", url = "" }: IncomingMessage): () => void {
    const beganMs = this.#clock.monotonicMs();
    const [pathname = ""] = url.split("?", 1);
    const path = pathOf(pathname);
    const labels = [
      METHODS.has(method) ? method : "other",
      path,
      "readwrite",
      String(LONG.has(path)),
    ];
    this.#table.count("http_requests_total", ...labels);
    const key = labels.join(" ");
    const row = this.#inflight.get(key) ?? { labels, count: 0 };
    this.#inflight.set(key, row);
    row.count++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      row.count--;
      const seconds = (this.#clock.monotonicMs() - beganMs) / 1000;
      this.#table.observe("http_requests_duration_seconds", seconds, ...labels);
    };
  }

  families(): MetricFamily[] {
    const inflight = Array.from(this.#inflight.values(), ({ labels, count }) => ({
      labels: Object.fromEntries(LABELS.map((label, at) => [label, labels[at] ?? ""])),
      value: count,
    }));
    return [
      ...this.#table.families(),
      {
        name: "kubelet_http_inflight_requests",
        type: "gauge",
        help: "Requests to the node's endpoint that have not ended.",
        samples: inflight,
      },
    ];
  }
}

function pathOf(pathname: string): string {
  const [first = "", second] = pathname.replace(/^\//, "").split("/");
  const path = first === "metrics" && second !== undefined ? `${first}/${second}` : first;
  return PATHS.has(path) ? path : "other";
}
