import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec, Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { planEndpointSlices } from "./endpoint-slice-plan.ts";
import { endpointsOf } from "./endpoints-plan.ts";
import type { SliceStep } from "./slice-packing.ts";

function service(spec: Partial<Service["spec"]> = {}): Service {
  return {
    metadata: { name: "web", namespace: "default", uid: "s", labels: { team: "x" } },
    spec: {
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: "web" }],
      ipFamilies: ["IPv4"],
      ...spec,
    },
  };
}

interface PodShape {
  ready?: boolean;
  terminating?: boolean;
  port?: number;
  spec?: Partial<PodSpec>;
}

function pod(name: string, ip: string | undefined, shape: PodShape = {}): Pod {
  const { ready = true, terminating = false, port = 8080, spec = {} } = shape;
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      labels: { app: "web" },
      ...(terminating ? { deletionTimestamp: "2030-01-01T00:00:00Z" } : {}),
    },
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }],
      ...spec,
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
    },
  };
}

const plan = (wanted: Service, pods: Pod[], slices: EndpointSlice[] = []) =>
  planEndpointSlices(wanted, { pods, slices, zoneOf: () => "z1" });

/** The slices after the steps, as a server would keep them. */
function applied(steps: readonly SliceStep[], slices: readonly EndpointSlice[]): EndpointSlice[] {
  let next = [...slices];
  for (const [at, step] of steps.entries()) {
    const { slice } = step;
    if (step.do === "create") {
      const name = `web-${next.length}-${at}`;
      next.push({ ...slice, metadata: { ...slice.metadata, name, uid: name } });
    } else {
      next = next.filter(({ metadata }) => metadata?.uid !== slice.metadata?.uid);
      if (step.do === "update") next.push(slice);
    }
  }
  return next;
}

test("a ready pod becomes a ready endpoint with its own port number", () => {
  const [create] = plan(service(), [pod("a", "10.0.0.1")]);
  assert.ok(create?.do === "create");
  assert.deepEqual(create.slice.endpoints, [
    {
      addresses: ["10.0.0.1"],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "a" },
      nodeName: "n1",
      zone: "z1",
    },
  ]);
  assert.deepEqual(create.slice.ports, [{ name: "http", protocol: "TCP", port: 8080 }]);
  assert.deepEqual(create.slice.metadata?.labels, {
    team: "x",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
});

test("a terminating pod still serves but is not ready", () => {
  const [create] = plan(service(), [pod("a", "10.0.0.1", { terminating: true })]);
  assert.deepEqual(create?.slice.endpoints?.[0]?.conditions, {
    ready: false,
    serving: true,
    terminating: true,
  });
});

test("a service without pods has one empty slice", () => {
  const steps = plan(service(), [pod("a", undefined)]);
  assert.equal(steps.length, 1);
  assert.deepEqual(steps[0]?.slice.endpoints, []);
  assert.deepEqual(plan(service(), [], applied(steps, [])), []);
});

test("the plan is empty at its fixpoint, through growth, change and decline", () => {
  const many = Array.from({ length: 150 }, (_, at) => pod(`p${at}`, `10.0.1.${at}`));
  let slices: EndpointSlice[] = [];
  const settle = (pods: Pod[]) => {
    slices = applied(plan(service(), pods, slices), slices);
    assert.deepEqual(plan(service(), pods, slices), []);
  };
  settle([]);
  settle(many.slice(0, 3));
  settle(many);
  assert.deepEqual(slices.map(({ endpoints }) => String(endpoints?.length)).toSorted(), [
    "100",
    "50",
  ]);
  settle([pod("p0", "10.0.1.0", { ready: false }), ...many.slice(1)]);
  settle(many.slice(0, 1));
  settle([]);
  assert.equal(slices.length, 1);
});

test("pods that resolve a port name differently come into different slices", () => {
  const steps = plan(service(), [pod("a", "10.0.0.1"), pod("b", "10.0.0.2", { port: 9090 })]);
  assert.deepEqual(steps.map(({ slice }) => String(slice.ports?.[0]?.port)).toSorted(), [
    "8080",
    "9090",
  ]);
});

test("a pod with hostname in the service's subdomain keeps its name", () => {
  const named = pod("a", "10.0.0.1", { spec: { hostname: "db-0", subdomain: "web" } });
  assert.equal(plan(service(), [named])[0]?.slice.endpoints?.[0]?.hostname, "db-0");
});

test("a headless service is marked and a second family has its own slices", () => {
  const both = service({ clusterIP: "None", ipFamilies: ["IPv4", "IPv6"] });
  const dual = pod("a", "10.0.0.1");
  dual.status = { ...dual.status, podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] };
  const steps = plan(both, [dual]);
  assert.deepEqual(
    steps.map(({ slice }) => [slice.addressType, slice.endpoints?.[0]?.addresses]),
    [
      ["IPv4", ["10.0.0.1"]],
      ["IPv6", ["fd00::1"]],
    ],
  );
  assert.equal(steps[0]?.slice.metadata?.labels?.["service.kubernetes.io/headless"], "");
});

test("Endpoints keep ready and unready addresses apart and let terminating pods go", () => {
  const pods = [
    pod("b", "10.0.0.2"),
    pod("a", "10.0.0.1"),
    pod("c", "10.0.0.3", { ready: false }),
    pod("d", "10.0.0.4", { terminating: true }),
  ];
  const [subset] = endpointsOf(service(), pods).subsets ?? [];
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ["10.0.0.1", "10.0.0.2"],
  );
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    ["10.0.0.3"],
  );
  assert.deepEqual(subset?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
});

test("Endpoints hold a thousand addresses, ready ones first, each subset its part", () => {
  const many = (count: number, from: number, shape: PodShape) =>
    Array.from({ length: count }, (_, at) => {
      const number = from + at;
      return pod(`p${number}`, `10.0.${Math.floor(number / 250)}.${(number % 250) + 1}`, shape);
    });
  const sizes = (...pods: Pod[][]) => {
    const { metadata, subsets = [] } = endpointsOf(service(), pods.flat());
    const counts = subsets.map(({ addresses = [], notReadyAddresses = [] }) => [
      addresses.length,
      notReadyAddresses.length,
    ]);
    return [metadata?.annotations?.["endpoints.kubernetes.io/over-capacity"], ...counts];
  };
  const other = { port: 9090 };
  assert.deepEqual(sizes(many(1000, 0, {})), [undefined, [1000, 0]]);
  assert.deepEqual(sizes(many(1001, 0, {})), ["truncated", [1000, 0]]);
  assert.deepEqual(sizes(many(900, 0, {}), many(300, 900, { ready: false })), [
    "truncated",
    [900, 100],
  ]);
  assert.deepEqual(sizes(many(1100, 0, {}), many(300, 1100, { ready: false })), [
    "truncated",
    [1000, 0],
  ]);
  assert.deepEqual(sizes(many(1000, 0, {}), many(1000, 1000, other)), [
    "truncated",
    [500, 0],
    [500, 0],
  ]);
  assert.deepEqual(
    sizes(
      many(500, 0, {}),
      many(600, 500, { ready: false }),
      many(600, 1100, { ...other, ready: false }),
    ),
    ["truncated", [500, 250], [0, 250]],
  );
});
