import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
} from "../../api/generated/resources.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { runController } from "../../client/controller-runner.ts";
import type { RecordedEvent } from "../../client/event-recorder.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { claimBinderController } from "./claim-binder-controller.ts";
import { LOCAL_PROVISIONER, SELECTED_NODE } from "./contract.ts";
import { ephemeralVolumeController } from "./ephemeral-volume-controller.ts";
import { claimProtectionController, volumeProtectionController } from "./protection-controllers.ts";
import { volumeController } from "./volume-controller.ts";
import { bestVolume } from "./volume-match.ts";

const DATA = { name: "data", namespace: "default" };

interface Bench extends AsyncDisposable {
  clock: VirtualClock;
  client: Client;
  memory: MemoryTransport;
  events: RecordedEvent[];
  claim(name?: string): Promise<PersistentVolumeClaim>;
  volume(name: string): Promise<PersistentVolume>;
}

function bench(): Bench {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const client = createClient(memory);
  const shared = { client, clock, random: seededRandom(3), logger: silentLogger };
  const informers = createInformerFactory(shared);
  const events: RecordedEvent[] = [];
  const deps = {
    ...shared,
    informers,
    events: { record: (one: RecordedEvent) => void events.push(one) },
  };
  const running = [
    claimBinderController(),
    volumeController(),
    claimProtectionController(),
    volumeProtectionController(),
    ephemeralVolumeController(),
  ].map((definition) => runController(definition, deps));
  return {
    clock,
    client,
    memory,
    events,
    claim: (name = "data") => client.for(PERSISTENT_VOLUME_CLAIMS).get({ ...DATA, name }),
    volume: (name) => client.for(PERSISTENT_VOLUMES).get({ name }),
    async [Symbol.asyncDispose]() {
      for (const one of running) await one[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}

const claimOf = (spec: Partial<PersistentVolumeClaimSpec> = {}): PersistentVolumeClaim => ({
  metadata: { ...DATA, finalizers: ["kubernetes.io/pvc-protection"] },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "",
    ...spec,
  },
});

const volumeOf = (name: string, spec: Partial<PersistentVolumeSpec> = {}): PersistentVolume => ({
  metadata: { name, finalizers: ["kubernetes.io/pv-protection"] },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: `/srv/${name}` },
    ...spec,
  },
  status: { phase: "Available" },
});

async function addLocalClass({ client }: Bench): Promise<void> {
  await client.for(STORAGE_CLASSES).create({
    metadata: { name: "local" },
    provisioner: LOCAL_PROVISIONER,
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Delete",
  });
  for (const name of ["a", "b"]) await client.for(NODES).create({ metadata: { name } });
}

test("the smallest volume that fits is chosen, a promised one before it", () => {
  const volumes = [
    volumeOf("large", { capacity: { storage: "9Gi" } }),
    volumeOf("fits", { capacity: { storage: "2Gi" } }),
    volumeOf("small", { capacity: { storage: "100Mi" } }),
    volumeOf("classed", { storageClassName: "fast" }),
    volumeOf("block", { volumeMode: "Block" }),
    volumeOf("read-only", { accessModes: ["ReadOnlyMany"] }),
    volumeOf("taken", { claimRef: { name: "other", namespace: "default", uid: "u" } }),
  ];
  const best = (more: PersistentVolume[] = [], claim = claimOf()) =>
    bestVolume(claim, [...volumes, ...more], { promisedOnly: false })?.metadata?.name;
  assert.equal(best(), "fits");
  assert.equal(best([], claimOf({ storageClassName: "fast" })), "classed");
  assert.equal(best([], claimOf({ selector: { matchLabels: { disk: "ssd" } } })), undefined);
  assert.equal(best([volumeOf("mine", { capacity: { storage: "20Gi" }, claimRef: DATA })]), "mine");
});

test("a claim is bound to a volume that fits, and the volume is kept when it goes", async () => {
  await using at = bench();
  await at.client.for(PERSISTENT_VOLUME_CLAIMS).create(claimOf());
  await at.clock.advance(1_000);
  assert.equal((await at.claim()).status?.phase ?? "Pending", "Pending");
  assert.equal(at.events[0]?.reason, "FailedBinding");
  await at.client.for(PERSISTENT_VOLUMES).create(volumeOf("one"));
  await at.clock.advance(1_000);
  const claim = await at.claim();
  assert.equal(claim.spec?.volumeName, "one");
  assert.equal(claim.status?.phase, "Bound");
  assert.deepEqual(claim.status.capacity, { storage: "1Gi" });
  assert.equal((await at.volume("one")).status?.phase, "Bound");
  const writes = () => at.memory.requests.filter(({ method }) => method !== "GET").length;
  const before = writes();
  await at.clock.advance(100_000);
  assert.equal(writes(), before, "nothing is left to do");
  await at.client.for(PERSISTENT_VOLUME_CLAIMS).delete(DATA);
  await at.clock.advance(1_000);
  assert.equal((await at.volume("one")).status?.phase, "Released");
});

test("two claims never share a volume", async () => {
  await using at = bench();
  for (const name of ["data", "more"]) {
    const claim = claimOf();
    await at.client
      .for(PERSISTENT_VOLUME_CLAIMS)
      .create({ ...claim, metadata: { ...claim.metadata, name } });
  }
  await at.client.for(PERSISTENT_VOLUMES).create(volumeOf("one"));
  await at.clock.advance(10_000);
  const claims = [await at.claim("data"), await at.claim("more")];
  assert.deepEqual(claims.map(({ spec }) => spec?.volumeName ?? "").toSorted(), ["", "one"]);
});

test("a local volume is made on the node of the first consumer, and deleted with its claim", async () => {
  await using at = bench();
  await addLocalClass(at);
  const claims = at.client.for(PERSISTENT_VOLUME_CLAIMS);
  await claims.create(claimOf({ storageClassName: "local" }));
  await at.clock.advance(1_000);
  assert.equal(at.events.at(-1)?.reason, "WaitForFirstConsumer");
  await claims.patch(DATA, { metadata: { annotations: { [SELECTED_NODE]: "gone" } } });
  await at.clock.advance(1_000);
  assert.equal((await at.claim()).metadata?.annotations?.[SELECTED_NODE], undefined);
  await claims.patch(DATA, { metadata: { annotations: { [SELECTED_NODE]: "b" } } });
  await at.clock.advance(1_000);
  const claim = await at.claim();
  const name = `pvc-${claim.metadata?.uid}`;
  assert.equal(claim.spec?.volumeName, name);
  const volume = await at.volume(name);
  assert.equal(volume.spec?.csi?.driver, LOCAL_PROVISIONER);
  const [term] = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  assert.deepEqual(term?.matchExpressions?.[0]?.values, ["b"]);
  assert.equal(volume.status?.phase, "Bound");
  await claims.delete(DATA);
  await at.clock.advance(1_000);
  await assert.rejects(at.volume(name), { reason: "NotFound" });
});

test("a claim stays while a pod on a node uses it", async () => {
  await using at = bench();
  await addLocalClass(at);
  const claims = at.client.for(PERSISTENT_VOLUME_CLAIMS);
  await claims.create(claimOf({ storageClassName: "local" }));
  await at.client.for(PODS).create({
    metadata: { name: "app", namespace: "default" },
    spec: {
      nodeName: "a",
      containers: [],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
    },
  });
  await at.clock.advance(1_000);
  assert.equal((await at.claim()).status?.phase, "Bound", "its node is where the pod is");
  await claims.delete(DATA);
  await at.clock.advance(1_000);
  assert.ok((await at.claim()).metadata?.deletionTimestamp);
  await at.client.for(PODS).delete({ name: "app", namespace: "default" });
  await at.clock.advance(1_000);
  await assert.rejects(at.claim(), { reason: "NotFound" });
});

test("a pod's ephemeral volume has a claim of its own, and no other's", async () => {
  await using at = bench();
  const template = { metadata: { labels: { tier: "x" } }, spec: claimOf().spec ?? {} };
  await at.client.for(PODS).create({
    metadata: { name: "app", namespace: "default", uid: "u-1" },
    spec: {
      containers: [],
      volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate: template } }],
    },
  });
  await at.clock.advance(1_000);
  const claim = await at.claim("app-scratch");
  assert.equal(claim.metadata?.ownerReferences?.[0]?.name, "app");
  assert.deepEqual(claim.metadata.labels, { tier: "x" });
  const stranger = claimOf();
  await at.client
    .for(PERSISTENT_VOLUME_CLAIMS)
    .create({ ...stranger, metadata: { ...stranger.metadata, name: "other-scratch" } });
  await at.client.for(PODS).create({
    metadata: { name: "other", namespace: "default" },
    spec: {
      containers: [],
      volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate: template } }],
    },
  });
  await at.clock.advance(1_000);
  const refusal = /was not created for pod default\/other/;
  assert.ok(at.events.some(({ message }) => refusal.test(message)));
});
