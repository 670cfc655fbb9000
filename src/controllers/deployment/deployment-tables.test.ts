import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import { isComplete, progressDeadlineMs } from "./deployment-status.ts";
import { scaleSets } from "./proportional-scaling.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS } from "./revision.ts";
import { nextNewReplicas, rolloutLimits, shrinkOldSets } from "./rollout-limits.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

type Limit = number | string;

function deployment(replicas: number, limits: { surge?: Limit; unavailable?: Limit } = {}) {
  const { surge = 0, unavailable = 0 } = limits;
  const rollingUpdate = { maxSurge: surge, maxUnavailable: unavailable };
  return {
    metadata: { name: "web", namespace: "default", uid: "d" },
    spec: { replicas, selector: {}, template: {}, strategy: { rollingUpdate } },
  } satisfies Deployment;
}

/** A set of so many pods, all available; the larger `age`, the older. */
function setOf(replicas: number, more: { age?: number; available?: number } = {}): ReplicaSet {
  const { age = 0, available = replicas } = more;
  return {
    metadata: {
      name: `web-${age}`,
      uid: `${age}`,
      creationTimestamp: `2030-01-01T${String(20 - age).padStart(2, "0")}:00:00Z`,
    },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available },
  };
}

/** What the sets recorded when they were last sized. */
function sized(set: ReplicaSet, of: { wanted: number; surge: number }): ReplicaSet {
  const annotations = {
    [DESIRED_REPLICAS]: String(of.wanted),
    [MAX_REPLICAS]: String(of.wanted + of.surge),
  };
  return { ...set, metadata: { ...set.metadata, annotations } };
}

const RESIZES: [
  title: string,
  before: [wanted: number, surge: number],
  after: [wanted: number, surge: number],
  /** Newest first; null for a template that has no set yet. */
  sets: (number | null)[],
  sizes: number[],
][] = [
  ["one set grows", [10, 0], [12, 0], [10], [12]],
  ["one set shrinks", [10, 0], [5, 0], [10], [5]],
  ["5 to 10", [5, 0], [10, 0], [2, 3], [4, 6]],
  ["5 to 3", [5, 0], [3, 0], [2, 3], [1, 2]],
  ["9 to 4", [9, 0], [4, 0], [8, 1], [4, 0]],
  ["7 to 10", [7, 0], [10, 0], [2, 3, 2], [3, 4, 3]],
  ["13 to 8", [13, 0], [8, 0], [2, 8, 3], [1, 5, 2]],
  ["what is left over goes to the newest", [3, 0], [4, 0], [1, 1, 1], [2, 1, 1]],
  ["what is too much is taken from the oldest", [3, 0], [2, 0], [1, 1, 1], [1, 1, 0]],
  ["the template has no set", [4, 0], [5, 0], [null, 2, 2], [3, 2]],
  ["to none", [6, 0], [0, 0], [3, 2, 1], [0, 0, 0]],
  ["from none", [6, 0], [6, 0], [0, 0, 0], [6, 0, 0]],
  ["with surge", [10, 2], [20, 2], [6, 6], [11, 11]],
  ["size and surge", [10, 3], [50, 6], [5, 8], [22, 34]],
  ["size and template", [10, 0], [14, 0], [null, 7, 3], [10, 4]],
];

test("a new size is shared out among the sets", () => {
  for (const [title, [wanted, surge], [replicas, nextSurge], sizes, expected] of RESIZES) {
    const made = sizes.map((size, age) =>
      size === null ? undefined : sized(setOf(size, { age }), { wanted, surge }),
    );
    const [current, ...old] = made;
    const sets = { current, old: old.filter((one) => one !== undefined) };
    const next = scaleSets(deployment(replicas, { surge: nextSurge }), sets);
    const after = made
      .filter((one) => one !== undefined)
      .map((set) => next.get(set) ?? set.spec?.replicas);
    assert.deepEqual(after, expected, title);
  }
});

test("a full set whose pods do not serve takes nothing from the old one", () => {
  const of = { wanted: 2, surge: 1 };
  const current = sized(setOf(2, { available: 0 }), of);
  const old = sized(setOf(1, { age: 1 }), of);
  const next = scaleSets(deployment(2, { surge: 1, unavailable: 1 }), { current, old: [old] });
  assert.deepEqual([next.get(current) ?? 2, next.get(old) ?? 1], [2, 1]);
});

test("where one of the sets was sized already only the others are", () => {
  const [newest, middle, oldest] = [2, 1, 1].map((size, age) => setOf(size, { age }));
  const at = (set: ReplicaSet | undefined, wanted: number) =>
    sized(set ?? {}, { wanted, surge: 0 });
  const current = at(newest, 5);
  const old = [at(middle, 3), at(oldest, 5)];
  const next = scaleSets(deployment(5), { current, old });
  assert.equal(next.get(old[0] ?? {}), 2);
});

const GROWTH: [surge: number, old: number, current: number, next: number][] = [
  [0, 10, 0, 0],
  [2, 10, 0, 2],
  [2, 5, 0, 7],
  [2, 10, 2, 2],
  [2, 2, 11, 10],
];
test("the new set grows as far as the surge allows", () => {
  for (const [surge, old, current, next] of GROWTH) {
    const all = [setOf(current), setOf(old, { age: 1 })];
    const row = JSON.stringify([surge, old, current]);
    assert.equal(nextNewReplicas(deployment(10, { surge }), { all, current }), next, row);
  }
  const all = [setOf(2), setOf(5, { age: 1 })];
  assert.equal(nextNewReplicas(deployment(6, { surge: 10 }), { all, current: 2 }), 6);
  const recreate = { ...deployment(3).spec, strategy: { type: "Recreate" as const } };
  assert.equal(nextNewReplicas({ spec: recreate }, { all, current: 1 }), 3);
});

const SHRINKING: [
  unavailable: number,
  old: number,
  oldServe: number,
  current: number,
  currentServe: number,
  next: number,
][] = [
  [0, 10, 10, 0, 0, 9],
  [2, 10, 10, 0, 0, 8],
  [2, 10, 8, 0, 0, 8],
  [2, 10, 9, 0, 0, 8],
  [2, 8, 8, 2, 0, 8],
  [2, 0, 0, 10, 10, 0],
  // As pods that do not serve go first, so many of the ten.
  [2, 10, 1, 0, 0, 8],
];
test("old sets shrink as far as pods may be missed, those that do not serve first", () => {
  for (const [unavailable, old, oldServe, current, currentServe, next] of SHRINKING) {
    const sets = {
      old: [setOf(old, { age: 1, available: oldServe })],
      current: setOf(current, { available: currentServe }),
    };
    const sizes = shrinkOldSets(deployment(10, { unavailable }), sets);
    const row = JSON.stringify([unavailable, old, oldServe, current, currentServe]);
    assert.deepEqual([...sizes.values()], [next], row);
  }
});

const LIMITS: [surge: Limit, unavailable: Limit, replicas: number, expected: [number, number]][] = [
  ["39%", "39%", 10, [4, 3]],
  [0, "39%", 10, [0, 3]],
  ["39%", 0, 10, [4, 0]],
  [0, 0, 10, [0, 1]],
  [1, 5, 10, [1, 5]],
  [1, 10, 10, [1, 10]],
  [1, 10, 5, [1, 5]],
  [1, 10, 0, [1, 0]],
  [1, "50%", 10, [1, 5]],
  [1, "100%", 10, [1, 10]],
  [1, "100%", 5, [1, 5]],
];
test("how many pods may be more, and missed", () => {
  for (const [surge, unavailable, replicas, expected] of LIMITS) {
    const limits = rolloutLimits(deployment(replicas, { surge, unavailable }));
    assert.deepEqual([limits.surge, limits.unavailable], expected, `${surge} ${unavailable}`);
  }
  const recreate = { ...deployment(3).spec, strategy: { type: "Recreate" as const } };
  assert.deepEqual(rolloutLimits({ spec: recreate }), { surge: 0, unavailable: 0 });
});

const ENDS: [
  wanted: number,
  replicas: number,
  updated: number,
  available: number,
  complete: boolean,
][] = [
  [5, 5, 5, 4, false],
  [5, 5, 5, 3, false],
  [5, 5, 5, 5, true],
  [5, 5, 4, 5, false],
  [1, 2, 1, 1, false],
  [1, 1, 1, 0, false],
];
test("a rollout has ended when all pods are new and serve, and no old one is left", () => {
  for (const [wanted, replicas, updatedReplicas, availableReplicas, complete] of ENDS) {
    const status = { replicas, updatedReplicas, availableReplicas };
    assert.equal(isComplete(deployment(wanted), status), complete, JSON.stringify(status));
  }
});

test("a deadline runs only where there is one, and while it is not over", () => {
  const lastUpdateTime = "2030-01-01T00:00:00Z";
  const due = (progressDeadlineSeconds: number | undefined, reason: string) => {
    const { spec } = deployment(3);
    const limited = progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds };
    const known = { type: "Progressing", status: "True" as const, reason, lastUpdateTime };
    return progressDeadlineMs({ spec: { ...spec, ...limited } }, reason === "-" ? [] : [known]);
  };
  const start = Date.parse(lastUpdateTime);
  assert.equal(due(undefined, "ReplicaSetUpdated"), undefined);
  assert.equal(due(2_147_483_647, "ReplicaSetUpdated"), undefined);
  assert.equal(due(60, "-"), undefined);
  assert.equal(due(60, "NewReplicaSetAvailable"), undefined);
  assert.equal(due(60, "ProgressDeadlineExceeded"), undefined);
  assert.equal(due(60, "ReplicaSetUpdated"), start + 60_000);
});
