import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import type { Placement } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { SchedulerMetrics } from "../scheduler-metrics.ts";
import { bindVolumes } from "./bind-volumes.ts";
import { volumeBinding, type VolumeStage } from "./volume-binding.ts";
import { type AssumedClaim, SELECTED_NODE, VolumeCatalog } from "./volume-catalog.ts";

// The facts of these rows are upstream's (docs/conformance/scheduler-tables.md).

const NODE = { name: "node1", labels: { host: "node1" } };
const KEY = "default/data";
const STATIC: AssumedClaim = { volume: "v", node: "node1" };
const MADE: AssumedClaim = { volume: undefined, node: "node1" };

function volumeOn(host: string, claimUid?: string): PersistentVolume {
  const expression = { key: "host", operator: "In" as const, values: [host] };
  const claimRef = { namespace: "default", name: "data", uid: claimUid ?? "" };
  return {
    metadata: { name: "v" },
    spec: {
      ...(claimUid ? { claimRef } : {}),
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
      },
    },
  };
}

function claimOf(more: { volume?: string; complete?: boolean; selected?: string } = {}) {
  const { volume, complete = false, selected } = more;
  const annotations = {
    ...(complete ? { "pv.kubernetes.io/bind-completed": "yes" } : {}),
    ...(selected ? { [SELECTED_NODE]: selected } : {}),
  };
  return {
    metadata: { namespace: "default", name: "data", uid: "c", annotations },
    ...(volume ? { spec: { volumeName: volume } } : {}),
  } satisfies PersistentVolumeClaim;
}

/** What the cache comes to show after the promise was written. */
interface Turn {
  volume?: PersistentVolume | null;
  claim?: PersistentVolumeClaim | null;
}

const waiting = /still waits/;
const rows: [title: string, promise: AssumedClaim, turns: Turn[], outcome: RegExp | undefined][] = [
  [
    "bound already",
    STATIC,
    [{ volume: volumeOn("node1", "c"), claim: claimOf({ volume: "v", complete: true }) }],
    undefined,
  ],
  [
    "the claim names its volume, but is not bound",
    STATIC,
    [{ volume: volumeOn("node1", "c"), claim: claimOf({ volume: "v" }) }],
    waiting,
  ],
  ["the claim is not bound", STATIC, [{ volume: volumeOn("node1", "c") }], waiting],
  [
    "bound after a time",
    STATIC,
    [
      { volume: volumeOn("node1", "c") },
      { claim: claimOf({ volume: "v" }) },
      { claim: claimOf({ volume: "v", complete: true }) },
    ],
    undefined,
  ],
  ["the claim is gone", STATIC, [{ claim: null }], /"default\/data" is gone/],
  ["the volume is gone", STATIC, [{ volume: null }], /persistentvolume "v" is gone/],
  [
    "the volume lost its claim",
    STATIC,
    [{ volume: volumeOn("node1", "c") }, { volume: volumeOn("node1") }],
    /"v" was taken from its claim/,
  ],
  [
    "the volume has another claim",
    STATIC,
    [{ volume: volumeOn("node1", "c") }, { volume: volumeOn("node1", "other") }],
    /"v" was taken from its claim/,
  ],
  [
    "the volume does not fit the node",
    STATIC,
    [{ volume: volumeOn("node2", "c"), claim: claimOf({ volume: "v", complete: true }) }],
    /pv "v" node affinity doesn't match node "node1"/,
  ],
  [
    "a volume was made",
    MADE,
    [
      { claim: claimOf({ selected: "node1" }) },
      { volume: volumeOn("node1", "c") },
      { claim: claimOf({ selected: "node1", volume: "v", complete: true }) },
    ],
    undefined,
  ],
  ["a volume is being made", MADE, [{ claim: claimOf({ selected: "node1" }) }], waiting],
  [
    "a volume was made that is not known yet",
    MADE,
    [{ volume: null, claim: claimOf({ selected: "node1", volume: "v", complete: true }) }],
    waiting,
  ],
  [
    "the claim of a volume to be made is gone",
    MADE,
    [{ claim: claimOf({ selected: "node1" }) }, { claim: null }],
    /"default\/data" is gone/,
  ],
  [
    "nobody makes a volume for the node",
    MADE,
    [{ claim: claimOf({ selected: "node1" }) }, { claim: claimOf() }],
    /provisioning for persistentvolumeclaim "default\/data" failed/,
  ],
  [
    "a volume is made for another node",
    MADE,
    [{ claim: claimOf({ selected: "node1" }) }, { claim: claimOf({ selected: "wrong" }) }],
    /provisioning for persistentvolumeclaim "default\/data" failed/,
  ],
  [
    "a volume was made elsewhere",
    MADE,
    [
      { claim: claimOf({ selected: "node1" }) },
      {
        volume: volumeOn("node2", "c"),
        claim: claimOf({ selected: "node1", volume: "v", complete: true }),
      },
    ],
    /pv "v" node affinity doesn't match node "node1"/,
  ],
];

async function outcomeOf(promise: AssumedClaim, turns: readonly Turn[]) {
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const catalog = new VolumeCatalog();
  const volume = await client.for(PERSISTENT_VOLUMES).create(volumeOn("node1"));
  const claim = await client.for(PERSISTENT_VOLUME_CLAIMS).create(claimOf());
  catalog.volumes.set("v", volume);
  catalog.claims.set(KEY, claim);
  const sameClaim = (uid: string | undefined) => (uid === "c" ? claim.metadata?.uid : uid);
  let outcome: string | undefined;
  const promises = new Map([[KEY, promise]]);
  const pod = { name: "p" } as PodRecord;
  const of = { client, clock, catalog, promises, node: NODE, timeoutMs: 60_000 };
  const done = bindVolumes(pod, of).then(
    () => (outcome = "bound"),
    (error: unknown) => (outcome = (error as Error).message),
  );
  await settle();
  for (const turn of turns) {
    if (turn.volume === null) catalog.volumes.delete("v");
    else if (turn.volume) {
      const ref = turn.volume.spec?.claimRef;
      const uid = sameClaim(ref?.uid);
      const claimRef = ref && uid ? { claimRef: { ...ref, uid } } : {};
      catalog.volumes.set("v", { ...turn.volume, spec: { ...turn.volume.spec, ...claimRef } });
    }
    if (turn.claim === null) catalog.claims.delete(KEY);
    else if (turn.claim) {
      const uid = claim.metadata?.uid ?? "";
      catalog.claims.set(KEY, { ...turn.claim, metadata: { ...turn.claim.metadata, uid } });
    }
    catalog.changed();
    await settle();
  }
  const result = outcome ?? "still waits";
  await clock.advance(60_000);
  await done;
  return { result, last: outcome };
}

test("promises are kept, open or broken, row by row", async () => {
  for (const [title, promise, turns, expected] of rows) {
    const { result, last } = await outcomeOf(promise, turns);
    if (!expected) assert.equal(result, "bound", title);
    else assert.match(result, expected, title);
    if (expected === waiting) assert.match(last ?? "", /timed out/, title);
  }
});

test("of two promises whose writes fail nothing is waited for", async () => {
  const client = createClient(new MemoryTransport());
  const catalog = new VolumeCatalog();
  await client.for(PERSISTENT_VOLUMES).create(volumeOn("node1"));
  // As somebody changed it meanwhile.
  const stale = volumeOn("node1");
  catalog.volumes.set("v", { ...stale, metadata: { ...stale.metadata, resourceVersion: "0" } });
  catalog.claims.set(KEY, claimOf());
  const promises = new Map([[KEY, STATIC]]);
  const clock = new VirtualClock();
  const of = { client, clock, catalog, promises, node: NODE, timeoutMs: 60_000 };
  const error = await bindVolumes({ name: "p" } as PodRecord, of).catch(
    (thrown: unknown) => thrown,
  );
  assert.match(String(error), /modified/);
});

test("what keeps a pod from its node after the decision is counted", async () => {
  const client = createClient(new MemoryTransport());
  const catalog = new VolumeCatalog();
  const metrics = new SchedulerMetrics();
  const failed = (stage: VolumeStage) => metrics.volumesFailed(stage);
  const plugin = volumeBinding({ client, clock: new VirtualClock(), catalog, failed });
  const claimOf = { metadata: { namespace: "default", name: "c", uid: "u" }, spec: {} };
  catalog.claims.set("default/c", claimOf);
  catalog.assume("default/c", { node: "n", volume: "gone" });
  const pod = { namespace: "default", name: "p", profile: { claims: ["c"] } } as unknown;
  const placement: Placement = { pod: pod as PodRecord, node: "n" };
  await assert.rejects(async () => await plugin.preBind?.(placement));
  const family = metrics
    .families()
    .find(({ name }) => name === "scheduler_volume_scheduling_stage_error_total");
  assert.deepEqual(family?.samples, [{ labels: { operation: "bind" }, value: 1 }]);
});
