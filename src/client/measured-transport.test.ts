import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import type { Transport } from "../api/transport.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { encodeMetrics } from "../lib/prometheus.ts";
import { measured } from "./measured-transport.ts";

test("requests are counted by method and code, broken ones apart, and timed", async () => {
  const clock = new VirtualClock();
  const answers: Transport = {
    request: async ({ path }) => {
      await clock.advance(50);
      if (path === "/none") throw new StatusError("NotFound", "no");
      if (path === "/cut") throw new Error("socket hang up");
      return { status: 201, body: undefined };
    },
    watch: () => Promise.resolve({ [Symbol.dispose]: () => {} }),
  };
  const transport = measured(answers, { clock, host: "127.0.0.1:6443" });
  await transport.request({ method: "POST", path: "/a" });
  await transport.request({ method: "POST", path: "/a" });
  await assert.rejects(transport.request({ method: "GET", path: "/none" }), { code: 404 });
  await assert.rejects(transport.request({ method: "GET", path: "/cut" }), /hang up/);
  await transport.watch({ method: "GET", path: "/w" }, { event: () => {}, closed: () => {} });
  const text = encodeMetrics(transport.metrics());
  const host = 'host="127.0.0.1:6443"';
  for (const line of [
    `rest_client_requests_total{code="201",${host},method="POST"} 2`,
    `rest_client_requests_total{code="404",${host},method="GET"} 1`,
    `rest_client_requests_total{code="<error>",${host},method="GET"} 1`,
    `rest_client_requests_total{code="200",${host},method="GET"} 1`,
    `rest_client_request_duration_seconds_bucket{${host},verb="POST",le="0.025"} 0`,
    `rest_client_request_duration_seconds_bucket{${host},verb="POST",le="0.1"} 2`,
    `rest_client_request_duration_seconds_count{${host},verb="GET"} 3`,
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
});
