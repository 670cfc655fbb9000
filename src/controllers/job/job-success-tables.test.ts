import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobCondition, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, types } from "./job-fixture.ts";
import { indexed, outcomeOf, podsOf, type Spec } from "./job-rows-fixture.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const CRITERIA: JobCondition = {
  type: "SuccessCriteriaMet",
  status: "True",
  reason: "SuccessPolicy",
  message: "Matched rules at index 0",
};
const firstOfTwo: Spec = {
  backoffLimit: 2_147_483_647,
  successPolicy: { rules: [{ succeededIndexes: "0,1", succeededCount: 1 }] },
};
const onDisruption = { type: "DisruptionTarget", status: "True" as const };
const failsOnDisruption: Spec = {
  podFailurePolicy: { rules: [{ action: "FailJob", onPodConditions: [onDisruption] }] },
};
const successes: [
  title: string,
  spec: Spec,
  known: JobStatus,
  pods: string,
  wanted: { failed: number; terminating: number; completed: string; failedIndexes?: string },
][] = [
  [
    "some indexes failed and run",
    indexed(3, 3, firstOfTwo),
    {},
    "0F 0R 1S 2R",
    { failed: 1, terminating: 2, completed: "1" },
  ],
  [
    "a failure policy that does not fit",
    indexed(2, 2, { ...firstOfTwo, ...failsOnDisruption }),
    {},
    "0F 0R 1S",
    { failed: 1, terminating: 1, completed: "1" },
  ],
  [
    "a limit per index that is not reached",
    indexed(2, 2, { ...firstOfTwo, backoffLimitPerIndex: 2 }),
    {},
    "0F 0R 1S",
    { failed: 1, terminating: 1, completed: "1", failedIndexes: "" },
  ],
  [
    "it was met before, and pods run still",
    indexed(3, 3, { ...firstOfTwo, backoffLimitPerIndex: 3 }),
    { conditions: [CRITERIA] },
    "0F 1R 1S 2R",
    { failed: 1, terminating: 2, completed: "1", failedIndexes: "" },
  ],
];

test("a success policy that is met ends the job, whatever else goes on", () => {
  for (const [title, spec, known, pods, wanted] of successes) {
    const { status } = plan(job(spec, known), podsOf(pods));
    const [met, ...others] = status.conditions ?? [];
    const { lastTransitionTime: _, ...condition } = met ?? { type: "", status: "" };
    assert.deepEqual([condition, others], [CRITERIA, []], title);
    const { failed, terminating, completed } = outcomeOf(job(spec, known), pods);
    const { failedIndexes } = status;
    const seen = { failed, terminating, completed };
    assert.deepEqual(
      failedIndexes === undefined ? seen : { ...seen, failedIndexes },
      wanted,
      title,
    );
  }
});

test("a job that meets both of its policies has failed", () => {
  const spec = indexed(2, 2, { ...firstOfTwo, ...failsOnDisruption });
  const [lost, won] = podsOf("0F 1S");
  const disrupted = { ...lost, status: { ...lost?.status, conditions: [onDisruption] } } as Pod;
  const { status } = plan(job(spec), [disrupted, won ?? {}]);
  assert.deepEqual(types(status), ["FailureTarget"]);
  assert.equal(status.completedIndexes, "1");
});
