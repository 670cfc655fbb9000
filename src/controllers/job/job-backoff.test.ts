import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { finishedAtMs } from "../pod-state.ts";
import { type FailureRow, noteFailures, retryAtMs, retryDelayMs } from "./job-backoff.ts";
import { job, NOW, pod } from "./job-fixture.ts";
import { planJob } from "./job-plan.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();
const lost = (name: string, secondsAgo: number) =>
  pod(name, { phase: "Failed", endedAt: at(secondsAgo) });
function won(name: string, secondsAgo: number): Pod {
  const made = lost(name, secondsAgo);
  return { ...made, status: { ...made.status, phase: "Succeeded" } };
}
const EMPTY: FailureRow = new Map();

const rows: [title: string, before: number, pods: Pod[], failures: number, last?: number][] = [
  ["one new failure", 0, [lost("a", 0)], 1, 0],
  ["two new failures", 0, [lost("a", 0), lost("b", 1)], 2, 0],
  ["two failures, then a success", 0, [won("a", 0), lost("b", 2), lost("c", 1)], 0],
  [
    "a success between failures",
    0,
    [won("a", 2), lost("b", 0), lost("c", 4), lost("d", 3), lost("e", 1)],
    2,
    0,
  ],
  ["one more than two that are known", 2, [lost("a", 0)], 3, 0],
  ["a success and a failure at once", 0, [won("a", 0), lost("b", 0)], 0],
  ["nothing new", 0, [], 0],
  ["a success", 0, [won("a", 0)], 0],
  ["what is known stays", 2, [], 2, 60],
];
for (const [title, before, pods, failures, last] of rows) {
  test(`failures in a row: ${title}`, () => {
    const known = Array.from({ length: before }, (_, nth) => lost(`old-${nth}`, 60 + nth));
    const row = noteFailures(job({}), noteFailures(job({}), EMPTY, known), pods);
    assert.equal(row.size, failures);
    const latest = row.size > 0 ? (NOW - Math.max(...row.values())) / 1000 : undefined;
    assert.equal(latest, last);
  });
}

test("a failure that is seen twice counts once, and no more are kept than matter", () => {
  const many = Array.from({ length: 20 }, (_, nth) => lost(`p${nth}`, nth));
  const row = noteFailures(job({}), noteFailures(job({}), EMPTY, many.slice(0, 1)), many);
  assert.equal(retryAtMs(row), NOW + 600_000);
  assert.ok(row.size < 10);
  const again = noteFailures(job({}), noteFailures(job({}), EMPTY, [lost("a", 0)]), [lost("a", 0)]);
  assert.equal(again.size, 1);
});

const waits: [failures: number, seconds: number][] = [
  [1, 10],
  [3, 40],
  [6, 320],
  [7, 600],
  [9, 600],
];
for (const [failures, seconds] of waits) {
  test(`the wait after ${failures} failures in a row is ${seconds} s`, () => {
    assert.equal(retryDelayMs(failures), seconds * 1000);
  });
}

test("a pod that somebody deleted is waited for, also once it is gone", () => {
  const wanted = job({ completions: 1 });
  const leaving = pod("a", { leaving: true });
  const first = planJob(wanted, { pods: [leaving], nowMs: NOW });
  assert.deepEqual([first.create, first.requeueAfterMs], [[], 10_000]);
  const gone = { ...wanted, status: first.status };
  const failures = first.failures;
  const second = planJob(gone, { pods: [], nowMs: NOW + 4_000, failures });
  assert.deepEqual([second.create, second.requeueAfterMs], [[], 6_000]);
  assert.equal(second.status.failed, 1);
  const third = planJob(gone, { pods: [], nowMs: NOW + 10_000, failures });
  assert.equal(third.create.length, 1);
});

test("what a job took away itself is no failure", () => {
  const released = pod("a", { leaving: true, tracked: false, phase: "Failed" });
  assert.equal(noteFailures(job({}), EMPTY, [released]).size, 0);
});

const ENDED = "2030-01-01T00:30:00Z";
const state = (finishedAt?: string) => ({
  name: "c",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state: finishedAt === undefined ? { running: {} } : { terminated: { exitCode: 1, finishedAt } },
});
const ready = (status: "True" | "False", lastTransitionTime: string) => ({
  type: "Ready",
  status,
  lastTransitionTime,
});
const sidecar = { name: "sidecar", restartPolicy: "Always" as const };

const ends: [title: string, pod: Pod][] = [
  [
    "the last of its containers",
    {
      status: {
        containerStatuses: [
          state("2030-01-01T00:29:59Z"),
          state(ENDED),
          state("2030-01-01T00:29:58Z"),
        ],
      },
    },
  ],
  [
    "its deletion, while a container runs",
    {
      metadata: { deletionTimestamp: ENDED },
      status: { containerStatuses: [state("2030-01-01T00:29:59Z"), state()] },
    },
  ],
  [
    "its deletion without the time to end",
    {
      metadata: { deletionTimestamp: "2030-01-01T00:30:30Z", deletionGracePeriodSeconds: 30 },
      status: { containerStatuses: [state()] },
    },
  ],
  [
    "when it ceased to be ready, if no container tells",
    { status: { containerStatuses: [state("")], conditions: [ready("False", ENDED)] } },
  ],
  [
    "not when it became ready",
    {
      metadata: { deletionTimestamp: ENDED },
      status: {
        containerStatuses: [state("")],
        conditions: [ready("True", "2030-01-01T00:29:30Z")],
      },
    },
  ],
  [
    "when it was made, if nothing else tells",
    { metadata: { creationTimestamp: ENDED }, status: { containerStatuses: [state("")] } },
  ],
  [
    "its sidecar, which ends last",
    {
      spec: { containers: [], initContainers: [sidecar] },
      status: {
        containerStatuses: [state("2030-01-01T00:29:59Z")],
        initContainerStatuses: [{ ...state(ENDED), name: "sidecar" }],
      },
    },
  ],
];
for (const [title, ended] of ends) {
  test(`a pod ended with ${title}`, () => {
    assert.equal(finishedAtMs(ended), Date.parse(ENDED));
  });
}
