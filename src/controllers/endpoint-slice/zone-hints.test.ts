import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from "../../api/generated/resources.ts";
import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import type { Endpoint } from "../../api/generated/types/discovery-v1.ts";
import { type ControllerBench, startControllerBench } from "../controller-bench.ts";
import { endpointSliceController } from "./endpoint-slice-controller.ts";
import { hintByShares, zoneShares } from "./zone-hints.ts";

/** "a" is a ready endpoint in zone a, "-" one without a zone, "(a)" one that is not ready. */
function endpointsIn(zones: string): Endpoint[] {
  return zones.split(" ").map((text, at) => {
    const zone = text.replace(/[()-]/g, "");
    return {
      addresses: [`10.0.0.${at}`],
      conditions: { ready: !text.startsWith("(") },
      ...(zone ? { zone } : {}),
    };
  });
}
const hintsOf = (endpoints: readonly Endpoint[]) =>
  endpoints.map(({ hints }) => hints?.forZones?.[0]?.name ?? ".").join(" ");

const HALVES = { a: 0.5, b: 0.5 };
const THIRDS = { a: 1 / 3, b: 1 / 3, c: 1 / 3 };
const SHARED: [
  name: string,
  of: { zones: string; shares: Record<string, number>; before?: string; hints: string },
][] = [
  ["each zone keeps its own", { zones: "a a b b", shares: HALVES, hints: "a a b b" }],
  ["a zone with too many lends", { zones: "a a a b", shares: HALVES, hints: "b a a b" }],
  [
    "what was lent before is lent again",
    { zones: "a a a b", shares: HALVES, before: "a b a b", hints: "a b a b" },
  ],
  [
    "endpoints that are not ready serve nobody and count for nothing",
    { zones: "a (a) a b", shares: { a: 2 / 3, b: 1 / 3 }, hints: "a . a b" },
  ],
  ["a zone without nodes gives all it has", { zones: "d d d", shares: THIRDS, hints: "c b a" }],
  [
    "a zone with few CPUs gets few endpoints",
    { zones: "a a b b", shares: { a: 0.75, b: 0.25 }, hints: "a a a b" },
  ],
];
for (const [name, { zones, shares, before, hints }] of SHARED) {
  test(`endpoints are shared: ${name}`, () => {
    const endpoints = endpointsIn(zones);
    const old = (before ?? "").split(" ");
    const refusal = hintByShares(endpoints, {
      shares: new Map(Object.entries(shares)),
      hintedBefore: ({ addresses: [address = ""] }) => old[Number(address.split(".")[3])],
    });
    assert.equal(refusal, undefined);
    assert.equal(hintsOf(endpoints), hints);
  });
}

const REFUSED: [zones: string, shares: Record<string, number> | undefined, why: RegExp][] = [
  ["a b", undefined, /^Insufficient Node information: allocatable CPU or zone not specified/],
  ["a b", THIRDS, /^Insufficient number of endpoints \(2 endpoints, 3 zones\)$/],
  ["a - b b", HALVES, /^One or more endpoints do not have a zone specified$/],
  ["a b c", { a: 0.8, b: 0.1, c: 0.1 }, /exceeding overload threshold \(3 endpoints, 3 zones\)$/],
];
for (const [zones, shares, why] of REFUSED) {
  test(`endpoints in ${zones} are not shared: ${why.source}`, () => {
    const endpoints = endpointsIn(zones);
    const refusal = hintByShares(endpoints, {
      shares: shares && new Map(Object.entries(shares)),
      hintedBefore: () => undefined,
    });
    assert.match(refusal ?? "", why);
    assert.equal(hintsOf(endpoints).replace(/[. ]/g, ""), "");
  });
}

function node(name: string, zone: string | undefined, more: { ready?: string; cpu?: string } = {}) {
  const { ready = "True", cpu = "2" } = more;
  const labels: Record<string, string> = zone ? { "topology.kubernetes.io/zone": zone } : {};
  return {
    metadata: { name, labels },
    status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: ready }] },
  } as Node;
}

test("zones share by the CPUs of their ready nodes that are not the control plane's", () => {
  const control = node("c", "c");
  Object.assign(control.metadata?.labels ?? {}, { "node-role.kubernetes.io/control-plane": "" });
  const nodes = [node("a", "a"), node("b", "b", { cpu: "6" }), control];
  const wanted = { a: 0.25, b: 0.75 };
  assert.deepEqual(Object.fromEntries(zoneShares(nodes) ?? []), wanted);
  const away = node("d", "d", { ready: "Unknown" });
  assert.deepEqual(Object.fromEntries(zoneShares([...nodes, away]) ?? []), wanted);
  assert.equal(zoneShares([...nodes, node("e", undefined)]), undefined);
  assert.equal(zoneShares([node("a", "a"), node("f", "a")]), undefined);
});

function podOn(nodeName: string, at: number): Pod {
  return {
    metadata: { name: `p${at}`, namespace: "default", uid: `p${at}`, labels: { app: "web" } },
    spec: { nodeName, containers: [{ name: "c" }] },
    status: {
      phase: "Running",
      podIPs: [{ ip: `10.0.0.${at}` }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

async function hintsIn({ client }: ControllerBench): Promise<string> {
  const { items } = await client.for(ENDPOINT_SLICES).list({ namespace: "default" });
  return items.map(({ endpoints }) => hintsOf(endpoints ?? [])).join(" | ");
}

test("hints follow the annotation, the field and the nodes, and are told of", async () => {
  await using bench = startControllerBench(endpointSliceController());
  const { client } = bench;
  const at = { namespace: "default", name: "web" };
  const mode = "service.kubernetes.io/topology-mode";
  await client.for(NODES).create(node("n1", "a"));
  await client.for(NODES).create(node("n2", "b"));
  for (const [index, name] of ["n1", "n1", "n1", "n2"].entries()) {
    await client.for(PODS).create(podOn(name, index));
  }
  await client.for(SERVICES).create({
    metadata: { ...at, annotations: { [mode]: "Auto" } },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await bench.settle();
  assert.equal(await hintsIn(bench), "b a a b");
  assert.deepEqual(await bench.settle(), [], "a fixpoint writes nothing");
  const status = { conditions: [{ type: "Ready", status: "Unknown" as const }] };
  await client.for(NODES).patch({ name: "n2" }, { status }, { subresource: "status" });
  await bench.settle();
  assert.equal(await hintsIn(bench), ". . . .");
  await client.for(SERVICES).patch(at, {
    metadata: { annotations: { [mode]: null } },
    spec: { trafficDistribution: "PreferClose" },
  });
  await bench.settle();
  assert.equal(await hintsIn(bench), "a a a b");
  const insufficient = "allocatable CPU or zone not specified on one or more nodes";
  assert.deepEqual(
    bench.events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
    [
      "Normal TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4",
      `Warning TopologyAwareHintsDisabled: Insufficient Node information: ${insufficient}, ` +
        "addressType: IPv4",
    ],
  );
});
