import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { settle } from "../lib/virtual-clock.ts";
import { readSchedulerConfiguration } from "./config/scheduler-configuration.ts";
import type { SchedulerPlugin } from "./framework/contract.ts";
import { type SchedulerBench, schedulerBench } from "./scheduler-fixture.ts";
import type { NodeEntry } from "./state/cluster-state.ts";

// The facts of these rows are upstream's (docs/conformance/scheduler-tables.md).

type Hooks = Omit<SchedulerPlugin, "name">;

/** A scheduler with one more plugin, which also notes what it is asked to give back. */
function benchWith(hooks: Hooks, memory = new MemoryTransport()) {
  const undone: string[] = [];
  const configuration = readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    profiles: [{ plugins: { multiPoint: { enabled: [{ name: "Fake" }] } } }],
  });
  const plugin: SchedulerPlugin = {
    name: "Fake",
    unreserve: ({ pod }) => void undone.push(pod.name),
    ...hooks,
  };
  const plugins = new Map([["Fake", () => plugin]]);
  const bench: SchedulerBench = schedulerBench({ configuration, plugins }, memory);
  return { bench, undone };
}

const rows: [
  title: string,
  hooks: Hooks,
  wanted: { place?: string; undone: boolean; message?: RegExp },
][] = [
  ["nothing in the way", {}, { place: "n1", undone: false }],
  [
    "Reserve refuses",
    { reserve: () => ({ reasons: ["reserve error"] }) },
    { undone: true, message: /reserve error/ },
  ],
  [
    "Permit refuses",
    { permit: () => ({ reasons: ["permit error"] }) },
    { undone: true, message: /permit error/ },
  ],
  [
    "Permit holds the pod too long",
    { permit: () => ({ waitMs: 5 }) },
    { undone: true, message: /rejected after waiting too long/ },
  ],
  [
    "PreBind fails",
    { preBind: () => Promise.reject(new Error("on PreBind")) },
    { undone: true, message: /on PreBind/ },
  ],
  [
    "Bind is refused",
    { bind: () => Promise.reject(new Error("binder")) },
    { undone: true, message: /binder/ },
  ],
];

test("what happens to a pod whose place was decided, row by row", async () => {
  for (const [title, hooks, wanted] of rows) {
    const { bench, undone } = benchWith(hooks);
    await using _bench = bench;
    await bench.node("n1", "1");
    await bench.pod("a");
    await settle();
    await bench.clock.advance(10);
    assert.equal(await bench.placeOf("a"), wanted.place, title);
    assert.equal(undone.includes("a"), wanted.undone, title);
    const [event] = bench.events;
    assert.equal(event?.reason, wanted.place ? "Scheduled" : "FailedScheduling", title);
    if (wanted.message) assert.match(event?.message ?? "", wanted.message, title);
  }
});

test("the room of a pod whose binding is refused is another's", async () => {
  const memory = new MemoryTransport();
  memory.fail = ({ path }) =>
    path.endsWith("/a/binding") ? new StatusError("Conflict", "no") : undefined;
  await using bench = schedulerBench({}, memory);
  await bench.node("n1", "1");
  await bench.pod("a");
  await settle();
  await bench.pod("b");
  await settle();
  assert.deepEqual([await bench.placeOf("a"), await bench.placeOf("b")], [undefined, "n1"]);
});

test("a pod on its way out is not placed", async () => {
  await using bench = schedulerBench();
  await bench.client.for(PODS).create({
    metadata: {
      name: "a",
      namespace: "default",
      deletionTimestamp: "2030-01-01T00:00:00Z",
      finalizers: ["example.com/wait"],
    },
    spec: { containers: [{ name: "c", image: "i" }] },
    status: {},
  });
  await bench.node("n1", "4");
  await settle();
  assert.equal(await bench.placeOf("a"), undefined);
});

/** A filter by the names of nodes. */
const only = (fits: (node: string, pod: string) => boolean): Hooks => ({
  filter: ({ state }) => {
    let name = "";
    return {
      begin: (pod) => {
        name = pod.name;
        return true;
      },
      test: (slot) => (fits((state.nodes[slot] as NodeEntry).name, name) ? 0 : 1),
      explain: () => ({ reasons: ["fake reason"] }),
    };
  },
});

const filters: [title: string, hooks: Hooks, pod: string, place: string | RegExp][] = [
  ["no node fits", only(() => false), "a", /^0\/2 nodes are available: 2 fake reason/],
  ["the node of the pod's name fits", only((node, pod) => node === pod), "n2", "n2"],
  ["one of two does not fit", only((node) => node !== "n1"), "a", "n2"],
  [
    "the pod is turned down before any node is asked",
    {
      filter: () => ({
        begin: () => ({ reasons: ["injected"] }),
        test: () => 0,
        explain: () => ({ reasons: [] }),
      }),
    },
    "a",
    /^0\/2 nodes are available: injected/,
  ],
];

test("which node a pod gets from a plugin's filter, row by row", async () => {
  for (const [title, hooks, name, place] of filters) {
    const { bench } = benchWith(hooks);
    await using _bench = bench;
    for (const node of ["n1", "n2"]) await bench.node(node, "4");
    await bench.pod(name);
    await settle();
    if (typeof place === "string") assert.equal(await bench.placeOf(name), place, title);
    else assert.match(bench.events[0]?.message ?? "", place, title);
  }
});
