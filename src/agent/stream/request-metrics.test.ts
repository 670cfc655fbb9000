import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { encodeMetrics } from "../../lib/prometheus.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { RequestMetrics } from "./request-metrics.ts";

test("requests are counted by the beginning of their paths, and while they last", async () => {
  const clock = new VirtualClock();
  const metrics = new RequestMetrics(clock);
  const begin = (method: string, url: string) => metrics.begin({ method, url } as IncomingMessage);
  const ends = [
    begin("GET", "/metrics/cadvisor?a=b"),
    begin("POST", "/exec/default/web/app?command=sh"),
    begin("BREW", "/metrics/coffee"),
    begin("GET", "/stats/summary"),
  ];
  await clock.advance(2_000);
  ends[1]?.();
  ends[1]?.();
  const of = (method: string, path: string, long = false) =>
    `{method="${method}",path="${path}",server_type="readwrite",long_running="${long}"`;
  const exec = of("POST", "exec", true);
  const text = encodeMetrics(metrics.families());
  for (const line of [
    `kubelet_http_requests_total${of("GET", "metrics/cadvisor")}} 1`,
    `kubelet_http_requests_total${exec}} 1`,
    `kubelet_http_requests_total${of("other", "other")}} 1`,
    `kubelet_http_requests_total${of("GET", "stats")}} 1`,
    `kubelet_http_inflight_requests${exec}} 0`,
    `kubelet_http_inflight_requests${of("GET", "stats")}} 1`,
    `kubelet_http_requests_duration_seconds_bucket${exec},le="1"} 0`,
    `kubelet_http_requests_duration_seconds_bucket${exec},le="2.5"} 1`,
    `kubelet_http_requests_duration_seconds_sum${exec}} 2`,
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
});
