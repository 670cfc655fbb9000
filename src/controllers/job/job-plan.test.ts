import assert from "node:assert/strict";
import { test } from "node:test";
import { job, plan, pod, types } from "./job-fixture.ts";
import { formatIndexes, parseIndexes } from "./job-indexes.ts";
import { jobPod } from "./job-pod.ts";

test("as many pods run as parallelism and what is left of completions allow", () => {
  assert.equal(plan(job({ completions: 5, parallelism: 2 }), []).create.length, 2);
  const late = job({ completions: 5, parallelism: 2 }, { succeeded: 4 });
  assert.equal(plan(late, []).create.length, 1);
  assert.equal(
    plan(job({ completions: 5, parallelism: 2 }), [pod("a"), pod("b")]).create.length,
    0,
  );
});

test("less parallelism deletes running pods", () => {
  const less = plan(job({ completions: 5, parallelism: 1 }), [pod("a"), pod("b")]);
  assert.deepEqual([less.release.length, less.delete.length], [1, 0]);
});

test("a result is counted once: noted, let go, then counted", () => {
  const wanted = job({ completions: 2 });
  const noted = plan(wanted, [pod("a", { phase: "Succeeded" })]);
  assert.deepEqual(noted.status.uncountedTerminatedPods, { succeeded: ["a"] });
  assert.equal(noted.status.succeeded, undefined);
  assert.deepEqual(
    noted.untrack.map(({ metadata }) => metadata?.name),
    ["a"],
  );
  const still = plan({ ...wanted, status: noted.status }, [pod("a", { phase: "Succeeded" })]);
  assert.deepEqual(still.status.uncountedTerminatedPods, { succeeded: ["a"] });
  const released = [pod("a", { phase: "Succeeded", tracked: false })];
  const counted = plan({ ...wanted, status: noted.status }, released);
  assert.equal(counted.status.succeeded, 1);
  assert.deepEqual(counted.status.uncountedTerminatedPods, {});
});

test("a job is complete when its last result is counted", () => {
  const status = { succeeded: 1, uncountedTerminatedPods: { succeeded: ["b"] } };
  const waiting = plan(job({ completions: 2 }, status), [pod("b", { phase: "Succeeded" })]);
  assert.deepEqual(types(waiting.status), ["SuccessCriteriaMet"]);
  const done = plan(job({ completions: 2 }, status), []);
  assert.deepEqual(types(done.status), ["SuccessCriteriaMet", "Complete"]);
  assert.equal(done.status.succeeded, 2);
  assert.equal(done.status.completionTime, "2030-01-01T01:00:00Z");
  const after = plan(job({ completions: 2 }, done.status), []);
  assert.deepEqual([after.create, after.delete, after.status], [[], [], after.status]);
});

test("failures are retried with growing delay until the limit", () => {
  const wanted = job({ completions: 1, backoffLimit: 1 });
  const recent = pod("a", { phase: "Failed", endedAt: "2030-01-01T00:59:55Z" });
  const first = plan(wanted, [recent]);
  assert.deepEqual([first.create, first.requeueAfterMs], [[], 5000]);
  assert.equal(plan(wanted, [pod("a", { phase: "Failed" })]).create.length, 1);
  const over = job({ completions: 1, backoffLimit: 1 }, { failed: 1 });
  const failing = plan(over, [pod("b", { phase: "Failed" }), pod("c")]);
  assert.deepEqual(types(failing.status), ["FailureTarget"]);
  assert.deepEqual(
    failing.delete.map(({ metadata }) => metadata?.name),
    ["c"],
  );
  const failed = plan(job({ completions: 1, backoffLimit: 1 }, { ...failing.status }), []);
  assert.deepEqual(types(failed.status), ["FailureTarget", "Failed"]);
  assert.equal(failed.status.conditions?.[0]?.reason, "BackoffLimitExceeded");
});

test("a deadline ends the job, and is waited for", () => {
  assert.equal(plan(job({ activeDeadlineSeconds: 90 }), [pod("a")]).requeueAfterMs, 30_000);
  const over = plan(job({ activeDeadlineSeconds: 30 }), [pod("a")]);
  assert.equal(over.status.conditions?.[0]?.reason, "DeadlineExceeded");
  assert.equal(over.delete.length, 1);
});

test("a suspended job has no pods, and no start time if it never ran", () => {
  const suspended = job({ suspend: true });
  const { release, create, status } = plan({ ...suspended, status: {} }, [pod("a")]);
  assert.deepEqual([release.length, create.length, status.startTime], [1, 0, undefined]);
  assert.deepEqual(types(status), ["Suspended"]);
});

test("an indexed job fills its lowest free indexes", () => {
  const wanted = job(
    { completionMode: "Indexed", completions: 6, parallelism: 3 },
    { completedIndexes: "0,2" },
  );
  const { create } = plan(wanted, [pod("a", { index: 1 })]);
  assert.deepEqual(create, [{ index: 3 }, { index: 4 }]);
  const done = plan(wanted, [pod("b", { index: 1, phase: "Succeeded" })]);
  assert.equal(done.status.completedIndexes, "0-2");
});

test("a failure policy ends the job at once or forgives", () => {
  const onExitCodes = { operator: "In" as const, values: [42] };
  const fail = job({ podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes }] } });
  const failed = plan(fail, [pod("a", { phase: "Failed", exitCode: 42 })]);
  assert.equal(failed.status.conditions?.[0]?.reason, "PodFailurePolicy");
  const ignore = job({ podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes }] } });
  const ignored = plan(ignore, [pod("a", { phase: "Failed", exitCode: 42 })]);
  assert.deepEqual(ignored.status.uncountedTerminatedPods, {});
  assert.equal(ignored.untrack.length, 1);
});

test("an indexed pod knows its index", () => {
  const owner = { apiVersion: "batch/v1", kind: "Job", name: "work", uid: "j" };
  const made = jobPod(job({}), { owner, index: 3 });
  assert.equal(made.metadata?.generateName, "work-3-");
  assert.equal(made.spec?.hostname, "work-3");
  assert.equal(made.spec?.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
});

test("indexes are written as ranges and read back", () => {
  assert.equal(formatIndexes(new Set([7, 3, 4, 5, 1, 0])), "0,1,3-5,7");
  assert.deepEqual([...parseIndexes("0,1,3-5,7", 5)], [0, 1, 3, 4]);
});
