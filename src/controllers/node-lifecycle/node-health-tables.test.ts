import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASES, NODES } from "../../api/generated/resources.ts";
import type { Node, NodeCondition } from "../../api/generated/types/core-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { nodeLifecycleController } from "./node-lifecycle-controller.ts";
import { judgeZones, type ZoneState } from "./zone-disruption.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

/** "a+ a- b?" are nodes of zones a and b: ready, not ready, unknown; "!" counts for no zone. */
function nodesOf(words: string): Node[] {
  const status = { "+": "True", "-": "False", "?": "Unknown" } as const;
  return words.split(" ").map((word, at) => {
    const [zone = "", letter = ""] = word.replace("!", "");
    const excluded = word.startsWith("!") ? { "node.kubernetes.io/exclude-disruption": "" } : {};
    return {
      metadata: {
        name: `n${at}`,
        labels: { "topology.kubernetes.io/zone": zone, ...excluded },
      },
      status: { conditions: [{ type: "Ready", status: status[letter as keyof typeof status] }] },
    };
  });
}

const zones: [nodes: string, states: Record<string, ZoneState>][] = [
  ["a? a?", { a: "full" }],
  ["a? b?", { a: "full", b: "full" }],
  ["a? b+", { a: "full", b: "normal" }],
  ["a? !a+", { a: "full" }],
  ["a? a? a? a+ a+", { a: "partial" }],
  ["a- a? a- a+ a+", { a: "partial" }],
  ["a? a? a+", { a: "normal" }],
];
for (const [words, states] of zones) {
  test(`zones with nodes ${words} are judged`, () => {
    const found = Array.from(judgeZones(nodesOf(words)), ([zone, { state }]) => [
      zone.replace("/", ""),
      state,
    ]);
    assert.deepEqual(Object.fromEntries(found), states);
  });
}

const START = "2025-01-01T00:00:00Z";
const LONG_AGO = "2022-01-01T00:00:00Z";

interface Row {
  title: string;
  created: string;
  /** The node told once that it is ready. */
  told?: boolean;
  lease?: "once" | "renewed";
  /** What Ready says after these seconds. */
  after: number;
  ready: [status: string | undefined, reason: string | undefined];
}
const NONE: Row["ready"] = [undefined, undefined];
const NEVER: Row["ready"] = ["Unknown", "NodeStatusNeverUpdated"];
const STOPPED: Row["ready"] = ["Unknown", "NodeStatusUnknown"];
const READY: Row["ready"] = ["True", "KubeletReady"];

const rows: Row[] = [
  { title: "old, never told", created: LONG_AGO, after: 2, ready: NEVER },
  { title: "new, never told", created: START, after: 55, ready: NONE },
  { title: "new for too long, never told", created: START, after: 65, ready: NEVER },
  { title: "told long ago", created: LONG_AGO, told: true, after: 55, ready: STOPPED },
  { title: "told just now", created: LONG_AGO, told: true, after: 45, ready: READY },
  { title: "new, its lease is renewed", created: START, lease: "renewed", after: 65, ready: NONE },
  {
    title: "old, its lease is renewed",
    created: LONG_AGO,
    lease: "renewed",
    after: 65,
    ready: NONE,
  },
  {
    title: "old, its lease has expired",
    created: LONG_AGO,
    lease: "once",
    after: 65,
    ready: NEVER,
  },
  {
    title: "told long ago, its lease is renewed",
    created: LONG_AGO,
    told: true,
    lease: "renewed",
    after: 65,
    ready: READY,
  },
  {
    title: "told long ago, its lease has expired",
    created: LONG_AGO,
    told: true,
    lease: "once",
    after: 65,
    ready: STOPPED,
  },
];
for (const { title, created, told, lease, after, ready } of rows) {
  test(`a node is judged by what it tells: ${title}`, async () => {
    await using bench = startControllerBench(nodeLifecycleController());
    const { client } = bench;
    const nodes = client.for(NODES);
    const said: NodeCondition = {
      type: "Ready",
      status: "True",
      reason: "KubeletReady",
      lastHeartbeatTime: START,
    };
    await nodes.create({
      metadata: { name: "n", creationTimestamp: created },
      ...(told ? { status: { conditions: [said] } } : {}),
    });
    const at = { namespace: "kube-node-lease", name: "n" };
    const renewal = (seconds: number) =>
      new Date(Date.parse(START) + seconds * 1000).toISOString().replace("Z", "000Z");
    if (lease) await client.for(LEASES).create({ metadata: at, spec: { renewTime: renewal(0) } });
    for (let second = 0; second < after; second += 5) {
      if (lease === "renewed") {
        await client.for(LEASES).patch(at, { spec: { renewTime: renewal(second) } });
      }
      await bench.settle(Math.min(5, after - second) * 1000);
    }
    const { status } = await nodes.get({ name: "n" });
    const found = status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([found?.status, found?.reason], ready);
    if (found?.status === "Unknown") {
      const heartbeats = status?.conditions?.map((one) => one.lastHeartbeatTime);
      const others = [created, created, created];
      assert.deepEqual(heartbeats, [told ? START : created, ...others]);
    }
  });
}

test("nodes that come and go are told of", async () => {
  await using bench = startControllerBench(nodeLifecycleController());
  const nodes = bench.client.for(NODES);
  await nodes.create(nodesOf("a+")[0] ?? {});
  await bench.settle();
  await nodes.delete({ name: "n0" });
  await bench.settle();
  assert.deepEqual(
    bench.events.map(({ reason, message }) => `${reason}: ${message}`),
    [
      "RegisteredNode: Node n0 event: Registered Node n0 in Controller",
      "RemovingNode: Node n0 event: Removing Node n0 from Controller",
    ],
  );
});
