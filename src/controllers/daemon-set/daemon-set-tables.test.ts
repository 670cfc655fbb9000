import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet } from "../../api/generated/types/apps-v1.ts";
import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { targetNode } from "./daemon-pod.ts";
import { daemonSetStatus, planDaemonSet } from "./daemon-set-plan.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const REVISION = "controller-revision-hash";
type Rolling = NonNullable<NonNullable<DaemonSet["spec"]>["updateStrategy"]>["rollingUpdate"];

/** Nodes with one pod of the revision "old" on each; what is planned is done at once. */
class Rollout {
  #made = 0;
  nowMs = 0;
  pods: Pod[] = [];
  readonly nodes: Node[] = [];
  readonly #rolling: Rolling;

  constructor(rolling: Rolling, ready = true) {
    this.#rolling = rolling;
    for (let at = 0; at < 5; at++) {
      this.nodes.push({ metadata: { name: `n${at}` } });
      this.#make(`n${at}`, "old");
    }
    if (ready) this.ready();
  }

  #make(node: string, hash: string): void {
    const name = `p${this.#made++}`;
    const creationTimestamp = formatTime(this.#made * 1000);
    this.pods.push({
      metadata: { name, uid: name, creationTimestamp, labels: { [REVISION]: hash } },
      spec: { containers: [], nodeName: node },
      status: { phase: "Running" },
    });
  }

  set(minReadySeconds = 0): DaemonSet {
    return {
      metadata: { name: "x", namespace: "d", uid: "x" },
      spec: {
        minReadySeconds,
        selector: {},
        template: { spec: { containers: [] } },
        updateStrategy: {
          type: "RollingUpdate",
          ...(this.#rolling ? { rollingUpdate: this.#rolling } : {}),
        },
      },
    };
  }

  /** Makes at most so many pods that fit ready, or unready. */
  ready(more: { count?: number; to?: boolean; fits?: (pod: Pod) => boolean } = {}): void {
    const { to = true, fits = () => true } = more;
    let left = more.count ?? Infinity;
    this.pods = this.pods.map((pod) => {
      const is = pod.status?.conditions?.[0]?.status === "True";
      if (left <= 0 || is === to || !fits(pod)) return pod;
      left--;
      const status = to ? ("True" as const) : ("False" as const);
      const condition = { type: "Ready", status, lastTransitionTime: formatTime(this.nowMs) };
      return { ...pod, status: { ...pod.status, conditions: [condition] } };
    });
  }

  /** How many pods one pass makes and deletes. */
  pass(hash: string, minReadySeconds = 0): [created: number, deleted: number] {
    const { nodes, pods, nowMs } = this;
    const steps = planDaemonSet(this.set(minReadySeconds), { nodes, pods, hash, nowMs });
    const gone = new Set(steps.flatMap((step) => (step.do === "delete" ? [step.pod] : [])));
    this.pods = pods.filter((pod) => !gone.has(pod));
    const made = steps.flatMap((step) => (step.do === "create" ? [step.node] : []));
    for (const node of made) this.#make(node, hash);
    return [made.length, gone.size];
  }
}

type Turn = "ready" | [created: number, deleted: number];
const rollouts: [title: string, rolling: Rolling, ready: boolean, hash: string, turns: Turn[]][] = [
  [
    "two may be missed",
    { maxUnavailable: 2 },
    true,
    "new",
    [[0, 2], [2, 0], "ready", [0, 2], [2, 0], "ready", [0, 1], [1, 0], "ready", [0, 0]],
  ],
  [
    "two may be more",
    { maxUnavailable: 0, maxSurge: 2 },
    true,
    "new",
    [[2, 0], [0, 0], "ready", [2, 2], [0, 0], "ready", [1, 2], [0, 0], "ready", [0, 1], [0, 0]],
  ],
  [
    "new pods that do not serve hold it up",
    { maxUnavailable: 3 },
    true,
    "new",
    [
      [0, 3],
      [3, 0],
      [0, 0],
    ],
  ],
  [
    "old pods that do not serve all go",
    { maxUnavailable: 3 },
    false,
    "new",
    [
      [0, 5],
      [5, 0],
      [0, 0],
    ],
  ],
  ["the template is the same", { maxUnavailable: 3 }, false, "old", [[0, 0]]],
];

test("a rollout takes so many pods a pass", () => {
  for (const [title, rolling, ready, hash, turns] of rollouts) {
    const rollout = new Rollout(rolling, ready);
    for (const [at, turn] of turns.entries()) {
      if (turn === "ready") rollout.ready();
      else assert.deepEqual(rollout.pass(hash), turn, `${title}, turn ${at}`);
    }
  }
});

test("with surge, pods that do not serve are replaced besides", () => {
  const rollout = new Rollout({ maxUnavailable: 0, maxSurge: 3 }, false);
  const passAt = (seconds: number, hash: string, minReadySeconds = 0) => {
    rollout.nowMs = seconds * 1000;
    return rollout.pass(hash, minReadySeconds);
  };
  assert.deepEqual(passAt(100, "two"), [5, 0]);
  assert.deepEqual(passAt(200, "two"), [0, 5]);
  rollout.ready();
  assert.deepEqual(passAt(300, "three", 15), [3, 0]);
  const isNew = (pod: Pod) => pod.metadata?.labels?.[REVISION] === "three";
  const surged = new Set(rollout.pods.filter(isNew).map(targetNode));
  rollout.ready({ count: 2, fits: isNew });
  rollout.ready({
    count: 1,
    to: false,
    fits: (pod) => !isNew(pod) && !surged.has(targetNode(pod)),
  });
  assert.deepEqual(passAt(310, "three", 15), [1, 0]);
  assert.deepEqual(passAt(320, "three", 15), [1, 3]);
  rollout.ready({ count: 3, fits: isNew });
  assert.deepEqual(passAt(340, "three", 15), [0, 2]);
  assert.deepEqual(passAt(350, "three", 15), [0, 0]);
});

test("with surge, pods of nodes that want none stay until enough others serve", () => {
  const rollout = new Rollout({ maxUnavailable: 0, maxSurge: 1 });
  for (const node of rollout.nodes.slice(0, 2)) {
    node.spec = { taints: [{ key: "k", effect: "NoSchedule" }] };
  }
  const first = rollout.pass("new");
  assert.deepEqual(first, [1, 2], "three nodes want a pod, and five serve");
});

test("a pod on its way out is scheduled still, one of a lost node is not", () => {
  const rollout = new Rollout({ maxUnavailable: 1 });
  const { nodes, nowMs } = rollout;
  const [first, second, ...others] = rollout.pods;
  const going = (pod: Pod | undefined): Pod => ({
    ...pod,
    metadata: { ...pod?.metadata, deletionTimestamp: "2030-01-01T00:00:00Z" },
  });
  const ended: Pod = { ...going(second), status: { phase: "Failed" } };
  const pods = [going(first), ended, ...others];
  const observed = { nodes: nodes.slice(0, 4), pods, hash: "old", nowMs };
  const { status } = daemonSetStatus(rollout.set(), observed);
  assert.deepEqual(
    [
      status.desiredNumberScheduled,
      status.currentNumberScheduled,
      status.numberReady,
      status.updatedNumberScheduled,
      status.numberMisscheduled,
    ],
    [4, 3, 3, 3, 0],
  );
  const steps = planDaemonSet(rollout.set(), observed);
  assert.deepEqual(
    steps.map((step) => (step.do === "create" ? step.node : step.pod.metadata?.name)),
    ["n1", "p4"],
    "a pod that ended and goes makes room, one of a lost node goes",
  );
});

test("of several pods on a node the one that is bound stays, then the oldest", () => {
  const rollout = new Rollout({ maxUnavailable: 1 });
  const [bound] = rollout.pods;
  const affinity = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: "metadata.name", operator: "In" as const, values: ["n0"] }] },
        ],
      },
    },
  };
  const unbound: Pod = {
    ...bound,
    metadata: { ...bound?.metadata, name: "old", uid: "old", creationTimestamp: formatTime(0) },
    spec: { containers: [], affinity },
  };
  const nodes = rollout.nodes.slice(0, 1);
  const pods = [unbound, bound as Pod];
  const steps = planDaemonSet(rollout.set(), { nodes, pods, hash: "old", nowMs: 0 });
  assert.deepEqual(steps, [{ do: "delete", pod: unbound }]);
});
