import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, JobCondition } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, pod, types } from "./job-fixture.ts";
import {
  indexed,
  jobOf,
  NOTHING,
  outcomeOf,
  podsOf,
  type Outcome,
  type Spec,
} from "./job-rows-fixture.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const MET = ["SuccessCriteriaMet"];
const TARGET = ["FailureTarget"];
const onceEnded: Spec = { podReplacementPolicy: "Failed" };
const atOnce: Spec = { podReplacementPolicy: "TerminatingOrFailed" };

const passes: [title: string, spec: Spec, pods: string, outcome: Outcome][] = [
  ["a job starts", jobOf(2, 5), "", { created: 2, active: 2 }],
  ["a queue starts", jobOf(2), "", { created: 2, active: 2 }],
  ["pending pods run", jobOf(2, 5), "P P", { active: 2 }],
  ["enough pods run", jobOf(3, 5), "Y Y R", { active: 3, ready: 2 }],
  ["a queue has enough pods", jobOf(2), "R R", { active: 2 }],
  ["a success leaves room", jobOf(2, 5), "R S", { created: 1, active: 2, succeeded: 1, freed: 1 }],
  [
    "a queue waits for what is to end",
    jobOf(1, undefined, onceEnded),
    "R F T",
    { terminating: 1, freed: 1, failed: 1, active: 1 },
  ],
  [
    "what is to end has failed, if nothing else is asked for",
    jobOf(1, 1),
    "R F T",
    { terminating: 1, active: 1, freed: 2, failed: 2 },
  ],
  [
    "what is to end of a queue has failed",
    jobOf(1, undefined, atOnce),
    "R F T",
    { terminating: 1, active: 1, freed: 2, failed: 2 },
  ],
  [
    "more pods are to end than may run",
    jobOf(1, 1, onceEnded),
    "R R T T T T",
    { terminating: 5, active: 1, deleted: 1, freed: 1 },
  ],
  [
    "more pods are to end than may run, with a failure policy",
    jobOf(1, 1, { podFailurePolicy: { rules: [] } }),
    "R R T T T T",
    { terminating: 5, active: 1, deleted: 1, freed: 1 },
  ],
  ["a queue has too few pods", jobOf(2), "R", { created: 1, active: 2 }],
  ["too many pods", jobOf(2, 5), "R R R", { deleted: 1, active: 2, freed: 1, terminating: 1 }],
  [
    "too many ready pods",
    jobOf(2, 5),
    "Y Y Y",
    { deleted: 1, active: 2, freed: 1, terminating: 1, ready: 2 },
  ],
  [
    "a success and a failure",
    jobOf(2, 5),
    "R S F",
    { created: 1, active: 2, succeeded: 1, failed: 1, freed: 2 },
  ],
  ["a new failure", jobOf(2, 5), "R F", { created: 1, active: 2, failed: 1, freed: 1 }],
  ["every success is there", jobOf(2, 5), "S S S S S", { succeeded: 5, freed: 5, conditions: MET }],
  ["a queue is about to end", jobOf(2), "R S", { active: 1, succeeded: 1, freed: 1 }],
  ["a queue has ended", jobOf(2), "S S", { succeeded: 2, freed: 2, conditions: MET }],
  [
    "a queue has ended despite a failure",
    jobOf(2),
    "S F",
    { succeeded: 1, failed: 1, freed: 2, conditions: MET },
  ],
  [
    "many more pods than may run",
    jobOf(2, 5),
    "R R R R R R R R R R",
    { deleted: 8, active: 2, freed: 8, terminating: 8 },
  ],
  [
    "more pods than successes left",
    jobOf(3, 4),
    "R R R S S",
    { deleted: 1, active: 2, succeeded: 2, freed: 3, terminating: 1 },
  ],
  ["two successes", jobOf(2, 5), "R R S S", { active: 2, succeeded: 2, freed: 2 }],
  ["an indexed job starts", indexed(2, 5), "", { created: 2, active: 2, indexes: [0, 1] }],
  [
    "an indexed job waits for what is to end",
    indexed(2, 5, onceEnded),
    "T",
    { created: 1, active: 1, terminating: 1, indexes: [0] },
  ],
  [
    "an indexed job does not wait",
    indexed(2, 5, atOnce),
    "T",
    { created: 2, active: 2, terminating: 1, freed: 1, indexes: [0, 1] },
  ],
  [
    "every index succeeded",
    indexed(2, 3),
    "0S 1F 1S 2S",
    { succeeded: 3, failed: 1, freed: 4, completed: "0-2", conditions: MET },
  ],
  [
    "an index succeeds twice",
    indexed(2, 3),
    "0S 1S 1S",
    { created: 1, active: 1, succeeded: 2, freed: 3, completed: "0,1", indexes: [2] },
  ],
  [
    "indexes that run and that succeeded",
    indexed(8, 20),
    "0R 2S 3P 4S 5S 7S 8S 9S",
    {
      created: 6,
      active: 8,
      succeeded: 6,
      freed: 6,
      completed: "2,4,5,7-9",
      indexes: [1, 6, 10, 11, 12, 13],
    },
  ],
  [
    "indexes that failed",
    indexed(3, 4),
    "0F 1P 2F",
    { created: 2, active: 3, failed: 2, freed: 2, indexes: [0, 2] },
  ],
  [
    "pods without an index",
    indexed(2, 5),
    "R S F ?R ?S ?F ?P 0S 1R 2R",
    { deleted: 3, active: 2, succeeded: 1, completed: "0", freed: 8, terminating: 3 },
  ],
  [
    "indexes that run twice",
    indexed(5, 5),
    "S F ?R 0S 1R 2R 2P",
    { deleted: 2, active: 2, succeeded: 1, completed: "0", freed: 5, terminating: 2 },
  ],
  [
    "indexes that the job does not have",
    indexed(2, 5),
    "0S 5R 6S 7P 8F",
    { deleted: 2, succeeded: 1, completed: "0", freed: 5, terminating: 2 },
  ],
  [
    "suspension",
    jobOf(2, 4, { suspend: true }),
    "R R",
    { deleted: 2, freed: 2, terminating: 2, conditions: ["Suspended"] },
  ],
  [
    "suspension of ready pods",
    jobOf(2, 4, { suspend: true }),
    "Y Y",
    { deleted: 2, freed: 2, terminating: 2, conditions: ["Suspended"] },
  ],
];

test("one pass, row by row", () => {
  for (const [title, spec, pods, outcome] of passes) {
    assert.deepEqual(outcomeOf(job(spec), pods), { ...NOTHING, ...outcome }, title);
  }
});

// Upstream counts what a failing job takes away in the same pass, we do so once it is on its way.
const failing: typeof passes = [
  [
    "an index failed too often",
    indexed(2, 3, { backoffLimit: 0 }),
    "0S 1F 2R",
    { deleted: 1, succeeded: 1, failed: 1, freed: 2, terminating: 1, completed: "0" },
  ],
  [
    "ready pods of a job that failed",
    jobOf(2, 3, { backoffLimit: 0 }),
    "Y Y F",
    { deleted: 2, failed: 1, freed: 1, terminating: 2 },
  ],
];

test("what a failing job takes away counts as failed on its way out", () => {
  for (const [title, spec, words, outcome] of failing) {
    const first = outcomeOf(job(spec), words);
    assert.deepEqual(first, { ...NOTHING, conditions: TARGET, ...outcome }, title);
    const { status } = plan(job(spec), podsOf(words));
    const later = words.replaceAll(/[RY]/g, "T");
    const counted = plan(job(spec, status), podsOf(later)).status.uncountedTerminatedPods;
    const deleted = outcome.deleted ?? 0;
    assert.equal(counted?.failed?.length, (outcome.failed ?? 0) + deleted, title);
  }
});

const leavingJob = (spec: Spec): Job => {
  const wanted = job(spec);
  return { ...wanted, metadata: { ...wanted.metadata, deletionTimestamp: "2030-01-01T01:00:00Z" } };
};

test("a job on its way out counts what ended, lets every pod go and makes none", () => {
  const rows: typeof passes = [
    ["with results", jobOf(2, 5), "P R S", { active: 2, succeeded: 1, freed: 3 }],
    ["suspended", jobOf(2, 4, { suspend: true }), "R R", { active: 2, freed: 2 }],
    [
      "over its limit",
      jobOf(2, 5, { backoffLimit: 0 }),
      "F",
      { failed: 1, freed: 1, conditions: TARGET },
    ],
  ];
  for (const [title, spec, pods, outcome] of rows) {
    assert.deepEqual(outcomeOf(leavingJob(spec), pods), { ...NOTHING, ...outcome }, title);
  }
});

test("conditions that somebody set to False decide nothing", () => {
  for (const type of ["FailureTarget", "SuccessCriteriaMet"]) {
    const conditions: JobCondition[] = [{ type, status: "False", reason: "ByHand", message: "m" }];
    const wanted = job({ parallelism: 1, completions: 1 }, { conditions, active: 1 });
    const { status, delete: doomed } = plan(wanted, podsOf("Y"));
    assert.deepEqual([status.conditions, status.active, doomed], [conditions, 1, []]);
  }
});

test("the time to be active ends a job, unless it is suspended or failed otherwise", () => {
  const over = (spec: Spec, words: string) =>
    plan(job({ activeDeadlineSeconds: 10, ...spec }), podsOf(words)).status.conditions?.map(
      ({ type, reason }) => `${type} ${reason}`,
    );
  assert.deepEqual(over(jobOf(1, 2), "R S"), ["FailureTarget DeadlineExceeded"]);
  assert.deepEqual(over(jobOf(1, 2, { suspend: true }), ""), ["Suspended JobSuspended"]);
  assert.deepEqual(over(jobOf(1, 1, { backoffLimit: 0 }), "F"), [
    "FailureTarget BackoffLimitExceeded",
  ]);
});

test("the start is kept while a job is suspended, and set anew when it goes on", () => {
  const spec = { ...jobOf(1, 1), activeDeadlineSeconds: 10 };
  const begun = { startTime: "2030-01-01T00:59:00Z" };
  const { status } = plan(job({ ...spec, suspend: true }, begun), []);
  assert.equal(status.startTime, begun.startTime);
  const resumed = plan(job(spec, status), []);
  assert.equal(resumed.status.startTime, "2030-01-01T01:00:00Z");
  assert.deepEqual([types(resumed.status), resumed.create.length], [[], 1]);
});

test("less parallelism gives up the pods that are least far", () => {
  const conditions = (at: string) => [
    { type: "Ready", status: "True" as const, lastTransitionTime: `2030-01-01T00:${at}:00Z` },
  ];
  const ready = (name: string, at: string): Pod => {
    const made = pod(name);
    return { ...made, status: { ...made.status, conditions: conditions(at) } };
  };
  const pods = [ready("old", "10"), ready("young", "20"), pod("unready")];
  const left = (parallelism: number) =>
    plan(job({ parallelism, completions: 9 }), pods).release.map(({ metadata }) => metadata?.name);
  assert.deepEqual([left(2), left(1)], [["unready"], ["unready", "young"]]);
});

test("restarts of pods on their way out use up the limit too", () => {
  const template = { spec: { restartPolicy: "OnFailure" as const, containers: [{ name: "c" }] } };
  const spec = { template, backoffLimit: 2, podReplacementPolicy: "Failed" as const };
  const { status } = plan(job(spec), [pod("a", { restarts: 2, leaving: true })]);
  assert.deepEqual(types(status), ["FailureTarget"]);
});
