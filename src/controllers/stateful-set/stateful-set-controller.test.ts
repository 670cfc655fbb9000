import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from "../../api/generated/resources.ts";
import type { StatefulSet } from "../../api/generated/types/apps-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { statefulSetController } from "./stateful-set-controller.ts";

const DB: StatefulSet = {
  metadata: { name: "db", namespace: "default" },
  spec: {
    replicas: 2,
    serviceName: "db",
    podManagementPolicy: "Parallel",
    selector: { matchLabels: { app: "db" } },
    template: { metadata: { labels: { app: "db" } }, spec: { containers: [] } },
    volumeClaimTemplates: [{ metadata: { name: "data" } }],
  },
};
const first = { namespace: "default", name: "db-0" };

test("a pod that waits for a claim that somebody took away gets a new one", async () => {
  await using bench = startControllerBench(statefulSetController());
  const { client } = bench;
  await client.for(STATEFUL_SETS).create(DB);
  await bench.settle();
  const claim = { ...first, name: "data-db-0" };
  const names = async () => {
    const { items } = await client.for(PERSISTENT_VOLUME_CLAIMS).list({ namespace: "default" });
    return new Set(items.map(({ metadata }) => metadata?.name));
  };
  const loseClaimWhile = async (phase: string) => {
    await client.for(PODS).patch(first, { status: { phase } }, { subresource: "status" });
    await bench.settle();
    await client.for(PERSISTENT_VOLUME_CLAIMS).delete(claim);
    await bench.settle();
    return names();
  };
  assert.deepEqual(await loseClaimWhile("Pending"), new Set(["data-db-0", "data-db-1"]));
  assert.deepEqual(await loseClaimWhile("Running"), new Set(["data-db-1"]), "it runs with it");
});

test("a member gets the labels back that tell it apart", async () => {
  await using bench = startControllerBench(statefulSetController());
  const { client } = bench;
  await client.for(STATEFUL_SETS).create(DB);
  await bench.settle();
  const key = "statefulset.kubernetes.io/pod-name";
  const labels = { [key]: null as unknown as string };
  await client.for(PODS).patch(first, { metadata: { labels } });
  await bench.settle();
  assert.equal((await client.for(PODS).get(first)).metadata?.labels?.[key], "db-0");
  assert.deepEqual(await bench.settle(), [], "a fixpoint writes nothing");
});
