import { encodeMetrics, type MetricFamily } from "../../lib/prometheus.ts";
import { checkHealth } from "../http/health-pages.ts";
import type { HealthChecks, PageSource } from "../http/plain-pages.ts";

/** Whatever can tell figures of itself. */
export type MetricSource = () => readonly MetricFamily[] | Promise<readonly MetricFamily[]>;

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/metrics` in Prometheus' text format, and `/metrics/slis`: what is well and what is not. */
export function metricsPages(of: {
  sources: readonly MetricSource[];
  checks: HealthChecks;
}): PageSource {
  const health = healthMetrics(of.checks);
  const pages: Readonly<Record<string, readonly MetricSource[]>> = {
    "/metrics": [...of.sources, health],
    "/metrics/slis": [health],
  };
  return async (path) => {
    const sources = pages[path];
    if (!sources) return undefined;
    const families = await Promise.all(sources.map(async (source) => source()));
    const text = encodeMetrics(families.flat());
    return { contentType: CONTENT_TYPE, bytes: Buffer.from(text) };
  };
}

/** Looked at when somebody asks: the total counts these looks. */
function healthMetrics({ live, ready }: HealthChecks): MetricSource {
  const totals = new Map<string, { success: number; error: number }>();
  return async () => {
    const checked = await checkHealth([...live, ...ready]);
    const results = checked.map(({ name, problem }) => {
      const isWell = problem === undefined;
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
