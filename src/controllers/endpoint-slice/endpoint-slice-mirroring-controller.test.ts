import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../api/generated/resources.ts";
import type { Endpoints, EndpointSubset, Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { type ControllerBench, startControllerBench } from "../controller-bench.ts";
import { endpointSliceMirroringController } from "./endpoint-slice-mirroring-controller.ts";

const AT = { namespace: "default", name: "outside" };
const SERVICE: Service = { metadata: AT, spec: { ports: [{ name: "db", port: 5432 }] } };
const ports = [{ name: "db", port: 5432, protocol: "TCP" as const }];

function endpoints(subsets: EndpointSubset[], labels: Record<string, string> = {}): Endpoints {
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", team: "x" };
  return { metadata: { ...AT, labels, annotations }, subsets };
}

async function slices(bench: ControllerBench): Promise<EndpointSlice[]> {
  const { items } = await bench.client.for(ENDPOINT_SLICES).list();
  return items.toSorted((a, b) => (a.addressType < b.addressType ? -1 : 1));
}

test("slices follow Endpoints of a Service without selector; a fixpoint writes nothing", async () => {
  await using bench = startControllerBench(endpointSliceMirroringController());
  const { client } = bench;
  await client.for(SERVICES).create(SERVICE);
  const subset = {
    addresses: [{ ip: "192.0.2.9" }],
    notReadyAddresses: [{ ip: "fd00::9" }],
    ports,
  };
  await client.for(ENDPOINTS).create(endpoints([subset], { app: "db" }));
  await bench.settle();
  const [ipv4, ipv6, ...more] = await slices(bench);
  assert.deepEqual(more, []);
  assert.deepEqual(ipv4?.endpoints, [{ addresses: ["192.0.2.9"], conditions: { ready: true } }]);
  assert.deepEqual(ipv4.ports, ports);
  assert.deepEqual(ipv4.metadata?.annotations, { team: "x" });
  assert.deepEqual(ipv4.metadata.labels, {
    app: "db",
    "kubernetes.io/service-name": "outside",
    "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
  });
  assert.deepEqual(ipv6?.endpoints[0]?.conditions, { ready: false });
  assert.deepEqual(await bench.settle(3_600_000), []);

  const stored = await client.for(ENDPOINTS).get(AT);
  const moved = [{ addresses: [{ ip: "192.0.2.10" }], ports }];
  await client.for(ENDPOINTS).update({ ...stored, subsets: moved });
  await bench.settle();
  const after = await slices(bench);
  assert.deepEqual(
    after.map(({ metadata, endpoints: list }) => [metadata?.uid, list[0]?.addresses]),
    [[ipv4.metadata.uid, ["192.0.2.10"]]],
  );

  await client.for(ENDPOINTS).delete(AT);
  await bench.settle();
  assert.deepEqual(await slices(bench), []);
});

test("Endpoints made anew get slices of their own", async () => {
  await using bench = startControllerBench(endpointSliceMirroringController());
  const { client } = bench;
  await client.for(SERVICES).create(SERVICE);
  const made = endpoints([{ addresses: [{ ip: "192.0.2.9" }], ports }]);
  await client.for(ENDPOINTS).create(made);
  await bench.settle();
  await client.for(ENDPOINTS).delete(AT);
  const { metadata } = await client.for(ENDPOINTS).create(made);
  await bench.settle();
  const owners = (await slices(bench)).map((slice) => slice.metadata?.ownerReferences?.[0]?.uid);
  assert.deepEqual(owners, [metadata?.uid]);
});

test("what a selector finds, what asks not to be, and what has no Service is not repeated", async () => {
  await using bench = startControllerBench(endpointSliceMirroringController());
  const { client } = bench;
  const subsets = [{ addresses: [{ ip: "192.0.2.9" }], ports }];
  const stored = await client.for(ENDPOINTS).create(endpoints(subsets));
  assert.deepEqual(await bench.settle(), []);
  const service = await client.for(SERVICES).create(SERVICE);
  await bench.settle();
  assert.equal((await slices(bench)).length, 1);
  await client
    .for(SERVICES)
    .update({ ...service, spec: { ...service.spec, selector: { a: "b" } } });
  await bench.settle();
  assert.deepEqual(await slices(bench), []);
  await client.for(SERVICES).delete(AT);
  await client.for(SERVICES).create(SERVICE);
  await bench.settle();
  assert.equal((await slices(bench)).length, 1);
  const labels = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  await client.for(ENDPOINTS).update({ ...stored, metadata: { ...stored.metadata, labels } });
  await bench.settle();
  assert.deepEqual(await slices(bench), []);
});
