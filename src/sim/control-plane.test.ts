import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound } from "../api/errors.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  JOBS,
  NAMESPACES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "../api/generated/resources.ts";
import type { Deployment } from "../api/generated/types/apps-v1.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

function deployment(image: string, namespace = "default"): Deployment {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image }] } },
    },
  };
}

const web = { name: "web", namespace: "default" };

async function pods(plane: ControlPlane, namespace = "default"): Promise<Pod[]> {
  return (await plane.client.for(PODS).list({ namespace })).items;
}

async function start(): Promise<ControlPlane> {
  const plane = await startControlPlane();
  const metadata = { name: "default" };
  await plane.client
    .for(NAMESPACES)
    .create({ apiVersion: "v1", kind: "Namespace", metadata })
    .catch(() => {});
  await Promise.all([plane.nodes.add("n1"), plane.nodes.add("n2")]);
  await plane.clock.advance(1000);
  return plane;
}

const gone = async (read: Promise<unknown>) => {
  await assert.rejects(read, (error) => isNotFound(error));
};

test("a deployment runs, scales, rolls out, rolls back and goes away", async () => {
  await using plane = await start();
  const deployments = plane.client.for(DEPLOYMENTS);
  await deployments.create(deployment("v1"));
  await plane.clock.advance(1000);
  const running = await pods(plane);
  assert.equal(running.length, 3);
  assert.deepEqual(new Set(running.map(({ spec }) => spec?.nodeName)), new Set(["n1", "n2"]));
  assert.equal((await deployments.get(web)).status?.availableReplicas, 3);

  await deployments.patch(web, { spec: { replicas: 5 } });
  await plane.clock.advance(1000);
  assert.equal((await pods(plane)).length, 5);

  await deployments.patch(web, { spec: { template: deployment("v2").spec?.template } });
  await plane.clock.advance(5000);
  const updated = await pods(plane);
  assert.deepEqual(
    updated.map(({ spec }) => spec?.containers[0]?.image),
    ["v2", "v2", "v2", "v2", "v2"],
  );
  const settled = await deployments.get(web);
  assert.equal(settled.metadata?.annotations?.["deployment.kubernetes.io/revision"], "2");
  assert.equal(
    settled.status?.conditions?.find(({ type }) => type === "Progressing")?.reason,
    "NewReplicaSetAvailable",
  );

  await deployments.patch(web, { spec: { template: deployment("v1").spec?.template } });
  await plane.clock.advance(5000);
  const sets = (await plane.client.for(REPLICA_SETS).list()).items;
  assert.equal(sets.length, 2, "the old set is used again");

  await deployments.delete(web);
  await plane.clock.advance(2000);
  assert.deepEqual(await pods(plane), []);
  assert.deepEqual((await plane.client.for(REPLICA_SETS).list()).items, []);
});

test("foreground deletion keeps the owner until its pods are gone, orphaning keeps the pods", async () => {
  await using plane = await start();
  const deployments = plane.client.for(DEPLOYMENTS);
  await deployments.create(deployment("v1"));
  await plane.clock.advance(1000);
  await deployments.delete(web, { propagationPolicy: "Foreground" });
  assert.ok((await deployments.get(web)).metadata?.deletionTimestamp);
  await plane.clock.advance(2000);
  await gone(deployments.get(web));
  assert.deepEqual(await pods(plane), []);

  await deployments.create(deployment("v1"));
  await plane.clock.advance(1000);
  await deployments.delete(web, { propagationPolicy: "Orphan" });
  await plane.clock.advance(2000);
  await gone(deployments.get(web));
  const [set] = (await plane.client.for(REPLICA_SETS).list()).items;
  assert.deepEqual(set?.metadata?.ownerReferences ?? [], []);
  assert.equal((await pods(plane)).length, 3);
});

test("a namespace gets its account and CA, and its deletion takes everything along", async () => {
  await using plane = await start();
  const namespaces = plane.client.for(NAMESPACES);
  const namespace = "team";
  await namespaces.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await plane.clock.advance(100);
  await plane.client.for(SERVICE_ACCOUNTS).get({ name: "default", namespace });
  await plane.client.for(CONFIG_MAPS).get({ name: "kube-root-ca.crt", namespace });
  await plane.client.for(DEPLOYMENTS).create(deployment("v1", namespace));
  await plane.clock.advance(1000);
  assert.equal((await pods(plane, namespace)).length, 3);
  await namespaces.delete({ name: namespace });
  await plane.clock.advance(10_000);
  await gone(namespaces.get({ name: namespace }));
  assert.deepEqual(await pods(plane, namespace), []);
  assert.deepEqual((await plane.client.for(CONFIG_MAPS).list({ namespace })).items, []);
});

test("a deleted job lets its pods go", async () => {
  await using plane = await start();
  const jobs = plane.client.for(JOBS);
  const template = {
    spec: { restartPolicy: "Never" as const, containers: [{ name: "c", image: "i" }] },
  };
  const work = { name: "work", namespace: "default" };
  await jobs.create({ apiVersion: "batch/v1", kind: "Job", metadata: work, spec: { template } });
  await plane.clock.advance(1000);
  const [pod] = await pods(plane);
  assert.deepEqual(pod?.metadata?.finalizers, ["batch.kubernetes.io/job-tracking"]);
  await jobs.delete(work, { propagationPolicy: "Background" });
  await plane.clock.advance(2000);
  assert.deepEqual(await pods(plane), []);
});

test("a service follows its pods", async () => {
  await using plane = await start();
  await plane.client.for(DEPLOYMENTS).create(deployment("v1"));
  const services = plane.client.for(SERVICES);
  await services.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: web,
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await plane.clock.advance(1000);
  const slices = async () => (await plane.client.for(ENDPOINT_SLICES).list(web)).items;
  const [slice] = await slices();
  assert.equal(slice?.endpoints?.length, 3);
  assert.ok(slice?.endpoints?.every(({ conditions }) => conditions?.ready));
  const endpoints = await plane.client.for(ENDPOINTS).get(web);
  assert.equal(endpoints.subsets?.[0]?.addresses?.length, 3);
  const [doomed] = await pods(plane);
  const ip = doomed?.status?.podIP;
  await plane.client.for(PODS).delete({ name: doomed?.metadata?.name ?? "", namespace: "default" });
  await plane.clock.advance(1000);
  const [after] = await slices();
  assert.equal(after?.endpoints?.length, 3);
  assert.ok(!after?.endpoints?.some(({ addresses }) => addresses[0] === ip));
  await services.delete(web);
  await plane.clock.advance(1000);
  assert.deepEqual(await slices(), []);
});

test("pods of a node that falls silent are replaced elsewhere", async () => {
  await using plane = await start();
  await plane.client.for(DEPLOYMENTS).create(deployment("v1"));
  await plane.clock.advance(1000);
  plane.nodes.silence("n1");
  await plane.clock.advance(60_000);
  const node = await plane.client.for(NODES).get({ name: "n1" });
  assert.equal(node.status?.conditions?.find(({ type }) => type === "Ready")?.status, "Unknown");
  assert.ok(node.spec?.taints?.some(({ key }) => key === "node.kubernetes.io/unreachable"));
  await plane.clock.advance(400_000);
  const serving = (await pods(plane)).filter(({ metadata }) => !metadata?.deletionTimestamp);
  assert.equal(serving.length, 3);
  assert.deepEqual(new Set(serving.map(({ spec }) => spec?.nodeName)), new Set(["n2"]));
});

test("nodes get prefixes of their own for pods", async () => {
  await using plane = await start();
  const { items } = await plane.client.for(NODES).list();
  const prefixes = items.map(({ spec }) => spec?.podCIDR);
  assert.deepEqual(new Set(prefixes), new Set(["10.244.0.0/24", "10.244.1.0/24"]));
});
