import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricTable } from "./metric-table.ts";
import { encodeMetrics } from "./prometheus.ts";

const table = () =>
  new MetricTable("home_", {
    rings_total: { help: "Rings.", labels: ["door", "who"] },
    calls_total: { help: "Calls.", labels: [] },
    wait_seconds: { help: "Waits.", labels: ["door"], bounds: [1, 2] },
  });

test("each set of labels has a row of its own", () => {
  const told = table();
  told.count("rings_total", "front", "a");
  told.count("rings_total", "front", "a");
  told.count("rings_total", "front", "b");
  told.count("calls_total");
  told.observe("wait_seconds", 1.5, "back");
  const lines = encodeMetrics(told.families()).split("\n");
  assert.deepEqual(
    lines.filter((line) => line && !line.startsWith("#")),
    [
      'home_rings_total{door="front",who="a"} 2',
      'home_rings_total{door="front",who="b"} 1',
      "home_calls_total 1",
      'home_wait_seconds_bucket{door="back",le="1"} 0',
      'home_wait_seconds_bucket{door="back",le="2"} 1',
      'home_wait_seconds_bucket{door="back",le="+Inf"} 1',
      'home_wait_seconds_sum{door="back"} 1.5',
      'home_wait_seconds_count{door="back"} 1',
    ],
  );
});

test("rows are forgotten by their labels", () => {
  const told = table();
  for (const [door, who] of [
    ["front", "a"],
    ["front", "b"],
    ["back", "a"],
  ] as const) {
    told.count("rings_total", door, who);
  }
  told.count("calls_total");
  told.forget({ door: "front", who: "a" });
  const [rings, calls] = told.families();
  assert.deepEqual(rings?.samples, [
    { labels: { door: "front", who: "b" }, value: 1 },
    { labels: { door: "back", who: "a" }, value: 1 },
  ]);
  assert.deepEqual(calls?.samples, [{ labels: {}, value: 1 }]);
});
