import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../../api/generated/types/batch-v1.ts";
import { lastToldMs } from "./event-ttl-controller.ts";
import { expiryMs } from "./ttl-after-finished-controller.ts";

const END = "2030-01-01T00:00:00Z";

function job(ttlSecondsAfterFinished: number | undefined, type?: "Complete" | "Failed"): Job {
  return {
    spec: {
      template: {},
      ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }),
    },
    status: type ? { conditions: [{ type, status: "True", lastTransitionTime: END }] } : {},
  };
}

test("a job expires after it finished, one way or the other", () => {
  assert.equal(expiryMs(job(60, "Complete")), Date.parse(END) + 60_000);
  assert.equal(expiryMs(job(0, "Failed")), Date.parse(END));
  assert.equal(expiryMs(job(60)), undefined);
  assert.equal(expiryMs(job(undefined, "Complete")), undefined);
});

test("an event counts from when it was last told", () => {
  const involvedObject = {};
  const metadata = { name: "e", creationTimestamp: "2029-12-31T00:00:00Z" };
  assert.equal(lastToldMs({ metadata, involvedObject, lastTimestamp: END }), Date.parse(END));
  assert.equal(lastToldMs({ metadata, involvedObject }), Date.parse(metadata.creationTimestamp));
});

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).
const left: [
  over: "Complete" | "Failed" | undefined,
  ago: number,
  ttl?: number,
  seconds?: number,
][] = [
  [undefined, 0, 100],
  ["Complete", 0],
  ["Complete", 0, 0, 0],
  ["Complete", 0, 10, 10],
  ["Complete", 10, 15, 5],
  ["Failed", 0],
  ["Failed", 0, 0, 0],
  ["Failed", 0, 10, 10],
  ["Failed", 10, 15, 5],
];
for (const [over, ago, ttl, seconds] of left) {
  const what = over === undefined ? "that runs" : `that was ${over} ${ago} s ago`;
  test(`a job ${what}, to be kept ${ttl} s, is kept for ${seconds ?? "all time"}`, () => {
    const nowMs = Date.parse(END) + ago * 1000;
    const expiry = expiryMs(job(ttl, over));
    assert.equal(expiry && (expiry - nowMs) / 1000, seconds);
  });
}
