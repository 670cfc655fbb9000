import assert from "node:assert/strict";
import { test } from "node:test";
import { NODES } from "../../api/generated/resources.ts";
import type { Node } from "../../api/generated/types/core-v1.ts";
import { type ControllerBench, startControllerBench } from "../controller-bench.ts";
import { EvictionLimiter } from "./eviction-limiter.ts";
import { nodeLifecycleController } from "./node-lifecycle-controller.ts";
import { judgeZones, type ZoneState, zoneOf } from "./zone-disruption.ts";

type Labels = Record<string, string>;

function node(name: string, isReady: boolean, zone = "a"): Node {
  const labels: Labels = { "topology.kubernetes.io/zone": zone };
  const ready = {
    type: "Ready" as const,
    status: isReady ? ("True" as const) : ("False" as const),
  };
  return { metadata: { name, labels }, status: { conditions: [ready] } };
}
const many = (ready: number, unready: number, zone = "a"): Node[] => [
  ...Array.from({ length: ready }, (_, at) => node(`${zone}-ready-${at}`, true, zone)),
  ...Array.from({ length: unready }, (_, at) => node(`${zone}-lost-${at}`, false, zone)),
];

const STATES: [ready: number, unready: number, state: ZoneState][] = [
  [1, 0, "normal"],
  [0, 1, "full"],
  [1, 1, "normal"],
  [1, 2, "normal"],
  [2, 3, "partial"],
  [3, 3, "normal"],
  [20, 40, "partial"],
];
for (const [ready, unready, state] of STATES) {
  test(`a zone with ${ready} ready and ${unready} lost nodes is disrupted: ${state}`, () => {
    assert.deepEqual(
      [...judgeZones(many(ready, unready)).values()],
      [{ state, size: ready + unready }],
    );
  });
}

test("nodes that are excluded count for no zone", () => {
  const [lost, well] = [node("lost", false), node("well", true)];
  const labels = { ...lost.metadata?.labels, "node.kubernetes.io/exclude-disruption": "" };
  const excluded = { ...lost, metadata: { ...lost.metadata, labels } };
  assert.deepEqual(judgeZones([excluded, well]).get(zoneOf(well)), { state: "normal", size: 1 });
});

/** Seconds at which each lost node of zone a is given up, when all are as they are for long. */
function givenUp(nodes: readonly Node[], forSeconds: number): number[] {
  const limiter = new EvictionLimiter();
  const lost = nodes.filter(({ metadata }) => metadata?.name?.startsWith("a-lost"));
  const at = new Map<string, number>();
  for (let second = 0; second <= forSeconds; second++) {
    limiter.judge(nodes, second * 1000);
    for (const one of lost) {
      const { name = "" } = one.metadata ?? {};
      if (!at.has(name) && !limiter.isStopped && limiter.admits(one, second * 1000)) {
        at.set(name, second);
      }
    }
  }
  return [...at.values()];
}

const PACES: [name: string, nodes: Node[], seconds: number[]][] = [
  ["one of two is lost", many(1, 1), [1]],
  ["nodes of a zone are lost one after another", many(5, 4), [1, 11, 21, 31]],
  ["most of a small zone is lost", many(2, 3), []],
  ["most of a large zone is lost", many(20, 40), [1, 101, 201]],
  ["a whole zone is lost, and another is well", [...many(0, 3), ...many(3, 0, "b")], [1, 11, 21]],
  ["every node is lost, in all zones", [...many(0, 3), ...many(0, 3, "b")], []],
];
for (const [name, nodes, seconds] of PACES) {
  test(`nodes are given up after ${seconds.join(", ") || "no"} seconds when ${name}`, () => {
    assert.deepEqual(givenUp(nodes, 250), seconds);
  });
}

test("zones have each their own pace", () => {
  const limiter = new EvictionLimiter();
  const nodes = [...many(3, 2), ...many(3, 2, "b")];
  limiter.judge(nodes, 0);
  const lost = nodes.filter(({ metadata }) => metadata?.name?.includes("lost"));
  const admitted = (nowMs: number) => lost.map((one) => limiter.admits(one, nowMs));
  assert.deepEqual(admitted(0), [false, false, false, false], "all are judged once more");
  limiter.judge(nodes, 1);
  assert.deepEqual(admitted(1), [true, false, true, false]);
});

test("whoever waited when the pace changes waits a whole turn of the new one", () => {
  const limiter = new EvictionLimiter();
  const [first, second] = [node("n1", false), node("n2", false)] as [Node, Node];
  limiter.judge([first, second], 0);
  assert.ok(limiter.isStopped);
  assert.equal(limiter.admits(first, 0), false);
  limiter.judge([first, second, node("n3", true)], 60_000);
  assert.equal(limiter.admits(first, 69_999), false);
  assert.equal(limiter.admits(first, 70_000), true);
  assert.equal(limiter.admits(second, 70_000), false);
});

test("a node that comes back loses its turn, and whoever is behind it moves up", () => {
  const limiter = new EvictionLimiter();
  const nodes = many(4, 3);
  limiter.judge(nodes, 0);
  const [first, second, third] = nodes.slice(4) as [Node, Node, Node];
  for (const one of [first, second, third]) limiter.admits(one, 0);
  limiter.judge(nodes, 1);
  assert.deepEqual(
    [first, second, third].map((one) => limiter.admits(one, 1)),
    [true, false, false],
  );
  limiter.forget("a-lost-1");
  assert.equal(limiter.admits(third, 10_001), true);
  assert.equal(limiter.admits(first, 10_001), true, "who was given up stays so");
  assert.equal(limiter.admits(second, 10_001), false);
});

async function effectsOf({ client }: ControllerBench, name: string): Promise<unknown[]> {
  const { spec } = await client.for(NODES).get({ name });
  return (spec?.taints ?? []).map(({ effect }) => effect);
}

async function setReady({ client }: ControllerBench, name: string, isReady: boolean) {
  const { conditions } = node(name, isReady).status ?? {};
  await client.for(NODES).patch({ name }, { status: { conditions } }, { subresource: "status" });
}

test("a node that is lost with all others keeps its pods until one of them is back", async () => {
  await using bench = startControllerBench(nodeLifecycleController());
  for (const name of ["n1", "n2"]) await bench.client.for(NODES).create(node(name, false));
  await bench.settle();
  assert.deepEqual(await effectsOf(bench, "n1"), ["NoSchedule"]);
  await setReady(bench, "n2", true);
  await bench.settle();
  assert.deepEqual(await effectsOf(bench, "n1"), ["NoSchedule"]);
  await bench.settle(10_000);
  assert.deepEqual(await effectsOf(bench, "n1"), ["NoSchedule", "NoExecute"]);
  assert.deepEqual(await effectsOf(bench, "n2"), []);
  await setReady(bench, "n2", false);
  await bench.settle();
  assert.deepEqual(await effectsOf(bench, "n1"), ["NoSchedule"], "held when the other goes again");
});

test("nodes that are lost together are given up one every ten seconds", async () => {
  await using bench = startControllerBench(nodeLifecycleController());
  for (const one of many(4, 3)) await bench.client.for(NODES).create(one);
  const givenUpNow = async () => {
    const names = [0, 1, 2].map((at) => `a-lost-${at}`);
    const effects = await Promise.all(names.map((name) => effectsOf(bench, name)));
    return effects.filter((all) => all.includes("NoExecute")).length;
  };
  const counts: number[] = [];
  for (let round = 0; round < 4; round++) {
    await bench.settle(5_000);
    counts.push(await givenUpNow());
    await bench.settle(5_000);
  }
  assert.deepEqual(counts, [1, 2, 3, 3]);
});

test("a node that falls silent as the only one keeps its pods", async () => {
  await using bench = startControllerBench(nodeLifecycleController({ graceMs: 40_000 }));
  await bench.client.for(NODES).create(node("n1", true));
  const writes = await bench.settle(120_000);
  assert.deepEqual(await effectsOf(bench, "n1"), ["NoSchedule"]);
  assert.ok(!JSON.stringify(writes).includes("NoExecute"));
});
