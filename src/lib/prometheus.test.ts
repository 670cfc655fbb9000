import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMetrics, Histogram } from "./prometheus.ts";

test("families are told with help, type and escaped labels; empty ones are not", () => {
  const text = encodeMetrics([
    { name: "none", type: "gauge", help: "nothing", samples: [] },
    {
      name: "up",
      type: "gauge",
      help: "whether\nit is",
      samples: [{ value: 1 }, { labels: { name: 'a"b\\c\n' }, value: 0.5, atMs: 12.4 }],
    },
  ]);
  assert.equal(
    text,
    "# HELP up whether\\nit is\n# TYPE up gauge\nup 1\n" + 'up{name="a\\"b\\\\c\\n"} 0.5 12\n',
  );
});

test("buckets of a histogram add up", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
  const text = encodeMetrics([
    { name: "h", type: "histogram", help: "", samples: histogram.samples({ stage: "a" }) },
  ]);
  assert.deepEqual(text.trim().split("\n").slice(2), [
    'h_bucket{stage="a",le="0.1"} 2',
    'h_bucket{stage="a",le="1"} 3',
    'h_bucket{stage="a",le="+Inf"} 4',
    'h_sum{stage="a"} 7.65',
    'h_count{stage="a"} 4',
  ]);
});
