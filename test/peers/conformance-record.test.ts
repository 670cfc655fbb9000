import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomesIn, readRecord, testNames, writeRecord } from "./conformance-record.ts";

test("a record keeps what earlier runs found and takes the newest outcome", () => {
  const names = testNames("- codename: '[sig-a] b  |c'\n- codename: '[sig-a] d'\n- codename: e\n");
  const log =
    '•{"msg":"FAILED [sig-a] b |c","total":3}\nSS{"msg":"PASSED [sig-a] b  |c","total":3}';
  const first = writeRecord(names, outcomesIn(log));
  assert.match(first, /\| sig-a +\| 1 +\| 0 +\| 1 +\|/);
  assert.match(first, /\| other +\| 0 +\| 0 +\| 1 +\|/);
  const kept = readRecord(first);
  assert.equal(kept.get("[sig-a] b |c"), "passed");
  assert.equal(writeRecord(names, kept), first);
});
