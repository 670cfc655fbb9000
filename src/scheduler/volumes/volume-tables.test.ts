import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume } from "../../api/generated/types/core-v1.ts";
import { createClient } from "../../client/resource-client.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import { type NodeShape, type PodShape, reasonsOf } from "../plugins/plugin-table-fixture.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";
import { volumeBinding } from "./volume-binding.ts";
import { VolumeCatalog } from "./volume-catalog.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";
import { volumeZone } from "./volume-zone.ts";

// Facts of upstream's plugin tests: claims, volumes, a node, and why a pod may not go there.

const using = (...claims: string[]): PodShape => ({
  spec: {
    volumes: claims.map((claimName) => ({
      name: claimName,
      persistentVolumeClaim: { claimName },
    })),
  },
});

interface Claim {
  /** Bound to it. */
  volume?: string;
  storageClass?: string;
  accessMode?: "ReadWriteOnce" | "ReadWriteOncePod";
  /** Its volume was lost. */
  lost?: true;
  /** The pod that it was made for. */
  owner?: string;
}

interface Storage {
  claims?: Record<string, Claim>;
  volumes?: Record<string, PersistentVolume>;
  /** Volumes that the driver d may have on n1. */
  limit?: number;
}

const ownedBy = (uid: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  name: uid,
  uid,
  controller: true,
});

function catalogOf({ claims = {}, volumes = {}, limit }: Storage): VolumeCatalog {
  const catalog = new VolumeCatalog();
  for (const [name, mode] of [
    ["now", "Immediate"],
    ["later", "WaitForFirstConsumer"],
  ] as const) {
    const provisioner = name === "now" ? "d" : "kubernetes.io/no-provisioner";
    catalog.classes.set(name, { metadata: { name }, provisioner, volumeBindingMode: mode });
  }
  for (const [name, claim] of Object.entries(claims)) {
    const { volume, storageClass = "later", accessMode, lost, owner } = claim;
    const annotations = volume ? { "pv.kubernetes.io/bind-completed": "yes" } : {};
    catalog.claims.set(`default/${name}`, {
      metadata: {
        name,
        namespace: "default",
        annotations,
        ...(owner ? { ownerReferences: [ownedBy(owner)] } : {}),
      },
      ...(lost ? { status: { phase: "Lost" } } : {}),
      spec: {
        storageClassName: storageClass,
        accessModes: [accessMode ?? "ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        ...(volume ? { volumeName: volume } : {}),
      },
    });
  }
  for (const [name, volume] of Object.entries(volumes)) {
    catalog.volumes.set(name, { ...volume, metadata: { ...volume.metadata, name } });
  }
  if (limit !== undefined) {
    const driver = { name: "d", nodeID: "n1", allocatable: { count: limit } };
    catalog.csiNodes.set("n1", { metadata: { name: "n1" }, spec: { drivers: [driver] } });
  }
  return catalog;
}

function check(
  name: string,
  of: { plugin: SchedulerPlugin; pod: PodShape; node: NodeShape; reasons: readonly string[] },
): void {
  test(`the filter of ${of.plugin.name}: ${name}`, () => {
    const question = { pod: of.pod, nodes: { n1: of.node } };
    assert.deepEqual(reasonsOf(of.plugin, question), of.reasons);
  });
}

const CONFLICT = "node(s) had volume node affinity conflict";
const NO_VOLUME = "node(s) didn't find available persistent volumes to bind";
const capacity = { storage: "1Gi" };
const inBar: PersistentVolume = {
  status: { phase: "Available" },
  spec: {
    capacity,
    accessModes: ["ReadWriteOnce"],
    storageClassName: "later",
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "foo", operator: "In", values: ["bar"] }] },
        ],
      },
    },
  },
};
const anywhere: PersistentVolume = { spec: { capacity } };
const bound = { a: { volume: "v" } };
const BINDING: [string, string[], Storage, Record<string, string>, string[]][] = [
  ["no claims", [], {}, {}, []],
  ["all are bound", ["a"], { claims: bound, volumes: { v: anywhere } }, {}, []],
  ["the claim is missing", ["a"], {}, {}, ['persistentvolumeclaim "a" not found']],
  [
    "one of two claims is missing",
    ["a", "b"],
    { claims: bound, volumes: { v: anywhere } },
    {},
    ['persistentvolumeclaim "b" not found'],
  ],
  [
    "a claim that does not wait is not bound",
    ["a"],
    { claims: { a: { storageClass: "now" } } },
    {},
    ["pod has unbound immediate PersistentVolumeClaims"],
  ],
  ["no volume for a claim that waits", ["a"], { claims: { a: {} } }, {}, [NO_VOLUME]],
  [
    "a volume for a claim that waits",
    ["a"],
    { claims: { a: {} }, volumes: { v: inBar } },
    { foo: "bar" },
    [],
  ],
  [
    "a volume for a claim that waits, elsewhere",
    ["a"],
    { claims: { a: {} }, volumes: { v: inBar } },
    { foo: "other" },
    [NO_VOLUME],
  ],
  [
    "one is bound elsewhere, the other has no volume",
    ["a", "b"],
    { claims: { ...bound, b: {} }, volumes: { v: inBar } },
    { foo: "barbar" },
    [CONFLICT, NO_VOLUME],
  ],
  [
    "the volume of the claim is gone",
    ["a"],
    { claims: bound },
    {},
    ["node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"],
  ],
  [
    "the claim lost its volume",
    ["a"],
    { claims: { a: { volume: "v", lost: true } } },
    {},
    ['persistentvolumeclaim "a" bound to non-existent persistentvolume "v"'],
  ],
  [
    "both claims are bound to volumes of the node",
    ["a", "b"],
    { claims: { a: { volume: "v" }, b: { volume: "w" } }, volumes: { v: inBar, w: inBar } },
    { foo: "bar" },
    [],
  ],
];
for (const [name, claims, storage, labels, reasons] of BINDING) {
  const client = createClient(new MemoryTransport());
  const deps = { client, clock: new VirtualClock(), catalog: catalogOf(storage) };
  check(name, { plugin: volumeBinding(deps), pod: using(...claims), node: { labels }, reasons });
}

/** A pod with a volume of its own, whose claim is to be "pod-0-data". */
const withOwn: PodShape = { spec: { volumes: [{ name: "data", ephemeral: {} }] } };
const OWN: [string, Record<string, Claim>, readonly string[]][] = [
  [
    "its claim is still to be made",
    {},
    [
      "waiting for ephemeral volume controller to create the persistentvolumeclaim " +
        '"pod-0-data"',
    ],
  ],
  [
    "somebody else's claim has its name",
    { "pod-0-data": { volume: "v", owner: "somebody" } },
    ["PVC default/pod-0-data was not created for pod default/pod-0 (pod is not owner)"],
  ],
  ["its claim is there", { "pod-0-data": { volume: "v", owner: "pod-0" } }, []],
];
for (const [name, claims, reasons] of OWN) {
  const client = createClient(new MemoryTransport());
  const catalog = catalogOf({ claims, volumes: { v: anywhere } });
  const plugin = volumeBinding({ client, clock: new VirtualClock(), catalog });
  check(`a volume of its own, ${name}`, { plugin, pod: withOwn, node: {}, reasons });
}

const ZONE = "topology.kubernetes.io/zone";
const REGION = "topology.kubernetes.io/region";
const OLD_ZONE = "failure-domain.beta.kubernetes.io/zone";
const OLD_REGION = "failure-domain.beta.kubernetes.io/region";
const NO_CLASS = "PersistentVolumeClaim had no pv name and storageClass name";
const NOT_THERE = ["node(s) had no available volume zone"];
type Labels = Record<string, string>;
const ZONES: [string, Labels | undefined, Labels, readonly string[]][] = [
  ["no volume", undefined, { [OLD_ZONE]: "us-west1-a" }, []],
  ["a node without zones", { [OLD_ZONE]: "us-west1-a" }, {}, []],
  ["a node with a host name only", { [ZONE]: "us-west1-a" }, { host: "a" }, []],
  ["the old zone", { [OLD_ZONE]: "us-west1-a" }, { [OLD_ZONE]: "us-west1-a", more: "" }, []],
  ["another old zone", { [OLD_ZONE]: "us-west1-a" }, { [OLD_ZONE]: "no" }, NOT_THERE],
  ["the old region", { [OLD_REGION]: "us-west1" }, { [OLD_REGION]: "us-west1" }, []],
  ["another old region", { [OLD_REGION]: "us-west1" }, { [OLD_REGION]: "no" }, NOT_THERE],
  ["the zone", { [ZONE]: "us-west1-a" }, { [ZONE]: "us-west1-a" }, []],
  ["another zone", { [ZONE]: "us-west1-a" }, { [ZONE]: "us-west1-b" }, NOT_THERE],
  ["the region", { [REGION]: "us-west1" }, { [REGION]: "us-west1" }, []],
  ["another region", { [REGION]: "us-west1" }, { [REGION]: "no" }, NOT_THERE],
  [
    "one of two old zones",
    { [OLD_ZONE]: "us-west1-c__us-west1-a" },
    { [OLD_ZONE]: "us-west1-a" },
    [],
  ],
  ["one of two zones", { [ZONE]: "us-west1-c__us-west1-a" }, { [ZONE]: "us-west1-a" }, []],
  ["none of two zones", { [ZONE]: "us-west1-c__us-west1-a" }, { [ZONE]: "us-west1-b" }, NOT_THERE],
  ["an old volume on a new node", { [OLD_ZONE]: "us-west1-a" }, { [ZONE]: "us-west1-a" }, []],
  ["an old volume elsewhere", { [OLD_ZONE]: "us-west1-a" }, { [ZONE]: "us-west1-b" }, NOT_THERE],
  [
    "a new volume on an old node",
    { [ZONE]: "us-west1-a" },
    { [OLD_ZONE]: "us-west1-a" },
    NOT_THERE,
  ],
  ["a list with a gap says nothing", { [ZONE]: "us-west1-b__" }, { [ZONE]: "us-west1-a" }, []],
  [
    "the zone in another region",
    { [ZONE]: "a", [REGION]: "r" },
    { [ZONE]: "a", [REGION]: "s" },
    NOT_THERE,
  ],
];
for (const [name, volume, labels, reasons] of ZONES) {
  const catalog = catalogOf({
    claims: bound,
    volumes: { v: { ...anywhere, metadata: volume ? { labels: volume } : {} } },
  });
  const pod = volume ? using("a") : {};
  check(name, { plugin: volumeZone(catalog), pod, node: { labels }, reasons });
}

const UNPLACED: [string, Claim | undefined, string[]][] = [
  ["a claim without volume and class", { storageClass: "" }, [NO_CLASS]],
  [
    "a claim of an unknown class",
    { storageClass: "none" },
    ['storageclasses.storage.k8s.io "none" not found'],
  ],
  [
    "a claim of a class without a mode",
    { storageClass: "vague" },
    ['VolumeBindingMode not set for StorageClass "vague"'],
  ],
  [
    "a claim that should have its volume",
    { storageClass: "now" },
    ["PersistentVolume had no name"],
  ],
  ["a claim that waits for its pod", { storageClass: "later" }, []],
  ["a claim whose volume is gone", { volume: "gone" }, ['persistentvolume "gone" not found']],
  ["a missing claim", undefined, ['persistentvolumeclaim "a" not found']],
];
for (const [name, claim, reasons] of UNPLACED) {
  const catalog = catalogOf({ claims: claim ? { a: claim } : {} });
  catalog.classes.set("vague", { metadata: { name: "vague" }, provisioner: "d" });
  const node = { labels: { [ZONE]: "us-west1-a" } };
  check(name, { plugin: volumeZone(catalog), pod: using("a"), node, reasons });
}

const ofDriver = (volumeHandle: string, driver = "d"): PersistentVolume => ({
  spec: { capacity, csi: { driver, volumeHandle } },
});
const five: Storage = {
  claims: {
    ...Object.fromEntries(["a", "b", "c", "e"].map((name) => [name, { volume: `v-${name}` }])),
    copy: { volume: "v-copy" },
    made: { storageClass: "now" },
    astray: { volume: "gone", storageClass: "now" },
    classless: { storageClass: "none" },
    plain: { volume: "v-plain" },
    "pod-1-data": { storageClass: "now", owner: "pod-1" },
  },
  volumes: {
    "v-a": ofDriver("a"),
    "v-b": ofDriver("b"),
    "v-c": ofDriver("c"),
    "v-e": ofDriver("e", "other"),
    "v-copy": ofDriver("a"),
    "v-plain": anywhere,
  },
};
const TOO_MANY = ["node(s) exceed max volume count"];
const LIMITS: [string, string[], string[][], number | undefined, readonly string[]][] = [
  ["room for one more", ["a"], [["b"]], 2, []],
  ["no room", ["a"], [["b"], ["c"]], 2, TOO_MANY],
  ["the volume is there already", ["a"], [["a"], ["b"]], 2, []],
  ["the same volume by another claim", ["copy"], [["a"], ["b"]], 2, []],
  ["two volumes at once", ["a", "b"], [["c"]], 2, TOO_MANY],
  ["a volume of another driver", ["e"], [["a"], ["b"]], 2, []],
  ["volumes of another driver there", ["a"], [["e"], ["b"]], 2, []],
  ["one that is still to be made", ["made"], [["a"], ["b"]], 2, TOO_MANY],
  ["one that is being made for another pod", ["a"], [["made"], ["b"]], 2, TOO_MANY],
  ["one claim of two pods, still to be made, counts once", ["a"], [["made"], ["made"]], 2, []],
  ["a claim whose volume is gone counts by its class", ["a"], [["astray"], ["b"]], 2, TOO_MANY],
  ["a claim of an unknown class does not count", ["a"], [["classless"], ["b"]], 2, []],
  ["a volume without a driver does not count", ["a"], [["plain"], ["b"]], 2, []],
  ["more there than may be, and nothing asked for", [], [["a"], ["b"], ["c"]], 2, []],
  ["no limit is known", ["a"], [["b"], ["c"]], undefined, []],
  ["a limit of none", ["a"], [], 0, TOO_MANY],
];
for (const [name, wanted, there, limit, reasons] of LIMITS) {
  const catalog = catalogOf({ ...five, ...(limit === undefined ? {} : { limit }) });
  const node = { pods: there.map((claims) => using(...claims)) };
  check(name, { plugin: nodeVolumeLimits(catalog), pod: using(...wanted), node, reasons });
}

const LEFT: [string, string[], string[], string[][], readonly string[]][] = [
  ["no pod is there, two are attached", ["c"], ["v-a", "v-b"], [], TOO_MANY],
  ["no pod is there, one is attached", ["c"], ["v-a"], [], []],
  ["what is attached is of the pod that is there", ["c"], ["v-a"], [["a"]], []],
  ["one is attached, and a pod with another is there", ["c"], ["v-a"], [["b"]], TOO_MANY],
  ["the volume itself is still attached", ["a"], ["v-a", "v-b"], [], []],
  ["what is attached is of another driver", ["c"], ["v-a", "v-e"], [], []],
  ["what is attached is unknown", ["c"], ["v-a", "gone"], [], []],
];
for (const [name, wanted, attached, there, reasons] of LEFT) {
  const catalog = catalogOf({ ...five, limit: 2 });
  for (const volume of attached) {
    const source = { persistentVolumeName: volume };
    catalog.attachments.set(volume, { spec: { attacher: "d", nodeName: "n1", source } });
  }
  const node = { pods: there.map((claims) => using(...claims)) };
  check(name, { plugin: nodeVolumeLimits(catalog), pod: using(...wanted), node, reasons });
  test(`the filter of NodeVolumeLimits, when all is detached: ${name}`, () => {
    for (const volume of attached) catalog.attachments.delete(volume);
    const plugin = nodeVolumeLimits(catalog);
    assert.deepEqual(reasonsOf(plugin, { pod: using(...wanted), nodes: { n1: node } }), []);
  });
}

test("the filter of NodeVolumeLimits: a volume of its own counts", () => {
  const pod: PodShape = { spec: { volumes: [{ name: "data", ephemeral: {} }] } };
  const nodes = { n1: { pods: [using("a")] } };
  const reasons = (limit: number) =>
    reasonsOf(nodeVolumeLimits(catalogOf({ ...five, limit })), { pod, nodes });
  assert.deepEqual(reasons(1), TOO_MANY);
  assert.deepEqual(reasons(2), []);
});

const ONE_POD = [
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
];
const SINGLE: [string, Claim["accessMode"], PodShape[], readonly string[]][] = [
  ["for one pod, nobody uses it", "ReadWriteOncePod", [], []],
  ["for one pod, somebody uses it", "ReadWriteOncePod", [using("a")], ONE_POD],
  ["for one pod, others use others", "ReadWriteOncePod", [using("b")], []],
  ["for one pod, somebody uses it and another", "ReadWriteOncePod", [using("a", "b")], ONE_POD],
  ["for one node, somebody uses it", "ReadWriteOnce", [using("a")], []],
  ["of that name elsewhere", "ReadWriteOncePod", [{ ...using("a"), namespace: "other" }], []],
];
for (const [name, accessMode, pods, reasons] of SINGLE) {
  const claim = { volume: "v", ...(accessMode ? { accessMode } : {}) };
  const plugin = volumeRestrictions(catalogOf({ claims: { a: claim, b: claim } }));
  check(name, { plugin, pod: using("a"), node: { pods }, reasons });
}
