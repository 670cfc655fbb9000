import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import { type ControllerBench, startControllerBench } from "../controller-bench.ts";
import { claimBinderController } from "./claim-binder-controller.ts";
import { claimExpansionController } from "./claim-expansion-controller.ts";
import { LOCAL_PROVISIONER } from "./contract.ts";

const DATA = { name: "data", namespace: "default" };

/** A bound claim of 1Gi that asks for more. */
async function growing(driver: string): Promise<ControllerBench> {
  const bench = startControllerBench(claimBinderController(), claimExpansionController());
  const { client } = bench;
  const storageClassName = "any";
  const accessModes = ["ReadWriteOnce" as const];
  const claims = client.for(PERSISTENT_VOLUME_CLAIMS);
  await claims.create({
    metadata: DATA,
    spec: { storageClassName, accessModes, resources: { requests: { storage: "1Gi" } } },
  });
  await client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: "disk" },
    spec: {
      storageClassName,
      accessModes,
      capacity: { storage: "1Gi" },
      csi: { driver, volumeHandle: "h" },
    },
    status: { phase: "Available" },
  });
  await bench.settle();
  assert.equal((await claims.get(DATA)).status?.capacity?.["storage"], "1Gi");
  await claims.patch(DATA, { spec: { resources: { requests: { storage: "2Gi" } } } });
  await bench.settle();
  return bench;
}

async function sizes({ client }: ControllerBench): Promise<(string | undefined)[]> {
  const claim = await client.for(PERSISTENT_VOLUME_CLAIMS).get(DATA);
  const volume = await client.for(PERSISTENT_VOLUMES).get({ name: "disk" });
  return [claim.status?.capacity?.["storage"], volume.spec?.capacity?.["storage"]];
}

test("a claim on a node's directory grows, and a fixpoint writes nothing", async () => {
  await using bench = await growing(LOCAL_PROVISIONER);
  assert.deepEqual(await sizes(bench), ["2Gi", "2Gi"]);
  assert.ok(bench.events.some(({ reason }) => reason === "VolumeResizeSuccessful"));
  assert.deepEqual(await bench.settle(3_600_000), []);
});

test("volumes of other drivers are for their own resizers", async () => {
  await using bench = await growing("disk.example.com");
  assert.deepEqual(await sizes(bench), ["1Gi", "1Gi"]);
  assert.ok(bench.events.some(({ reason }) => reason === "ExternalExpanding"));
  await bench.client
    .for(PERSISTENT_VOLUMES)
    .patch({ name: "disk" }, { spec: { capacity: { storage: "2Gi" } } });
  await bench.settle();
  assert.deepEqual(await sizes(bench), ["1Gi", "2Gi"], "the node has not grown it yet");
  assert.deepEqual(await bench.settle(3_600_000), []);
});
