import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobSpec, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, pod, types } from "./job-fixture.ts";
import { jobPod } from "./job-pod.ts";

const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata?.name);
const reasonOf = ({ conditions = [] }: JobStatus) => conditions[0]?.reason;
const LONG_AGO = "2030-01-01T00:00:00Z";

const byIndex = (spec: Partial<JobSpec> = {}, status: JobStatus = {}) =>
  job(
    {
      completionMode: "Indexed",
      completions: 4,
      parallelism: 4,
      backoffLimit: 2 ** 31 - 1,
      backoffLimitPerIndex: 1,
      ...spec,
    },
    status,
  );
const failed = (name: string, index: number, failures = 0) =>
  pod(name, { phase: "Failed", index, failures, endedAt: LONG_AGO });

test("each index has its own limit; one that is over it is not tried again", () => {
  const { create, status, untrack } = plan(byIndex(), [failed("a", 0, 0), failed("b", 1, 1)]);
  assert.deepEqual(create, [
    { index: 0, failures: { counted: 1, forgiven: 0 } },
    { index: 2, failures: { counted: 0, forgiven: 0 } },
    { index: 3, failures: { counted: 0, forgiven: 0 } },
  ]);
  assert.equal(status.failedIndexes, "1");
  assert.deepEqual(names(untrack), ["b"]);
});

test("a failed pod is kept until another has taken over its count", () => {
  const wanted = byIndex({ completions: 1, parallelism: 1 });
  const kept = plan(wanted, [failed("a", 0)]);
  assert.deepEqual([kept.untrack, kept.status.uncountedTerminatedPods], [[], {}]);
  const next = pod("b", { index: 0, failures: 1 });
  const { untrack, status } = plan(wanted, [failed("a", 0), next]);
  assert.deepEqual(names(untrack), ["a"]);
  assert.deepEqual(status.uncountedTerminatedPods, { failed: ["a"] });
});

test("an index waits for itself alone, the longer the more often it failed", () => {
  const wanted = byIndex({ completions: 2, parallelism: 2, backoffLimitPerIndex: 5 });
  const recent = { phase: "Failed" as const, endedAt: "2030-01-01T00:59:55Z" };
  const first = pod("a", { ...recent, index: 0 });
  const third = pod("b", { ...recent, index: 1, failures: 1, forgiven: 1 });
  const waiting = plan(wanted, [first, third]);
  assert.deepEqual([waiting.create, waiting.requeueAfterMs], [[], 5_000]);
  const one = plan(wanted, [failed("a", 0), third]);
  assert.deepEqual(one.create, [{ index: 0, failures: { counted: 1, forgiven: 0 } }]);
  assert.equal(one.requeueAfterMs, 35_000);
});

test("with every index done or failed the job fails, and no sooner", () => {
  const status = { completedIndexes: "0-2", failedIndexes: "" };
  assert.deepEqual(types(plan(byIndex({}, status), [pod("d", { index: 3 })]).status), []);
  const over = plan(byIndex({}, status), [failed("d", 3, 1)]);
  assert.deepEqual(
    [types(over.status), reasonOf(over.status)],
    [["FailureTarget"], "FailedIndexes"],
  );
});

test("too many failed indexes end the job at once", () => {
  const wanted = byIndex({ maxFailedIndexes: 1 }, { failedIndexes: "0" });
  assert.deepEqual(types(plan(wanted, []).status), []);
  const over = plan(wanted, [failed("b", 1, 1), pod("c", { index: 2 })]);
  assert.equal(reasonOf(over.status), "MaxFailedIndexesExceeded");
  assert.deepEqual(names(over.delete), ["c"]);
});

test("a rule fails an index at once, or forgives what it counts apart", () => {
  const onExitCodes = { operator: "In" as const, values: [42] };
  const fail = byIndex({ podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes }] } });
  const hit = { phase: "Failed" as const, exitCode: 42, endedAt: LONG_AGO };
  assert.equal(plan(fail, [pod("a", { ...hit, index: 0 })]).status.failedIndexes, "0");
  const ignore = byIndex({
    parallelism: 1,
    podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes }] },
  });
  const again = plan(ignore, [pod("a", { ...hit, index: 0, failures: 1 })]);
  assert.deepEqual(again.create, [{ index: 0, failures: { counted: 1, forgiven: 1 } }]);
  assert.equal(again.status.failedIndexes, "");
});

test("a new pod is told how often its index failed", () => {
  const owner = { apiVersion: "batch/v1", kind: "Job", name: "work", uid: "j" };
  const made = jobPod(byIndex(), { owner, index: 1, failures: { counted: 2, forgiven: 1 } });
  assert.deepEqual(made.metadata?.annotations, {
    "batch.kubernetes.io/job-completion-index": "1",
    "batch.kubernetes.io/job-index-failure-count": "2",
    "batch.kubernetes.io/job-index-ignored-failure-count": "1",
  });
});

const SUCCESS: [rules: NonNullable<JobSpec["successPolicy"]>["rules"], met: string | undefined][] =
  [
    [[{ succeededIndexes: "0" }], undefined],
    [[{ succeededIndexes: "1-2" }], "Matched rules at index 0"],
    [[{ succeededIndexes: "0-2" }], undefined],
    [[{ succeededIndexes: "0-2", succeededCount: 2 }], "Matched rules at index 0"],
    [[{ succeededCount: 3 }], undefined],
    [[{ succeededIndexes: "0" }, { succeededCount: 2 }], "Matched rules at index 1"],
    [[{ succeededIndexes: "7-9" }], undefined],
  ];
for (const [rules, met] of SUCCESS) {
  test(`with indexes 1 and 2 of 5, ${JSON.stringify(rules)} is ${met ? "" : "not "}met`, () => {
    const wanted = job(
      { completionMode: "Indexed", completions: 5, parallelism: 5, successPolicy: { rules } },
      { completedIndexes: "1" },
    );
    const pods = [pod("b", { index: 2, phase: "Succeeded" }), pod("a", { index: 0 })];
    const { status, release, delete: doomed } = plan(wanted, pods);
    assert.deepEqual(types(status), met ? ["SuccessCriteriaMet"] : []);
    assert.equal(status.conditions?.[0]?.message, met);
    assert.deepEqual([names(release), names(doomed)], [met ? ["a"] : [], []]);
  });
}

test("a job that met its policy stays so, whatever becomes of the rest", () => {
  const conditions = [
    { type: "SuccessCriteriaMet", status: "True" as const, reason: "SuccessPolicy" },
  ];
  const wanted = job(
    { completionMode: "Indexed", completions: 3, activeDeadlineSeconds: 1, backoffLimit: 0 },
    { completedIndexes: "0", succeeded: 1, conditions },
  );
  const lost = pod("b", { index: 1, phase: "Failed", tracked: false });
  const { status } = plan(wanted, [lost]);
  assert.deepEqual(types(status), ["SuccessCriteriaMet", "Complete"]);
  assert.equal(status.conditions?.[1]?.reason, "SuccessPolicy");
  assert.equal(status.succeeded, 1);
});

test("what is taken away by suspension or less parallelism is not counted as failed", () => {
  for (const spec of [{ suspend: true }, { parallelism: 0, completions: 2 }]) {
    const { release, delete: doomed } = plan(job({ backoffLimit: 0, ...spec }), [pod("a")]);
    assert.deepEqual([names(release), doomed], [["a"], []]);
    const gone = plan(job({ backoffLimit: 0, ...spec }), [
      pod("a", { tracked: false, leaving: true }),
    ]);
    assert.deepEqual([gone.status.failed, gone.status.terminating], [undefined, 1]);
  }
});

test("a pod on its way out is replaced after the wait of a failure, or after its end", () => {
  const pods = [pod("a", { leaving: true })];
  const now = plan(job({ completions: 1, podReplacementPolicy: "TerminatingOrFailed" }), pods);
  assert.deepEqual([now.create.length, now.requeueAfterMs], [0, 10_000]);
  assert.deepEqual(now.status.uncountedTerminatedPods, { failed: ["a"] });
  const later = plan(job({ completions: 1, podReplacementPolicy: "Failed" }), pods);
  assert.deepEqual([later.create.length, later.status.uncountedTerminatedPods], [0, {}]);
  assert.deepEqual([later.status.terminating, later.status.active], [1, undefined]);
});

test("an index of a pod on its way out is not given away before its end", () => {
  const spec = { completionMode: "Indexed", completions: 3, parallelism: 2 } as const;
  const wanted = job({ ...spec, podReplacementPolicy: "Failed" });
  const { create } = plan(wanted, [pod("a", { index: 0, leaving: true })]);
  assert.deepEqual(create, [{ index: 1 }]);
});

test("a job that shrinks forgets indexes beyond its end and lets their pods go", () => {
  const spec = { completionMode: "Indexed", completions: 2, parallelism: 2 } as const;
  const wanted = job(spec, { completedIndexes: "0,3", succeeded: 2 });
  const { release, status } = plan(wanted, [
    pod("b", { index: 1 }),
    pod("c", { index: 2 }),
    pod("d", { index: 1 }),
  ]);
  assert.equal(release.length, 2);
  assert.ok(names(release).includes("c"));
  assert.deepEqual([status.completedIndexes, status.succeeded], ["0", 1]);
});

test("containers that restart in place use up the limit, one of zero at the first time", () => {
  const template = { spec: { restartPolicy: "OnFailure" as const, containers: [{ name: "c" }] } };
  const restarted = (restarts: number, backoffLimit: number) =>
    reasonOf(plan(job({ template, backoffLimit }), [pod("a", { restarts })]).status);
  assert.equal(restarted(1, 2), undefined);
  assert.equal(restarted(2, 2), "BackoffLimitExceeded");
  assert.equal(restarted(1, 0), "BackoffLimitExceeded");
  assert.equal(restarted(0, 0), undefined);
});

test("a failed job counts pods that it takes away, though they are still to end", () => {
  const conditions = [
    { type: "FailureTarget", status: "True" as const, reason: "DeadlineExceeded", message: "m" },
  ];
  const wanted = job({ podReplacementPolicy: "Failed" }, { conditions });
  const { status, untrack } = plan(wanted, [pod("a", { leaving: true })]);
  assert.deepEqual(status.uncountedTerminatedPods, { failed: ["a"] });
  assert.deepEqual(names(untrack), ["a"]);
});
