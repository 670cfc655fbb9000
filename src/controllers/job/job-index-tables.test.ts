import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, pod } from "./job-fixture.ts";
import { countOn, formatIndexes, INDEX_FAILURES } from "./job-indexes.ts";
import { jobPod } from "./job-pod.ts";
import { indexed, podsOf, type Spec } from "./job-rows-fixture.ts";
import { surveyPods } from "./job-survey.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const names = (pods: Iterable<Pod>) => [...pods].map(({ metadata }) => metadata?.name ?? "").sort();

const succeeded: [title: string, known: string, pods: string, end: number, all: string][] = [
  ["one", "", "1S", 2, "1"],
  ["two apart", "", "2F 5S 5S 10F 10S", 11, "5,10"],
  ["two rows", "", "0R 1P 2S 3S 5S 6S 7S", 8, "2,3,5-7"],
  ["one and a row", "", "0S 1F 2S 3S 4S 5S S -2S", 6, "0,2-5"],
  ["beyond the end", "", "0S 1S 2S 3F 4S 5S S -2S", 5, "0-2,4"],
  ["known ones beyond the end", "0-5,8-10", "", 8, "0-5"],
  ["known ones partly beyond the end", "0-5,8-10", "", 10, "0-5,8,9"],
  ["new ones beside known ones", "0,4,5,10-12", "2S 7S 8S", 13, "0,2,4,5,7,8,10-12"],
  ["known ones between new ones", "3,4,6", "2S 7S 8S", 9, "2-4,6-8"],
  ["new ones between known ones", "2,7,8", "3S 4S 6S", 9, "2-4,6-8"],
  ["new ones that are known", "2-7", "0S 3S 5S 9S", 10, "0,2-7,9"],
  ["a text that is damaged", "0,1-foo,bar", "3S", 4, "0,3"],
];
for (const [title, known, words, end, all] of succeeded) {
  test(`indexes that succeeded: ${title}`, () => {
    const wanted = job(indexed(end, end), { completedIndexes: known });
    assert.equal(formatIndexes(surveyPods(wanted, podsOf(words)).completed), all);
  });
}

const perIndex = (end: number, backoffLimitPerIndex: number, more: Spec = {}) =>
  indexed(end, end, { backoffLimit: 2 ** 31 - 1, backoffLimitPerIndex, ...more });
const lost = (name: string, index: number, failures = 0, tracked = true) =>
  pod(name, { phase: "Failed", index, failures, tracked });
const onExitCodes = { operator: "In" as const, values: [3] };
const failIndex: Spec = { podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes }] } };

const failed: [title: string, spec: Spec, status: JobStatus, pods: Pod[], all: string][] = [
  ["without a second try", perIndex(2, 0), {}, [lost("a", 0)], "0"],
  ["after the last try", perIndex(2, 1), {}, [lost("a", 1, 1)], "1"],
  [
    "by a rule",
    perIndex(2, 1, failIndex),
    {},
    [pod("a", { phase: "Failed", index: 0, failures: 0, exitCode: 3 })],
    "0",
  ],
  ["one of two", perIndex(2, 1), {}, [lost("a", 0), lost("b", 1, 1)], "1"],
  ["not what was let go", perIndex(2, 0), {}, [lost("a", 0, 0, false)], ""],
  ["not what is beyond the end", perIndex(2, 0), {}, [lost("a", 3)], ""],
  ["one more", perIndex(2, 0), { failedIndexes: "0" }, [lost("a", 1)], "0,1"],
  ["the first", perIndex(2, 0), { failedIndexes: "" }, [lost("a", 1)], "1"],
  ["a known one beyond the end", perIndex(2, 0), { failedIndexes: "9" }, [lost("a", 1)], "1"],
];
for (const [title, spec, status, pods, all] of failed) {
  test(`indexes that failed: ${title}`, () => {
    const { failedIndexes } = surveyPods(job(spec, status), pods);
    assert.equal(formatIndexes(failedIndexes ?? new Set()), all);
  });
}

const leavingAt = (name: string, deletionTimestamp: string): Pod => {
  const made = pod(name, { phase: "Failed", index: 0, failures: 1 });
  const { containerStatuses: _, ...status } = made.status ?? {};
  return { ...made, metadata: { ...made.metadata, deletionTimestamp }, status };
};
const kept: [title: string, limit: number, pods: Pod[], all: string[]][] = [
  ["those of indexes that go on", 1, [lost("a", 0), lost("b", 1, 1), lost("c", 2)], ["a", "c"]],
  ["none that was let go", 0, [lost("a", 0, 0, false)], []],
  ["none beyond the end", 0, [lost("a", 4)], []],
  ["none that is replaced", 1, [lost("a", 0), pod("b", { index: 0, failures: 1 })], []],
  [
    "none whose index succeeded",
    1,
    [lost("a", 0), pod("b", { index: 0, failures: 1, phase: "Succeeded" })],
    [],
  ],
  ["the one that counts most", 4, [lost("a", 0), lost("c", 0, 2), lost("b", 0, 1)], ["c"]],
  [
    "the latest",
    4,
    [
      leavingAt("a", "2030-01-01T00:59:59Z"),
      leavingAt("c", "2030-01-01T01:00:00Z"),
      leavingAt("b", "2030-01-01T00:59:58Z"),
    ],
    ["c"],
  ],
];
for (const [title, limit, pods, all] of kept) {
  test(`failed pods that are kept: ${title}`, () => {
    const { replaced } = surveyPods(job(perIndex(3, limit)), pods);
    assert.deepEqual(names(replaced.values()), all);
  });
}

const disrupted = (): Pod => {
  const made = lost("a", 0, 3);
  const conditions = [{ type: "DisruptionTarget", status: "True" as const }];
  return { ...made, status: { ...made.status, conditions } };
};
const onPodConditions = [{ type: "DisruptionTarget", status: "True" as const }];
const ignore: Spec = { podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions }] } };
const counts: [title: string, spec: Spec, pods: Pod[], counted: number, forgiven: number][] = [
  ["the first pod", {}, [], 0, 0],
  ["the second", {}, [lost("a", 0)], 1, 0],
  ["the fifth", {}, [lost("a", 0, 3)], 4, 0],
  ["one that is forgiven", ignore, [disrupted()], 3, 1],
];
for (const [title, spec, pods, counted, forgiven] of counts) {
  test(`the counts of a new pod: ${title}`, () => {
    const { create } = plan(job(perIndex(1, 9, spec)), pods);
    assert.deepEqual(create, [{ index: 0, failures: { counted, forgiven } }]);
  });
}

const first: [
  title: string,
  pods: string,
  status: JobStatus,
  of: [number, number],
  all: number[],
][] = [
  ["fewer than may be", "", {}, [5, 3], [0, 1, 2]],
  ["more than may be", "", {}, [2, 5], [0, 1]],
  ["after those that run", "0R 1P", {}, [5, 10], [2, 3, 4]],
  ["before those that succeeded", "", { completedIndexes: "4,5" }, [7, 6], [0, 1, 2, 3]],
  ["between others", "3P 5R 8P", { completedIndexes: "2-4,9" }, [8, 20], [0, 1, 6, 7, 10]],
  [
    "between failed ones",
    "3P 9P",
    { completedIndexes: "1,5", failedIndexes: "2,6,7" },
    [7, 20],
    [0, 4, 8, 10, 11],
  ],
];
for (const [title, words, status, [parallelism, end], all] of first) {
  test(`the first free indexes: ${title}`, () => {
    const spec = { ...perIndex(end, 1), parallelism };
    const { create } = plan(job(spec, { failedIndexes: "", ...status }), podsOf(words));
    assert.deepEqual(
      create.map(({ index }) => index),
      all,
    );
  });
}

const surplus: [title: string, pods: string, removed: string][] = [
  ["without or beyond", "P 2P 5R 6R", "6R P"],
  ["twice, or beyond", "5P 0R 3P 0R 3R 0P 6R 6P", "0P 0R 3P 6P 6R"],
  ["twice, or none", "P invalidR -2R 0P 1P 1P 1R", "-2R 1P 1P P invalidR"],
];
for (const [title, words, removed] of surplus) {
  test(`pods that are too many: index ${title}`, () => {
    const pods = podsOf(words);
    const wordOf = new Map(pods.map((one, at) => [one, words.split(" ")[at] ?? ""]));
    const { release } = plan(job(indexed(6, 6)), pods);
    assert.equal(
      release
        .map((one) => wordOf.get(one) ?? "")
        .sort()
        .join(" "),
      removed,
    );
  });
}

const LONG = "hhhhhooooohhhhhooooohhhhhooooohhhhhooooohhhhhooooohhhhh";
const generated: [name: string, base: string][] = [
  ["indexed-job", "indexed-job-1-"],
  [`${LONG}ooooohhhhhooooo`, `${LONG}-1-`],
  [`${LONG}oo`, `${LONG}-1-`],
];
for (const [name, base] of generated) {
  test(`pods of index 1 of ${name} are named ${base}…`, () => {
    const owner = { apiVersion: "batch/v1", kind: "Job", name, uid: "j" };
    const made = jobPod({ ...job({}), metadata: { name } }, { index: 1, owner });
    assert.equal(made.metadata?.generateName, base);
  });
}

const annotations: [text: string | undefined, count: number][] = [
  [undefined, 0],
  ["2", 2],
  ["2147483647", 2147483647],
  ["2147483648", 0],
  ["-1", 0],
  ["xyz", 0],
];
for (const [text, count] of annotations) {
  test(`a count of ${text} failures is ${count}`, () => {
    const marked = text === undefined ? {} : { annotations: { [INDEX_FAILURES]: text } };
    assert.equal(countOn({ metadata: marked }, INDEX_FAILURES), count);
  });
}
