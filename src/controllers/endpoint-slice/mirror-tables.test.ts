import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINTS, SERVICES } from "../../api/generated/resources.ts";
import type { Endpoints, EndpointSubset, Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { endpointSliceMirroringController } from "./endpoint-slice-mirroring-controller.ts";
import { isMirrored, planMirror } from "./mirror-plan.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const AT = { name: "foo", namespace: "bar" };
const service: Service = { metadata: AT, spec: { ports: [{ port: 80 }] } };
const https = { name: "https", port: 443, protocol: "TCP" as const };
const http = { name: "http", port: 80, protocol: "TCP" as const };
const other = { name: "other", port: 3001, protocol: "UDP" as const };
const at = (...ips: string[]) => ips.map((ip, nth) => ({ ip, hostname: `pod-${nth}` }));
const endpoints = (subsets: EndpointSubset[]): Endpoints => ({
  metadata: { ...AT, uid: "e" },
  subsets,
});

const FIRST = { ports: [http, https], addresses: at("10.0.0.1", "10.0.0.2") };
const SECOND = {
  ports: [other],
  addresses: at("10.0.1.1", "10.0.1.2"),
  notReadyAddresses: at("10.0.1.3"),
};
const BOTH = [FIRST, SECOND];
const SIXES = [
  { ports: [http, https], addresses: at("2001:db8::1", "2001:db8::2") },
  { ports: [other], addresses: at("2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3") },
];
const MIXED = [
  { ports: [http, https], addresses: at("10.0.0.1", "2001:db8::2") },
  { ports: [other], addresses: at("10.0.1.1", "2001:db8:1::2", "10.0.1.3") },
];

/** A slice as the controller made it before. */
function made(
  name: string,
  subset: EndpointSubset,
  addresses = subset.addresses ?? [],
): EndpointSlice {
  const steps = planMirror(endpoints([{ ...subset, addresses }]), { service, slices: [] });
  const [step] = steps;
  assert.ok(step && step.do !== "delete");
  return { ...step.slice, metadata: { ...step.slice.metadata, name, uid: name } };
}
const empty = (slice: EndpointSlice): EndpointSlice => ({ ...slice, endpoints: [] });

const rows: [title: string, subsets: EndpointSubset[], slices: EndpointSlice[], steps: string][] = [
  ["no subsets", [], [], ""],
  ["no addresses", [{ ports: [https] }], [], ""],
  ["one of each", [{ ports: [https], addresses: at("10.0.0.1") }], [], "create 1"],
  ["two ports, two addresses", [FIRST], [], "create 2"],
  ["two subsets", BOTH, [], "create 2, create 3"],
  ["an empty slice", BOTH, [empty(made("a", FIRST))], "create 3, update 2"],
  [
    "a slice with others",
    BOTH,
    [made("a", FIRST, at("10.0.0.2", "10.0.0.9"))],
    "create 3, update 2",
  ],
  ["a slice that is right", BOTH, [made("a", FIRST)], "create 3"],
  ["both families", MIXED, [], "create 1, create 1, create 1, create 2"],
  ["the other family", SIXES, [], "create 2, create 3"],
  ["a slice of other ports", [FIRST], [made("b", SECOND)], "update 2"],
];
for (const [title, subsets, slices, wanted] of rows) {
  test(`Endpoints are repeated: ${title}`, () => {
    const steps = planMirror(endpoints(subsets), { service, slices });
    const told = steps.map(({ do: what, slice }) => `${what} ${slice.endpoints.length}`);
    assert.equal(told.sort().join(", "), wanted);
  });
}

const wanted: [
  title: string,
  metadata: Endpoints["metadata"],
  selector: object | undefined,
  is: boolean,
][] = [
  ["as they are", {}, undefined, true],
  ["of a Service that selects", {}, { app: "x" }, false],
  [
    "that say so",
    { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    undefined,
    false,
  ],
  [
    "that say otherwise",
    { labels: { "endpointslice.kubernetes.io/skip-mirror": "false" } },
    undefined,
    true,
  ],
  [
    "that are a lock",
    { annotations: { "control-plane.alpha.kubernetes.io/leader": "" } },
    undefined,
    false,
  ],
];
for (const [title, metadata, selector, is] of wanted) {
  test(`Endpoints ${title} are ${is ? "" : "not "}repeated`, () => {
    const spec = { ...service.spec, ...(selector && { selector: { ...selector } }) };
    assert.equal(isMirrored({ metadata: { ...AT, ...metadata } }, { metadata: AT, spec }), is);
  });
}

test("of a subset the first thousand addresses are repeated, and that is told of", async () => {
  await using bench = startControllerBench(endpointSliceMirroringController());
  const { client } = bench;
  const many = Array.from({ length: 900 }, (_, nth) => `10.1.${nth >> 8}.${nth & 255}`);
  const late = Array.from({ length: 150 }, (_, nth) => `10.2.0.${nth}`);
  const subsets = [{ ports: [https], addresses: at(...many), notReadyAddresses: at(...late) }];
  const steps = planMirror(endpoints(subsets), { service, slices: [] });
  assert.deepEqual(
    steps.map(({ slice }) => slice.endpoints.length),
    [1000],
  );
  await client.for(SERVICES).create(service);
  await client.for(ENDPOINTS).create(endpoints(subsets));
  await bench.settle();
  const [event] = bench.events;
  assert.equal(event?.reason, "TooManyAddressesToMirror");
  assert.match(event.message, /A max of 1000 addresses .*50 addresses were skipped$/);
});
