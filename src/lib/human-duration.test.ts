import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration } from "./human-duration.ts";

test("ages read as kubectl prints them", () => {
  const cases: [number, string][] = [
    [-2, "<invalid>"],
    [-1, "0s"],
    [0, "0s"],
    [119, "119s"],
    [120, "2m"],
    [130, "2m10s"],
    [599, "9m59s"],
    [600, "10m"],
    [10_799, "179m"],
    [10_800, "3h"],
    [10_860, "3h1m"],
    [28_800, "8h"],
    [172_799, "47h"],
    [172_800, "2d"],
    [183_600, "2d3h"],
    [691_200, "8d"],
    [62_899_200, "728d"],
    [63_072_000, "2y"],
    [63_158_400, "2y1d"],
    [315_360_000, "10y"],
  ];
  for (const [seconds, wanted] of cases) assert.equal(humanDuration(seconds * 1000), wanted);
});
