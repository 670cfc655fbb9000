import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Taint } from "../../api/generated/types/core-v1.ts";
import { NODES, PODS } from "../../api/generated/resources.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { runController } from "../../client/controller-runner.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { startControllerBench } from "../controller-bench.ts";
import { lostPods, podGcController } from "./pod-gc-controller.ts";

interface PodShape {
  node?: string;
  terminating?: boolean;
  phase?: "Running" | "Succeeded";
  created?: string;
}

function pod(name: string, shape: PodShape): Pod {
  const { node, terminating, phase = "Running", created = "2030-01-01T00:00:00Z" } = shape;
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ...(terminating ? { deletionTimestamp: "2030-01-01T00:01:00Z" } : {}),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: { phase },
  };
}

test("lost are pods of vanished nodes, deleted pods without a node, and the oldest finished", () => {
  const pods = [
    pod("fine", { node: "n1" }),
    pod("orphan", { node: "gone" }),
    pod("waiting", {}),
    pod("cancelled", { terminating: true }),
    pod("held", { node: "off", terminating: true }),
    pod("staying", { node: "off" }),
    pod("young", { node: "n1", phase: "Succeeded", created: "2030-01-01T00:00:09Z" }),
    pod("old", { node: "n1", phase: "Succeeded" }),
  ];
  const found = lostPods(pods, {
    isNodeLost: (name) => name === "gone",
    isOutOfService: (name) => name === "off",
    finishedMax: 1,
  });
  assert.deepEqual(
    found.map(({ pod: { metadata }, why }) => `${metadata?.name} ${why}`),
    ["orphan orphaned", "cancelled unscheduled", "held out of service", "old surplus"],
  );
});

test("a node that only the cache misses keeps its pods", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const client = createClient(memory);
  await client.for(NODES).create({ metadata: { name: "n1" } });
  for (const [name, node] of [
    ["staying", "n1"],
    ["lost", "gone"],
  ]) {
    const metadata = { name, namespace: "default" };
    await client.for(PODS).create({ metadata, spec: { containers: [], nodeName: node } } as Pod);
  }
  // The list of nodes came from a server that did not know the node yet.
  const blind = createClient({
    async request(request) {
      const response = await memory.request(request);
      const isNodeList = /\/nodes(\?|$)/.test(request.path);
      return isNodeList ? { ...response, body: { metadata: {}, items: [] } } : response;
    },
    watch: (request, sink) => memory.watch(request, sink),
  });
  const sources = { client: blind, clock, random: seededRandom(1), logger: silentLogger };
  await using informers = createInformerFactory(sources);
  const events = { record: () => undefined };
  await using _running = runController(podGcController(), { ...sources, informers, events });
  await clock.advance(120_000);
  const { items } = await client.for(PODS).list({ namespace: "default" });
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ["staying"],
  );
});

test("of too many finished pods those that their node took away go first", () => {
  const evicted = pod("evicted", { node: "n1", created: "2030-01-01T00:00:09Z" });
  const pods: Pod[] = [
    pod("old", { node: "n1", phase: "Succeeded" }),
    { ...evicted, status: { phase: "Failed", reason: "Evicted" } },
  ];
  const rules = { isNodeLost: () => false, isOutOfService: () => false, finishedMax: 1 };
  assert.deepEqual(
    lostPods(pods, rules).map((lost) => lost.pod.metadata?.name),
    ["evicted"],
  );
});

type TaintEffect = Taint["effect"];

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

/** "aF" is a pod named a that failed; Running, Pending, Succeeded; "!" is on its way out. */
function podsOf(words: string, node: string | undefined): Pod[] {
  const phases = { F: "Failed", S: "Succeeded", R: "Running", P: "Pending" } as const;
  return words.split(" ").map((word, at) => {
    const shape = {
      ...(node === undefined ? {} : { node }),
      terminating: word.startsWith("!"),
      created: `2030-01-01T0${at}:00:00Z`,
    };
    const [name = "", letter = "R"] = word.replace("!", "");
    return {
      ...pod(name, shape),
      status: { phase: phases[letter as keyof typeof phases] },
    };
  });
}
const namesOf = (found: readonly { pod: Pod }[]) =>
  found.map(({ pod: { metadata } }) => metadata?.name).join(" ");

const surplus: [pods: string, finishedMax: number, removed: string][] = [
  ["aF bS", Infinity, ""],
  ["aF bS cF", 1, "a b"],
  ["aR bS cF", 1, "b"],
  ["aF bS", 1, "a"],
  ["aF bS", 5, ""],
];
for (const [words, finishedMax, removed] of surplus) {
  test(`of ${words} at most ${finishedMax} may have finished: ${removed || "none"} goes`, () => {
    const rules = { isNodeLost: () => false, isOutOfService: () => false, finishedMax };
    assert.equal(namesOf(lostPods(podsOf(words, "n"), rules)), removed);
  });
}

const nodeless: [pods: string, node: string | undefined, removed: string][] = [
  ["!aF !bS !cR", undefined, "a b c"],
  ["aF bS", undefined, ""],
  ["bS !cR", "n", ""],
];
for (const [words, node, removed] of nodeless) {
  test(`of ${words} on ${node ?? "no node"} ${removed || "none"} is lost`, () => {
    const rules = { isNodeLost: () => false, isOutOfService: () => false, finishedMax: Infinity };
    assert.equal(namesOf(lostPods(podsOf(words, node), rules)), removed);
  });
}

const gone: [pods: string, removed: string][] = [
  ["aF bS", "a b"],
  ["aF", "a"],
  ["aR", "a"],
  ["aF cS dR", "a c d"],
];
for (const [words, removed] of gone) {
  test(`of ${words} on a node that is gone ${removed} is lost`, () => {
    const rules = { isNodeLost: () => true, isOutOfService: () => false, finishedMax: Infinity };
    assert.equal(namesOf(lostPods(podsOf(words, "gone"), rules)), removed);
  });
}

const taints: [taint: TaintEffect | undefined, isReady: boolean, freed: boolean][] = [
  [undefined, false, false],
  [undefined, true, false],
  ["NoExecute", false, true],
  ["NoSchedule", false, true],
  ["PreferNoSchedule", false, true],
  ["NoExecute", true, false],
];
for (const [effect, isReady, freed] of taints) {
  const what = `${isReady ? "a ready" : "an unready"} node, out of service: ${effect}`;
  test(`a pod on its way out of ${what}, is ${freed ? "" : "not "}removed`, async () => {
    await using bench = startControllerBench(podGcController());
    const { client } = bench;
    const key = "node.kubernetes.io/out-of-service";
    await client.for(NODES).create({
      metadata: { name: "n" },
      spec: effect === undefined ? {} : { taints: [{ key, effect }] },
      status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
    });
    const spec = { containers: [], nodeName: "n" };
    for (const name of ["leaving", "staying"]) {
      const metadata = { name, namespace: "default", finalizers: ["example.com/held"] };
      await client.for(PODS).create({ metadata, spec, status: { phase: "Running" } });
    }
    await client.for(PODS).delete({ namespace: "default", name: "leaving" });
    await bench.settle();
    const phaseOf = async (name: string) =>
      (await client.for(PODS).get({ namespace: "default", name })).status?.phase;
    assert.equal(await phaseOf("leaving"), freed ? "Failed" : "Running");
    assert.equal(await phaseOf("staying"), "Running");
  });
}
