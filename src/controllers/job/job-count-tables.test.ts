import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, pod } from "./job-fixture.ts";
import { indexed } from "./job-rows-fixture.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const counted = (
  status: JobStatus,
): [succeeded: number, failed: number, notedWon: string[], notedLost: string[]] => {
  const { succeeded: won = [], failed: lost = [] } = status.uncountedTerminatedPods ?? {};
  return [status.succeeded ?? 0, status.failed ?? 0, won, lost];
};

test("results move from notes to counters once their pods are let go", () => {
  const won = (name: string, tracked = true) => pod(name, { phase: "Succeeded", tracked });
  const lost = (name: string, tracked = true) => pod(name, { phase: "Failed", tracked });
  const leaving = (name: string, phase: "Running" | "Succeeded" | "Failed", tracked = true) =>
    pod(name, { phase, leaving: true, tracked });
  const rows: [title: string, status: JobStatus, pods: Pod[], wanted: unknown[]][] = [
    [
      "some counted",
      { succeeded: 2, failed: 1 },
      [won("a", false), won("b"), won("c"), lost("d", false), lost("e"), pod("f")],
      [2, 1, ["b", "c"], ["e"]],
    ],
    [
      "some noted",
      {
        succeeded: 1,
        failed: 1,
        uncountedTerminatedPods: { succeeded: ["a", "c"], failed: ["e", "f"] },
      },
      [
        won("a", false),
        won("b", false),
        won("c"),
        won("d"),
        lost("e", false),
        lost("f"),
        lost("g"),
      ],
      [2, 2, ["c", "d"], ["f", "g"]],
    ],
    [
      "some on their way out",
      { succeeded: 1, failed: 1 },
      [
        leaving("a", "Succeeded"),
        leaving("b", "Failed"),
        leaving("c", "Running"),
        leaving("d", "Running"),
        leaving("e", "Running", false),
      ],
      [1, 1, ["a"], ["b", "c", "d"]],
    ],
    [
      "a failure that is noted stays one, though its pod succeeds after all",
      { uncountedTerminatedPods: { failed: ["a", "b"] } },
      [lost("a"), won("b")],
      [0, 0, [], ["a", "b"]],
    ],
    [
      "a pod that lost its finalizer to another",
      { uncountedTerminatedPods: { succeeded: ["b"], failed: ["a"] } },
      [leaving("a", "Running", false)],
      [1, 1, [], []],
    ],
  ];
  for (const [title, status, pods, wanted] of rows) {
    const spec = { parallelism: 9, completions: 9 };
    assert.deepEqual(counted(plan(job(spec, status), pods).status), wanted, title);
  }
});

test("at most 500 results are noted at once", () => {
  const many = Array.from({ length: 600 }, (_, at) => pod(`p${at}`, { phase: "Succeeded" }));
  const status = { uncountedTerminatedPods: { failed: ["x", "b"] } };
  const { status: next, untrack } = plan(job({ completions: 900, parallelism: 1 }, status), [
    ...many,
    pod("b", { phase: "Failed" }),
  ]);
  const [, failed, won, lost] = counted(next);
  assert.deepEqual([failed, won.length, lost], [1, 499, ["b"]]);
  assert.equal(untrack.length, 500);
});

test("completed indexes beyond the end are forgotten, new ones added", () => {
  const known = { completedIndexes: "0-2,4,6,7", succeeded: 5, failed: 2 };
  const { status, untrack } = plan(job(indexed(7, 7), known), [
    pod("x", { index: 0, phase: "Succeeded", tracked: false }),
    pod("y", { index: 1, phase: "Succeeded" }),
    pod("z", { index: 3, phase: "Succeeded" }),
    pod("a", { index: 2, phase: "Failed" }),
    pod("b", { index: 5, phase: "Failed" }),
  ]);
  assert.equal(status.completedIndexes, "0-4,6");
  assert.deepEqual(counted(status), [6, 2, [], ["a", "b"]]);
  assert.equal(untrack.length, 4);
});
