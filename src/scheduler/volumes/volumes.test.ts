import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSI_DRIVERS,
  CSI_NODES,
  CSI_STORAGE_CAPACITIES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
} from "../../api/generated/resources.ts";
import type { PersistentVolume, PodSpec } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type SchedulerBench, schedulerBench } from "../scheduler-fixture.ts";

const ZONE = "topology.kubernetes.io/zone";
const at = (name: string) => ({ name, namespace: "default" });
const using = (...claims: string[]): Partial<PodSpec> => ({
  volumes: claims.map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  })),
});

async function classOf(bench: SchedulerBench, provisioner: string): Promise<void> {
  await bench.client.for(STORAGE_CLASSES).create({
    metadata: { name: "late" },
    provisioner,
    volumeBindingMode: "WaitForFirstConsumer",
  });
}

async function claim(bench: SchedulerBench, name: string, more: object = {}): Promise<void> {
  await bench.client.for(PERSISTENT_VOLUME_CLAIMS).create({
    metadata: at(name),
    spec: {
      storageClassName: "late",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...more,
    },
  });
}

async function volume(
  bench: SchedulerBench,
  of: { name: string; storage: string; node?: string; more?: Partial<PersistentVolume["spec"]> },
): Promise<void> {
  const term = {
    matchExpressions: [
      { key: "kubernetes.io/hostname", operator: "In" as const, values: [of.node ?? ""] },
    ],
  };
  await bench.client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: of.name },
    spec: {
      storageClassName: "late",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: of.storage },
      ...(of.node ? { nodeAffinity: { required: { nodeSelectorTerms: [term] } } } : {}),
      ...of.more,
    },
    status: { phase: "Available" },
  });
}

/** What the volume controller does once a volume names its claim. */
async function complete(bench: SchedulerBench, name: string, volumeName: string): Promise<void> {
  await bench.client.for(PERSISTENT_VOLUME_CLAIMS).patch(at(name), {
    metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
    spec: { volumeName },
    status: { phase: "Bound" },
  });
}

async function nodes(bench: SchedulerBench, ...names: string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    await bench.client.for(NODES).create({
      metadata: { name, labels: { "kubernetes.io/hostname": name, [ZONE]: `z${index + 1}` } },
      status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" } },
    });
  }
  await settle();
}

const reasonOf = async (bench: SchedulerBench, name: string) =>
  (await bench.podOf(name)).status?.conditions?.[0]?.message?.split(". ")[0];

test("a pod goes where a volume for its claim is, once the claim is bound", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1", "n2");
  await classOf(bench, "kubernetes.io/no-provisioner");
  await volume(bench, { name: "large", storage: "9Gi", node: "n2" });
  await volume(bench, { name: "small", storage: "2Gi", node: "n2" });
  await volume(bench, { name: "tiny", storage: "1Mi", node: "n1" });
  await claim(bench, "data");
  await bench.pod("a", using("data"));
  await settle();
  assert.equal(await bench.placeOf("a"), undefined);
  const { spec } = await bench.client.for(PERSISTENT_VOLUMES).get({ name: "small" });
  assert.equal(spec?.claimRef?.name, "data");
  await complete(bench, "data", "small");
  await settle();
  assert.equal(await bench.placeOf("a"), "n2");
});

test("two claims of one pod never get one volume", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await classOf(bench, "kubernetes.io/no-provisioner");
  await volume(bench, { name: "only", storage: "2Gi", node: "n1" });
  await claim(bench, "x");
  await claim(bench, "y");
  await bench.pod("a", using("x", "y"));
  await settle();
  assert.equal(
    await reasonOf(bench, "a"),
    "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind",
  );
});

test("a claim to be provisioned is told the node, and the pod follows", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await classOf(bench, "example.com/csi");
  await claim(bench, "data");
  await bench.pod("a", using("data"));
  await settle();
  const { metadata } = await bench.client.for(PERSISTENT_VOLUME_CLAIMS).get(at("data"));
  assert.equal(metadata?.annotations?.["volume.kubernetes.io/selected-node"], "n1");
  assert.equal(await bench.placeOf("a"), undefined);
  await volume(bench, { name: "made", storage: "1Gi" });
  await complete(bench, "data", "made");
  await settle();
  assert.equal(await bench.placeOf("a"), "n1");
});

test("a provisioner that gives a node back makes the pod look again", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await classOf(bench, "example.com/csi");
  await claim(bench, "data");
  await bench.pod("a", using("data"));
  await settle();
  const annotations = { "volume.kubernetes.io/selected-node": null };
  await bench.client.for(PERSISTENT_VOLUME_CLAIMS).patch(at("data"), { metadata: { annotations } });
  await settle();
  assert.match((await reasonOf(bench, "a")) ?? "", /provisioning for persistentvolumeclaim/);
  await bench.clock.advance(1000);
  const { metadata } = await bench.client.for(PERSISTENT_VOLUME_CLAIMS).get(at("data"));
  assert.equal(metadata?.annotations?.["volume.kubernetes.io/selected-node"], "n1");
  // The bench ends while the pod waits for its volume.
  await volume(bench, { name: "any", storage: "1Gi" });
  await complete(bench, "data", "any");
  await settle();
});

test("claims that are not there, or not bound, are named", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await claim(bench, "now", { storageClassName: "immediate" });
  await bench.pod("a", using("none"));
  await bench.pod("b", using("now"));
  await settle();
  assert.equal(
    await reasonOf(bench, "a"),
    '0/1 nodes are available: persistentvolumeclaim "none" not found',
  );
  assert.equal(
    await reasonOf(bench, "b"),
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims",
  );
  await claim(bench, "none", { volumeName: "v" });
  await volume(bench, { name: "v", storage: "1Gi" });
  await complete(bench, "none", "v");
  await bench.clock.advance(1000);
  assert.equal(await bench.placeOf("a"), "n1");
});

test("a bound volume decides on node and zone", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1", "n2");
  await bench.client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: "zoned", labels: { [ZONE]: "z2__z3" } },
    spec: { capacity: { storage: "1Gi" } },
  });
  await claim(bench, "data", { volumeName: "zoned" });
  await complete(bench, "data", "zoned");
  await bench.pod("a", using("data"));
  await settle();
  assert.equal(await bench.placeOf("a"), "n2");
});

test("a ReadWriteOncePod claim serves one pod at a time", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await volume(bench, { name: "v", storage: "1Gi" });
  await claim(bench, "data", { volumeName: "v", accessModes: ["ReadWriteOncePod"] });
  await complete(bench, "data", "v");
  await bench.pod("a", using("data"));
  await settle();
  await bench.pod("b", using("data"));
  await settle();
  assert.match((await reasonOf(bench, "b")) ?? "", /ReadWriteOncePod access mode/);
});

test("a driver's limit of volumes per node is kept", async () => {
  await using bench = schedulerBench();
  await nodes(bench, "n1");
  await bench.client.for(CSI_NODES).create({
    metadata: { name: "n1" },
    spec: { drivers: [{ name: "d", nodeID: "n1", allocatable: { count: 1 } }] },
  });
  for (const name of ["x", "y"]) {
    const csi = { driver: "d", volumeHandle: name };
    await volume(bench, { name, storage: "1Gi", more: { csi } });
    await claim(bench, name, { volumeName: name });
    await complete(bench, name, name);
  }
  await bench.pod("a", using("x"));
  await settle();
  await bench.pod("again", using("x"));
  await bench.pod("other", using("y"));
  await settle();
  assert.equal(await bench.placeOf("again"), "n1");
  assert.equal(
    await reasonOf(bench, "other"),
    "0/1 nodes are available: 1 node(s) exceed max volume count",
  );
});

test("a volume is made only where its driver has room for it", async () => {
  await using bench = schedulerBench();
  await classOf(bench, "csi.example.com");
  await bench.client.for(CSI_DRIVERS).create({
    metadata: { name: "csi.example.com" },
    spec: { storageCapacity: true },
  });
  const capacity = (zone: string, more: object) =>
    bench.client.for(CSI_STORAGE_CAPACITIES).create({
      metadata: { name: zone, namespace: "csi" },
      storageClassName: "late",
      nodeTopology: { matchLabels: { [ZONE]: zone } },
      ...more,
    });
  await capacity("z1", { capacity: "100Gi", maximumVolumeSize: "512Mi" });
  await nodes(bench, "n1", "n2");
  await claim(bench, "a");
  await settle();
  await bench.pod("p", using("a"));
  await settle();
  assert.match(
    (await bench.podOf("p")).status?.conditions?.[0]?.message ?? "",
    /2 node\(s\) did not have enough free storage/,
  );
  await capacity("z2", { capacity: "1Gi" });
  await bench.clock.advance(2_000);
  const found = await bench.client.for(PERSISTENT_VOLUME_CLAIMS).get(at("a"));
  assert.equal(found.metadata?.annotations?.["volume.kubernetes.io/selected-node"], "n2");
  await volume(bench, { name: "made", storage: "1Gi" });
  await complete(bench, "a", "made");
  await settle();
  assert.equal(await bench.placeOf("p"), "n2");
});
