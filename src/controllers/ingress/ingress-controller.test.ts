import assert from "node:assert/strict";
import { test } from "node:test";
import { INGRESS_CLASSES, INGRESSES, NODES, SERVICES } from "../../api/generated/resources.ts";
import type { Node, Service } from "../../api/generated/types/core-v1.ts";
import type { Ingress } from "../../api/generated/types/networking-v1.ts";
import { INGRESS_CONTROLLER } from "../../api/ingress-class.ts";
import { startControllerBench } from "../controller-bench.ts";
import { ingressController } from "./ingress-controller.ts";

const PORTS = { http: 80, https: 443 };

function ingress(name: string, ingressClassName?: string): Ingress {
  const defaultBackend = { service: { name: "web", port: { number: 80 } } };
  return {
    metadata: { name, namespace: "shop" },
    spec: { defaultBackend, ...(ingressClassName ? { ingressClassName } : {}) },
  };
}

function node(name: string, address: string): Node {
  const status = {
    addresses: [{ type: "InternalIP" as const, address }],
    conditions: [{ type: "Ready" as const, status: "True" as const }],
  };
  return { metadata: { name }, status };
}

test("Ingresses of our class are found at the nodes, and a fixpoint writes nothing", async () => {
  await using bench = startControllerBench(ingressController(PORTS));
  const { client } = bench;
  const classes = client.for(INGRESS_CLASSES);
  await classes.create({ metadata: { name: "nephos" }, spec: { controller: INGRESS_CONTROLLER } });
  await classes.create({ metadata: { name: "other" }, spec: { controller: "example.com/x" } });
  await client.for(NODES).create(node("one", "192.0.2.2"));
  await client.for(INGRESSES).create(ingress("ours", "nephos"));
  await client.for(INGRESSES).create(ingress("others", "other"));
  await client.for(INGRESSES).create(ingress("nobody"));
  await bench.settle();
  const addresses = async (name: string) => {
    const { status } = await client.for(INGRESSES).get({ namespace: "shop", name });
    return status?.loadBalancer?.ingress?.map(({ ip }) => ip);
  };
  assert.deepEqual(await addresses("ours"), ["192.0.2.2"]);
  assert.equal(await addresses("others"), undefined);
  assert.equal(await addresses("nobody"), undefined);
  assert.deepEqual(await bench.settle(3_600_000), []);
  await client.for(NODES).create(node("two", "192.0.2.3"));
  await bench.settle();
  assert.deepEqual(await addresses("ours"), ["192.0.2.2", "192.0.2.3"]);
});

/** A node, our class and an Ingress of it, which has its status. */
async function serveOurs(bench: ReturnType<typeof startControllerBench>): Promise<void> {
  const { client } = bench;
  const spec = { controller: INGRESS_CONTROLLER };
  await client.for(INGRESS_CLASSES).create({ metadata: { name: "nephos" }, spec });
  await client.for(NODES).create(node("one", "192.0.2.2"));
  await client.for(INGRESSES).create(ingress("ours", "nephos"));
  await bench.settle();
}

test("a Service that has the nodes' port keeps it, and the Ingress says so", async () => {
  await using bench = startControllerBench(ingressController(PORTS));
  const { client } = bench;
  await serveOurs(bench);
  const service: Service = {
    metadata: { name: "balanced", namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.2" }] } },
  };
  await client.for(SERVICES).create(service);
  await bench.settle();
  const { status } = await client.for(INGRESSES).get({ namespace: "shop", name: "ours" });
  assert.deepEqual(status?.loadBalancer, {});
  assert.match(bench.events.at(-1)?.message ?? "", /port 80 .* belongs to service shop\/balanced/);
  assert.deepEqual(await bench.settle(), []);
});

test("a status of somebody else is taken back, but not at once", async () => {
  await using bench = startControllerBench(ingressController(PORTS));
  const { client } = bench;
  await serveOurs(bench);
  const at = { namespace: "shop", name: "ours" };
  const foreign = { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } };
  const written = await client.for(INGRESSES).get(at);
  const theirs = await client.for(INGRESSES).updateStatus({ ...written, status: foreign });
  await bench.settle(500);
  const again = { loadBalancer: { ingress: [{ ip: "169.1.1.2" }] } };
  await client.for(INGRESSES).updateStatus({ ...theirs, status: again });
  await bench.settle(5_000);
  const { status } = await client.for(INGRESSES).get(at);
  assert.deepEqual(status?.loadBalancer?.ingress, [{ ip: "192.0.2.2" }]);
});
