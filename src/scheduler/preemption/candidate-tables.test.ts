import assert from "node:assert/strict";
import { test } from "node:test";
import { type Case, type Placed, preempt } from "./preemption-fixture.ts";

// Facts of upstream's tests of DefaultPreemption, Kubernetes 1.32, Apache-2.0: which of several
// nodes is emptied, and what is said when none is.

/** Of a node's four CPUs. */
const SIZES = { small: 0.8, medium: 1.6, large: 2.4, whole: 4 };
const PRIORITIES = { negative: -100, low: 0, middle: 100, high: 1000, top: 10_000 };
type Size = keyof typeof SIZES;
type Importance = keyof typeof PRIORITIES;

const pod = (
  name: string,
  importance: Importance,
  of: { size?: Size | undefined; start?: number | undefined; app?: string } = {},
): Placed => ({
  name,
  priority: PRIORITIES[importance],
  cpu: of.size ? SIZES[of.size] : 0,
  start: of.start ?? 0,
  ...(of.app ? { app: of.app } : {}),
});
/** "middle large 3": importance, size and when it started. */
const pods = (node: string, ...shapes: string[]): Placed[] =>
  shapes.map((shape, at) => {
    const [importance, size, start] = shape.split(" ");
    const startedAt = start === undefined ? undefined : Number(start);
    return pod(`${node}-${at}`, importance as Importance, {
      size: size as Size | undefined,
      start: startedAt,
    });
  });
const onNodes = (...nodes: string[][]): Record<string, Placed[]> =>
  Object.fromEntries(nodes.map((shapes, at) => [`n${at + 1}`, pods(`n${at + 1}`, ...shapes)]));

const CHOSEN: [string, Record<string, Placed[]>, Importance, string][] = [
  [
    "the least of the most important",
    onNodes(
      ["middle medium", "middle large"],
      ["middle medium", "low medium"],
      ["low medium", "low medium"],
    ),
    "high",
    "n3",
  ],
  [
    "the least sum",
    onNodes(
      ["middle medium", "middle large"],
      ["middle large", "low medium"],
      ["middle medium", "middle medium"],
    ),
    "high",
    "n2",
  ],
  [
    "the fewest",
    onNodes(
      ["middle small", "negative small", "middle small", "negative small"],
      ["middle large", "negative medium"],
      ["middle medium", "negative small", "low small"],
    ),
    "high",
    "n2",
  ],
  [
    "the least sum, to which each adds something",
    onNodes(
      ["middle small", "negative small", "negative small"],
      ["middle large", "negative medium"],
      ["middle medium", "negative small", "low small"],
    ),
    "high",
    "n2",
  ],
  [
    "the least of the most important before sum and number",
    onNodes(
      ["middle small", "low small", "low small"],
      ["high large"],
      ["middle medium", "low small", "low small", "low medium"],
      ["middle medium", "middle small", "middle small", "negative small"],
    ),
    "top",
    "n1",
  ],
  [
    "those that started last",
    onNodes(
      ["middle medium 2", "middle medium 2"],
      ["middle medium 3", "middle medium 3"],
      ["middle medium 1", "middle medium 1"],
    ),
    "high",
    "n2",
  ],
  [
    "whose oldest started last",
    onNodes(
      ["middle medium 4", "middle medium 2"],
      ["middle medium 5", "middle medium 1"],
      ["middle medium 3", "middle medium 6"],
    ),
    "high",
    "n3",
  ],
  [
    "whose most important started last",
    onNodes(
      ["low medium 4", "middle medium 2"],
      ["middle medium 6", "low medium 1"],
      ["low medium 3", "middle medium 5"],
    ),
    "high",
    "n2",
  ],
];
for (const [name, nodes, importance, expected] of CHOSEN) {
  test(`preemption among several nodes takes: ${name}`, () => {
    const found = preempt({ nodes, pod: pod("p", importance, { size: "whole" }) });
    assert.equal(found?.preemption?.node, expected);
  });
}

test("preemption among several nodes: the most important counts, whoever breaks a budget", () => {
  const nodes = {
    n1: [
      pod("p1", "high", { size: "large", app: "free" }),
      pod("p2", "low", { size: "medium", app: "guarded" }),
    ],
    n2: [pod("p3", "middle", { size: "whole", app: "guarded" })],
  };
  const budgets = { guarded: 0, free: 100 };
  const found = preempt({ nodes, budgets, pod: pod("p", "top", { size: "whole" }) });
  assert.equal(found?.preemption?.node, "n2");
});

const OVERSIZED: Placed = { name: "p", priority: 1000, cpu: 5 };
const SAID: [string, Omit<Case, "name" | "expected">, string][] = [
  [
    "nodes that are too small",
    { nodes: onNodes(["low"], ["low"]), pod: OVERSIZED },
    "0/2 nodes are available: 2 Insufficient cpu.",
  ],
  [
    "one that is too small, and two without victims",
    { nodes: onNodes(["high"], ["low"], ["high"]), pod: OVERSIZED },
    "0/3 nodes are available: 1 Insufficient cpu, 2 No preemption victims found for incoming pod.",
  ],
  [
    "two that are too small, and two that are not selected",
    {
      nodes: onNodes(["low"], ["low"], ["low"], ["low"]),
      pod: { ...OVERSIZED, spec: { nodeSelector: { zone: "1" } } },
    },
    "0/4 nodes are available: 2 Insufficient cpu, 2 Preemption is not helpful for scheduling.",
  ],
];
for (const [name, of, message] of SAID) {
  test(`preemption finds no node: ${name}`, () => {
    assert.deepEqual(preempt(of), { message: `preemption: ${message}` });
  });
}
