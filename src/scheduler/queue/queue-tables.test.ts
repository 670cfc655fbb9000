import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterEvent } from "../framework/contract.ts";
import { type PodRecord, ProfileTable } from "../pod/pod-profile.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

// The facts of these rows are upstream's (docs/conformance/scheduler-tables.md).

const recordOf = (name: string, priority = 0): PodRecord =>
  new ProfileTable().recordOf({
    metadata: { name, uid: name, namespace: "default" },
    spec: { containers: [], priority },
  });
const unfit = new Set(["Fit"]);
const state = new ClusterState();

/** A queue in which the plugin "Fit" is helped by every pod that goes. */
class Bench {
  readonly queue: SchedulingQueue = new SchedulingQueue({
    compare: (a: PodRecord, b: PodRecord) => b.profile.priority - a.profile.priority,
    hints: new Map([["Fit", ({ kind }: ClusterEvent) => kind === "pod-removed"]]),
  });

  nowMs = 0;

  add(name: string, priority = 0): void {
    this.queue.add(recordOf(name, priority), this.nowMs);
  }

  /** Takes the next pod, which must be this one, and finds no node for it. */
  refuse(name: string): void {
    assert.equal(this.queue.next()?.name, name);
    this.queue.refused(name, { rejectedBy: unfit, nowMs: this.nowMs });
  }

  /** Something happens that helps everybody. */
  help(): void {
    const event = { kind: "pod-removed", pod: recordOf("other"), slot: undefined } as const;
    this.queue.wakeUp(event, { state, nowMs: this.nowMs });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.queue.advance(this.nowMs);
  }

  drain(): string[] {
    const names: string[] = [];
    for (let pod = this.queue.next(); pod; pod = this.queue.next()) names.push(pod.name);
    return names;
  }

  get pending(): [active: number, backoff: number, asleep: number] {
    const { active, backoff, unschedulable } = this.queue.pending();
    return [active, backoff, unschedulable];
  }
}

const rows: [title: string, act: (bench: Bench) => void, order: string[]][] = [
  [
    "pods go by arrival",
    (bench) => {
      bench.add("b");
      bench.add("a");
    },
    ["b", "a"],
  ],
  [
    "a change of a waiting pod does not put it back",
    (bench) => {
      bench.add("b");
      bench.add("a");
      bench.add("b");
    },
    ["b", "a"],
  ],
  [
    "woken pods go in the order of their attempts",
    (bench) => {
      bench.add("b");
      bench.add("a");
      bench.refuse("b");
      bench.refuse("a");
      bench.pass(1_500);
      bench.help();
    },
    ["b", "a"],
  ],
  [
    "a pod that backed off goes behind one that arrived before its attempt",
    (bench) => {
      bench.add("b");
      bench.add("a");
      bench.refuse("b");
      bench.help();
      bench.pass(1_000);
    },
    ["a", "b"],
  ],
  [
    "a more important pod that arrives later goes first",
    (bench) => {
      bench.add("low");
      bench.pass(1);
      bench.add("high", 9);
    },
    ["high", "low"],
  ],
  [
    "one that failed often does not hold up a newer one of its importance",
    (bench) => {
      bench.add("often", 5);
      for (let attempt = 0; attempt < 3; attempt++) {
        bench.refuse("often");
        bench.pass(20_000);
        bench.help();
      }
      bench.add("newer", 5);
      bench.refuse("often");
      bench.help();
    },
    ["newer"],
  ],
  [
    "those asleep for long are tried, the more important first",
    (bench) => {
      bench.add("mid", 5);
      bench.refuse("mid");
      bench.add("high", 9);
      bench.refuse("high");
      bench.pass(300_001);
    },
    ["high", "mid"],
  ],
  [
    "a removed pod leaves the others",
    (bench) => {
      bench.add("high", 9);
      bench.add("low");
      bench.queue.remove("high");
    },
    ["low"],
  ],
  [
    "a change of a sleeper may help it, after its back-off",
    (bench) => {
      bench.add("a");
      bench.refuse("a");
      bench.add("a");
      assert.deepEqual(bench.pending, [0, 1, 0]);
      bench.pass(1_000);
    },
    ["a"],
  ],
  [
    "who is to be tried at once is, though it backs off",
    (bench) => {
      bench.add("a");
      bench.refuse("a");
      bench.help();
      bench.queue.activate("a");
    },
    ["a"],
  ],
  ["who is not known is not tried", (bench) => bench.queue.activate("nobody"), []],
];

test("who is tried next, row by row", () => {
  for (const [title, act, order] of rows) {
    const bench = new Bench();
    act(bench);
    assert.deepEqual(bench.drain(), order, title);
  }
});

test("what helps all moves those that back off apart, and others at once", () => {
  const bench = new Bench();
  for (const [name, priority] of [
    ["high", 9],
    ["low", 0],
  ] as const) {
    bench.add(name, priority);
    bench.refuse(name);
  }
  bench.add("mid", 5);
  assert.deepEqual(bench.pending, [1, 0, 2]);
  bench.help();
  assert.deepEqual(bench.pending, [1, 2, 0]);
  bench.pass(1_000);
  assert.deepEqual(bench.pending, [3, 0, 0]);
  assert.deepEqual(bench.drain(), ["high", "mid", "low"]);
});

test("each back-off holds until its end, and no longer", () => {
  const bench = new Bench();
  bench.add("a");
  for (const [at, seconds] of [1, 2, 4, 8, 10, 10, 10].entries()) {
    assert.equal(bench.queue.history("a").attempts, at);
    bench.refuse("a");
    bench.help();
    bench.pass(1);
    assert.deepEqual(bench.pending, [0, 1, 0], `attempt ${at}, too early`);
    bench.pass(seconds * 1_000 - 2);
    assert.deepEqual(bench.pending, [0, 1, 0], `attempt ${at}, just before`);
    bench.pass(1);
    assert.deepEqual(bench.pending, [1, 0, 0], `attempt ${at}, over`);
  }
});

test("who is to be tried at once while others think about it is, after its back-off", () => {
  const bench = new Bench();
  bench.add("a");
  assert.equal(bench.queue.next()?.name, "a");
  bench.queue.ponder("a");
  bench.queue.activate("a");
  bench.queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  assert.deepEqual(bench.pending, [0, 1, 0]);
});
