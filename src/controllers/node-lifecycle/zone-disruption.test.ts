import assert from "node:assert/strict";
import { test } from "node:test";
import { NODES } from "../../api/generated/resources.ts";
import type { Node } from "../../api/generated/types/core-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { nodeLifecycleController } from "./node-lifecycle-controller.ts";
import { findDisruption } from "./zone-disruption.ts";

function node(name: string, isReady: boolean, zone = "a"): Node {
  const labels = { "topology.kubernetes.io/zone": zone };
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

const CASES: [name: string, nodes: Node[], holds: boolean][] = [
  ["the only node is lost", many(0, 1), true],
  ["every node is lost, in all zones", [...many(0, 5), ...many(0, 5, "b")], true],
  ["one of two is lost", many(1, 1), false],
  ["two of three are lost", many(1, 2), false],
  ["most of a zone is lost", many(2, 3), true],
  ["half of a zone is lost", many(3, 3), false],
  ["a whole zone is lost, and another is well", [...many(0, 5), ...many(5, 0, "b")], false],
  ["most of a large zone is lost", many(20, 40), false],
];
for (const [name, nodes, holds] of CASES) {
  test(`pods ${holds ? "stay" : "leave"} when ${name}`, () => {
    const lost = nodes.find((one) => one.metadata?.name?.includes("a-lost")) as Node;
    assert.equal(findDisruption(nodes).holds(lost), holds);
  });
}

test("a node that is lost with all others keeps its pods until one of them is back", async () => {
  await using bench = startControllerBench(nodeLifecycleController());
  const nodes = bench.client.for(NODES);
  for (const name of ["n1", "n2"]) await nodes.create(node(name, false));
  await bench.settle();
  const effects = async (name: string) =>
    ((await nodes.get({ name })).spec?.taints ?? []).map(({ effect }) => effect);
  assert.deepEqual(await effects("n1"), ["NoSchedule"]);
  const { conditions } = node("n2", true).status ?? {};
  await nodes.patch({ name: "n2" }, { status: { conditions } }, { subresource: "status" });
  await bench.settle();
  assert.deepEqual(await effects("n1"), ["NoSchedule", "NoExecute"]);
  assert.deepEqual(await effects("n2"), []);
});
