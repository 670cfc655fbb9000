import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import { type OwnerState, planGarbage } from "./garbage-plan.ts";
import { type GraphNode, graphNode, OwnershipGraph } from "./ownership-graph.ts";

interface Shape {
  owners?: string[];
  deleting?: boolean;
  finalizers?: string[];
  blocks?: boolean;
}

function node(uid: string, shape: Shape = {}): GraphNode {
  const { owners = [], deleting = false, finalizers = [], blocks = true } = shape;
  return graphNode(PODS, {
    metadata: {
      uid,
      name: uid,
      namespace: "default",
      finalizers,
      ownerReferences: owners.map((owner) => ({
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: owner,
        uid: owner,
        blockOwnerDeletion: blocks,
      })),
      ...(deleting ? { deletionTimestamp: "2030-01-01T00:00:00Z" } : {}),
    },
  });
}

const CASES: [
  name: string,
  node: GraphNode,
  states: Record<string, OwnerState>,
  dependents: GraphNode[],
  expected: string[],
][] = [
  ["an object without owners stays", node("a"), {}, [], []],
  ["an owner keeps its object", node("a", { owners: ["x"] }), { x: "present" }, [], []],
  ["no owner is left", node("a", { owners: ["x"] }), { x: "absent" }, [], ["delete Background"]],
  [
    "one of two owners is left",
    node("a", { owners: ["x", "y"] }),
    { x: "absent", y: "present" },
    [],
    ["drop-owners x"],
  ],
  [
    "an owner that waits does not hold an object that another owns",
    node("a", { owners: ["x", "y"] }),
    { x: "waiting", y: "present" },
    [],
    ["drop-owners x"],
  ],
  ["an unknown kind of owner is no proof", node("a", { owners: ["x"] }), { x: "unknown" }, [], []],
  [
    "the owner waits and there are dependents below",
    node("a", { owners: ["x"] }),
    { x: "waiting" },
    [node("b", { owners: ["a"] })],
    ["delete Foreground"],
  ],
  [
    "a circle of waiting owners is broken",
    node("a", { owners: ["x"] }),
    { x: "waiting" },
    [node("x", { owners: ["a"], deleting: true, finalizers: ["foregroundDeletion"] })],
    ["unblock-owners", "delete Foreground"],
  ],
  [
    "what is being deleted already is left to it",
    node("a", { owners: ["x"], deleting: true }),
    { x: "absent" },
    [],
    [],
  ],
  [
    "foreground deletion waits for dependents that block it",
    node("a", { deleting: true, finalizers: ["foregroundDeletion"] }),
    {},
    [node("b", { owners: ["a"] })],
    ["visit b"],
  ],
  [
    "foreground deletion does not wait for others",
    node("a", { deleting: true, finalizers: ["foregroundDeletion"] }),
    {},
    [node("b", { owners: ["a"], blocks: false })],
    ["visit b", "remove-finalizer foregroundDeletion"],
  ],
  [
    "dependents on their way out are left to it, or a circle would turn for ever",
    node("a", { deleting: true, finalizers: ["foregroundDeletion"] }),
    {},
    [node("b", { owners: ["a"], deleting: true, finalizers: ["foregroundDeletion"] })],
    [],
  ],
  [
    "orphaning lets dependents go before the owner ends",
    node("a", { deleting: true, finalizers: ["orphan"] }),
    {},
    [node("b", { owners: ["a"] })],
    ["release b", "remove-finalizer orphan"],
  ],
];
for (const [name, subject, states, dependents, expected] of CASES) {
  test(`garbage: ${name}`, () => {
    const ownerState = ({ uid }: { uid: string }) => states[uid] ?? "unknown";
    const steps = planGarbage(subject, { ownerState, dependents }).map((step) => {
      if (step.do === "delete") return `delete ${step.policy}`;
      if (step.do === "drop-owners") return `drop-owners ${step.uids.join(" ")}`;
      if (step.do === "release")
        return `release ${step.dependents.map(({ uid }) => uid).join(" ")}`;
      if (step.do === "remove-finalizer") return `remove-finalizer ${step.finalizer}`;
      return step.do === "visit" ? `visit ${step.nodes.map(({ uid }) => uid).join(" ")}` : step.do;
    });
    assert.deepEqual(steps, expected);
  });
}

test("the graph follows changes of ownership", () => {
  const graph = new OwnershipGraph();
  const names = (uid: string) => graph.dependentsOf(uid).map((one) => one.uid);
  graph.set(node("a", { owners: ["x"] }));
  assert.deepEqual(names("x"), ["a"]);
  graph.set(node("a", { owners: ["y"] }));
  assert.deepEqual([names("x"), names("y")], [[], ["a"]]);
  graph.delete("a");
  assert.deepEqual(names("y"), []);
});
