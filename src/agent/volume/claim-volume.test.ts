import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type {
  PersistentVolumeAccessMode,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from "../../api/generated/types/core-v1.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { followClaim } from "./claim-volume.ts";
import { giveSolelyUsed } from "./sole-use.ts";

const pod: Pod = { metadata: { name: "web", namespace: "default", uid: "u" } };
const volume: Volume = { name: "data", persistentVolumeClaim: { claimName: "data" } };
const REF = { namespace: "default", name: "data" };
const claimOf = (volumeName?: string): PersistentVolumeClaim => ({
  metadata: { ...REF },
  spec: volumeName === undefined ? {} : { volumeName },
});

interface Opening {
  annotations: Record<string, string>;
  accessModes: PersistentVolumeAccessMode[];
  podDirectory: string;
}

/** A node where the pod's volume is about to be opened; `outcome` is what became of that. */
async function opening(
  claim: PersistentVolumeClaim,
  { annotations = {}, accessModes, podDirectory = "" }: Partial<Opening> = {},
) {
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const made = await client.for(PERSISTENT_VOLUME_CLAIMS).create(claim);
  const claimRef = { ...REF, uid: made.metadata?.uid ?? "" };
  await client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: "v", annotations },
    spec: { claimRef, hostPath: { path: "/srv" }, ...(accessModes && { accessModes }) },
  });
  const sources = { client, clock, logger: silentLogger };
  const informers = createInformerFactory({ ...sources, random: seededRandom(1) });
  const opened = { hostPath: "/srv", readOnly: false };
  const files = {
    openHostPath: () => Promise.resolve(opened),
    openDirectory: () => Promise.resolve(opened),
  };
  const local = { open: () => Promise.resolve("/srv"), [Symbol.dispose]: () => {} };
  const ending = new AbortController();
  let retries = 0;
  const onChange = () => void retries++;
  const context = { informers, clock, ending: ending.signal, local, files, podDirectory, onChange };
  const followed = followClaim(context, { pod, volume });
  const seen: { outcome: string; groupId?: number | undefined } = { outcome: "open" };
  const done = followed.open().then(
    ({ hostPath, groupId }) => {
      seen.outcome = hostPath;
      seen.groupId = groupId;
    },
    (error: unknown) => (seen.outcome = (error as Error).message),
  );
  await settle();
  return {
    clock,
    seen,
    ending,
    retries: () => retries,
    async bind(volumeName = "v") {
      const claims = client.for(PERSISTENT_VOLUME_CLAIMS);
      await claims.patch(REF, { spec: { volumeName } });
      await claims.patch(REF, { status: { phase: "Bound" } }, { subresource: "status" });
      await settle();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done;
      followed[Symbol.dispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}

test("a claim that names its volume is waited for until it is bound", async () => {
  await using node = await opening(claimOf("v"));
  await node.clock.advance(500);
  assert.equal(node.seen.outcome, "open");
  await node.bind();
  assert.deepEqual([node.seen.outcome, node.retries()], ["/srv", 0]);
});

test("it is not waited for without an end", async () => {
  await using node = await opening(claimOf("v"));
  await node.clock.advance(2_000);
  assert.match(node.seen.outcome, /persistentvolumeclaim "data" is not bound/);
  await node.bind();
  assert.ok(node.retries() > 0, "a later change asks for another try");
});

test("a claim without a volume is not bound, and a pod that ends waits for none", async () => {
  await using unbound = await opening(claimOf());
  assert.match(unbound.seen.outcome, /is not bound/);
  await using node = await opening(claimOf("v"));
  node.ending.abort();
  await settle();
  assert.match(node.seen.outcome, /is not bound/);
});

test("a claim that is being deleted is of no use, unless it is protected", async () => {
  const deleted = claimOf("v");
  const metadata = { ...deleted.metadata, deletionTimestamp: "2026-01-02T03:04:05Z" };
  const others = ["example.com/other"];
  await using node = await opening({ ...deleted, metadata: { ...metadata, finalizers: others } });
  await node.bind();
  assert.match(node.seen.outcome, /"data" is being deleted/);
  const finalizers = ["kubernetes.io/pvc-protection"];
  await using kept = await opening({ ...deleted, metadata: { ...metadata, finalizers } });
  await kept.bind();
  assert.equal(kept.seen.outcome, "/srv");
});

test("a volume may name the group of those who use it", async () => {
  for (const [gid, groupId] of [
    ["777", 777],
    ["a", undefined],
    ["", undefined],
  ] as const) {
    await using node = await opening(claimOf("v"), {
      annotations: { "pv.beta.kubernetes.io/gid": gid },
    });
    await node.bind();
    assert.deepEqual([node.seen.outcome, node.seen.groupId], ["/srv", groupId]);
  }
});

test("a volume for one pod at a time is another's once the first one gave it back", async (t) => {
  const pods = mkdtempSync(path.join(tmpdir(), "nephos-sole-"));
  t.after(() => rmSync(pods, { recursive: true }));
  const outcomeOf = async (uid: string, ...accessModes: PersistentVolumeAccessMode[]) => {
    const podDirectory = path.join(pods, uid);
    mkdirSync(podDirectory, { recursive: true });
    await using node = await opening(claimOf("v"), { accessModes, podDirectory });
    await node.bind();
    return node.seen.outcome;
  };
  const taken = "volume uses the ReadWriteOncePod access mode and is already in use by another pod";
  assert.equal(await outcomeOf("first", "ReadWriteOncePod"), "/srv");
  assert.equal(await outcomeOf("second", "ReadWriteOncePod"), taken);
  // As after the death of an agent: what the first one has it keeps.
  assert.equal(await outcomeOf("first", "ReadWriteOncePod"), "/srv");
  assert.equal(await outcomeOf("second", "ReadWriteOnce"), "/srv");
  assert.equal(await outcomeOf("second", "ReadWriteOncePod", "ReadWriteMany"), "/srv");
  giveSolelyUsed(path.join(pods, "first"));
  giveSolelyUsed(path.join(pods, "first"));
  assert.equal(await outcomeOf("second", "ReadWriteOncePod"), "/srv");
  assert.equal(await outcomeOf("first", "ReadWriteOncePod"), taken);
});
