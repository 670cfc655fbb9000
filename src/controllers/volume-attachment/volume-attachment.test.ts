import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSI_DRIVERS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  VOLUME_ATTACHMENTS,
} from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type ControllerBench, startControllerBench } from "../controller-bench.ts";
import { attachmentName } from "./attachment-plan.ts";
import { volumeAttachmentController } from "./volume-attachment-controller.ts";
import { volumesAttachedController } from "./volumes-attached-controller.ts";

const DRIVER = "disk.example.com";
const IN_USE = `kubernetes.io/csi/${DRIVER}^handle`;
const nameAt = (node: string) => attachmentName({ handle: "handle", driver: DRIVER, node });

function pod(name: string, nodeName: string): Pod {
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  return { metadata: { name, namespace: "default" }, spec: { nodeName, volumes, containers: [] } };
}

async function bench(): Promise<ControllerBench> {
  const made = startControllerBench(volumeAttachmentController(), volumesAttachedController());
  const { client } = made;
  const claimRef = { name: "data", namespace: "default" };
  const csi = { driver: DRIVER, volumeHandle: "handle" };
  await client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: "disk" },
    spec: { claimRef, csi, accessModes: ["ReadWriteOnce"] },
  });
  await client.for(PERSISTENT_VOLUME_CLAIMS).create({
    metadata: claimRef,
    spec: { volumeName: "disk" },
  });
  for (const name of ["one", "two"]) await client.for(NODES).create({ metadata: { name } });
  return made;
}

async function attachedTo(of: ControllerBench): Promise<string[]> {
  const { items } = await of.client.for(VOLUME_ATTACHMENTS).list();
  return items.map(({ spec }) => spec.nodeName);
}

/** What the driver's attacher does. */
async function confirm(of: ControllerBench, node: string): Promise<void> {
  const status = { status: { attached: true } };
  const options = { subresource: "status" } as const;
  await of.client.for(VOLUME_ATTACHMENTS).patch({ name: nameAt(node) }, status, options);
  await of.settle();
}

async function volumesOf(of: ControllerBench, name: string): Promise<string[] | undefined> {
  const { status } = await of.client.for(NODES).get({ name });
  return status?.volumesAttached?.map((volume) => volume.name);
}

test("a volume follows its pod from node to node; a fixpoint writes nothing", async () => {
  await using at = await bench();
  const { client } = at;
  const ref = { name: "a", namespace: "default" };
  await client.for(PODS).create(pod("a", "one"));
  await at.settle();
  assert.deepEqual(await attachedTo(at), ["one"]);
  assert.equal(await volumesOf(at, "one"), undefined, "the attacher has not answered");
  await confirm(at, "one");
  assert.deepEqual(await volumesOf(at, "one"), [IN_USE]);
  assert.deepEqual(await at.settle(3_600_000), []);

  const inUse = { status: { volumesInUse: [IN_USE] } };
  await client.for(NODES).patch({ name: "one" }, inUse, { subresource: "status" });
  await client.for(PODS).delete(ref);
  await client.for(PODS).create(pod("b", "two"));
  await at.settle();
  assert.deepEqual(await attachedTo(at), ["one"], "the first node still has it mounted");
  assert.match(at.events.at(-1)?.message ?? "", /^Multi-Attach error for volume "disk"/);
  const free = { status: { volumesInUse: [] } };
  await client.for(NODES).patch({ name: "one" }, free, { subresource: "status" });
  await at.settle();
  assert.deepEqual(await attachedTo(at), ["two"]);
  assert.deepEqual(await volumesOf(at, "one"), []);
  assert.deepEqual(await at.settle(3_600_000), []);
});

test("a node that does not let go is waited for six minutes, one out of service not at all", async () => {
  for (const isOut of [false, true]) {
    await using at = await bench();
    const { client } = at;
    await client.for(PODS).create(pod("a", "one"));
    await at.settle();
    const inUse = { status: { volumesInUse: [IN_USE] } };
    await client.for(NODES).patch({ name: "one" }, inUse, { subresource: "status" });
    if (isOut) {
      const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
      await client.for(NODES).patch({ name: "one" }, { spec: { taints } });
    }
    await client.for(PODS).delete({ name: "a", namespace: "default" });
    await at.settle(300_000);
    assert.deepEqual(await attachedTo(at), isOut ? [] : ["one"]);
    await at.settle(90_000);
    assert.deepEqual(await attachedTo(at), []);
  }
});

test("drivers that need no attaching get none; what others attached is left alone", async () => {
  await using at = await bench();
  const { client } = at;
  await client
    .for(CSI_DRIVERS)
    .create({ metadata: { name: DRIVER }, spec: { attachRequired: false } });
  const source = { persistentVolumeName: "disk" };
  const spec = { attacher: "other", nodeName: "one", source };
  await client.for(VOLUME_ATTACHMENTS).create({ metadata: { name: "by-hand" }, spec });
  const lost = { ...spec, source: { persistentVolumeName: "gone" } };
  await client.for(VOLUME_ATTACHMENTS).create({ metadata: { name: nameAt("x") }, spec: lost });
  await client.for(PODS).create(pod("a", "one"));
  await at.settle();
  const { items } = await client.for(VOLUME_ATTACHMENTS).list();
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ["by-hand"],
  );
});
