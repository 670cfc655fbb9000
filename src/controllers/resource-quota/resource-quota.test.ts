import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, PODS, RESOURCE_QUOTAS } from "../../api/generated/resources.ts";
import type { Pod, ResourceQuota } from "../../api/generated/types/core-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { resourceQuotaController, usedOf } from "./resource-quota-controller.ts";

const pod = (cpu: string, phase: "Running" | "Succeeded"): Pod => ({
  spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] },
  status: { phase },
});
const quota = (spec: ResourceQuota["spec"]): ResourceQuota => (spec ? { spec } : {});
const contents = [
  { resource: PODS, objects: [pod("500m", "Running"), pod("1", "Running"), pod("4", "Succeeded")] },
  { resource: CONFIG_MAPS, objects: [{}, {}] },
];

test("what is limited is reported, finished pods and other things are not", () => {
  const hard = { pods: "10", "requests.cpu": "4", configmaps: "5", "count/secrets": "1" };
  assert.deepEqual(usedOf(quota({ hard }), { contents, nowMs: 0 }), {
    pods: "2",
    "requests.cpu": "1500m",
    configmaps: "2",
    "count/secrets": "0",
  });
});

test("a scoped quota counts only the pods of its scope", () => {
  const hard = { pods: "10", configmaps: "5" };
  const scoped = quota({ hard, scopes: ["BestEffort"] });
  assert.deepEqual(usedOf(scoped, { contents, nowMs: 0 }), { pods: "0", configmaps: "0" });
});

test("what admission has counted is taken back only when the object stays away", async () => {
  await using bench = startControllerBench(resourceQuotaController());
  const quotas = bench.client.for(RESOURCE_QUOTAS);
  const at = { namespace: "default", name: "few" };
  const admit = async (pods: string) => {
    const current = await quotas.get(at);
    await quotas.updateStatus({ ...current, status: { ...current.status, used: { pods } } });
  };
  const usedPods = async () => (await quotas.get(at)).status?.used?.["pods"];
  await quotas.create({ metadata: at, spec: { hard: { pods: "2" } } });
  await bench.settle();
  await admit("1");
  await bench.settle(900);
  assert.equal(await usedPods(), "1");
  await admit("2");
  await bench.settle(900);
  assert.equal(await usedPods(), "2", "the pause begins anew with each admission");
  await bench.client.for(PODS).create({ ...pod("1", "Running"), metadata: { ...at, name: "a" } });
  await bench.settle();
  assert.equal(await usedPods(), "1");
  assert.deepEqual(await bench.settle(60_000), []);
});
