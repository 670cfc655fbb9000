import assert from "node:assert/strict";
import { test } from "node:test";
import { benchPolicies } from "./policy-bench.ts";

test("the policy benchmark still runs", () => {
  for (const [name, micros] of Object.entries(benchPolicies(20))) assert.ok(micros > 0, name);
});
