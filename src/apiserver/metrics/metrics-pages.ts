import { encodeMetrics, type MetricFamily } from "../../lib/prometheus.ts";
import type { HealthCheck, PageSource } from "../http/plain-pages.ts";

/** Whatever can tell figures of itself. */
export type MetricSource = () => readonly MetricFamily[];

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/metrics` in Prometheus' text format, and `/metrics/slis`: what is well and what is not. */
export function metricsPages(of: {
  sources: readonly MetricSource[];
  checks: readonly HealthCheck[];
}): PageSource {
  const health = healthMetrics(of.checks);
  const pages: Readonly<Record<string, readonly MetricSource[]>> = {
    "/metrics": [...of.sources, health],
    "/metrics/slis": [health],
  };
  return (path) => {
    const sources = pages[path];
    if (!sources) return undefined;
    const text = encodeMetrics(sources.flatMap((source) => source()));
    return { contentType: CONTENT_TYPE, bytes: Buffer.from(text) };
  };
}

/** Looked at when somebody asks: the total counts these looks. */
function healthMetrics(checks: readonly HealthCheck[]): MetricSource {
  const totals = new Map<string, { success: number; error: number }>();
  return () => {
    const results = checks.map(({ name, check }) => {
      const isWell = check() === undefined;
      const total = totals.get(name) ?? { success: 0, error: 0 };
      total[isWell ? "success" : "error"]++;
      totals.set(name, total);
      return { labels: { name, type: "readyz" }, value: Number(isWell) };
    });
    return [
      {
        name: "kubernetes_healthcheck",
        type: "gauge",
        help: "1 for a check of health that passed, 0 for one that failed.",
        samples: results,
      },
      {
        name: "kubernetes_healthchecks_total",
        type: "counter",
        help: "Checks of health by their results.",
        samples: [...totals].flatMap(([name, total]) =>
          (["error", "success"] as const).map((status) => ({
            labels: { name, status, type: "readyz" },
            value: total[status],
          })),
        ),
      },
    ];
  };
}
