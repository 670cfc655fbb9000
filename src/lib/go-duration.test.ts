import assert from "node:assert/strict";
import { test } from "node:test";
import { formatGoDuration } from "./go-duration.ts";

test("durations are written as Go writes them", () => {
  const cases: [bigint, string][] = [
    [0n, "0s"],
    [1n, "1ns"],
    [1_100n, "1.1µs"],
    [2_200_000n, "2.2ms"],
    [1_003_000_000n, "1.003s"],
    [60_000_000_000n, "1m0s"],
    [63_200_000_000n, "1m3.2s"],
    [7_200_000_000_000n, "2h0m0s"],
    [-1_500_000_000n, "-1.5s"],
  ];
  for (const [nanos, text] of cases) assert.equal(formatGoDuration(nanos), text);
});
