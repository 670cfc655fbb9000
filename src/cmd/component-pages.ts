import type { MetricSource } from "../apiserver/metrics/metrics-pages.ts";
import { encodeMetrics } from "../lib/prometheus.ts";

const HEALTH = /^\/(healthz|livez|readyz)(?:\/ping)?$/;

/** What is answered to a request. */
export interface PageAnswer {
  status: number;
  contentType: string;
  text: string;
}

/** Answers for a path without its query. */
export type ComponentPages = (method: string, path: string) => Promise<PageAnswer>;

/**
 * What a part that is no API server tells: whether it lives, its figures and, where given, its
 * settings, as `/configz`.
 */
export function componentPages(
  sources: readonly MetricSource[],
  settings?: object,
): ComponentPages {
  return async (method, path) => {
    if (method !== "GET" && method !== "HEAD") return plain(405, "only GET is allowed here\n");
    if (HEALTH.test(path)) return plain(200, "ok");
    if (path === "/configz" && settings) {
      return { status: 200, contentType: "application/json", text: JSON.stringify(settings) };
    }
    if (path !== "/metrics") return plain(404, "404 page not found\n");
    try {
      const families = await Promise.all(sources.map(async (source) => source()));
      const contentType = "text/plain; version=0.0.4; charset=utf-8";
      return { status: 200, contentType, text: encodeMetrics(families.flat()) };
    } catch {
      return plain(500, "the figures cannot be read\n");
    }
  };
}

function plain(status: number, text: string): PageAnswer {
  return { status, contentType: "text/plain; charset=utf-8", text };
}
