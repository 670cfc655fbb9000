import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { nodeOf, podOf, reasonsOf } from "../plugins/plugin-table-fixture.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { volumeBinding } from "./volume-binding.ts";
import { VolumeCatalog } from "./volume-catalog.ts";

// Facts of upstream's tests of the volume binder, Kubernetes 1.20 to 1.32, Apache-2.0: which volume
// each claim gets, which is to be made, and where there is room for it.

const CONFLICT = "node(s) had volume node affinity conflict";
const NO_VOLUME = "node(s) didn't find available persistent volumes to bind";
const NO_SPACE = "node(s) did not have enough free storage";
const GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNBOUND = "pod has unbound immediate PersistentVolumeClaims";
const KEY = "node-key";
const DONE = { "pv.kubernetes.io/bind-completed": "yes" };

type ClaimName = keyof typeof CLAIMS;
const claim = (
  size: string,
  storageClassName: string,
  more: { volumeName?: string; annotations?: Record<string, string> } = {},
): PersistentVolumeClaim => ({
  metadata: more.annotations ? { annotations: more.annotations } : {},
  spec: {
    storageClassName,
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: size } },
    ...(more.volumeName ? { volumeName: more.volumeName } : {}),
  },
});
const CLAIMS = {
  small: claim("1G", "wait"),
  large: claim("5G", "wait"),
  prebound: claim("1G", "wait", { volumeName: "v1a" }),
  bound: claim("1G", "wait", { volumeName: "bound", annotations: DONE }),
  immediate: claim("1G", "immediate"),
  immediateBound: claim("1G", "immediate", { volumeName: "elsewhere", annotations: DONE }),
  made: claim("1Gi", "made"),
  selected: claim("1Gi", "made", { annotations: { "volume.kubernetes.io/selected-node": "n1" } }),
  elsewhere: claim("1Gi", "made", { annotations: { "volume.kubernetes.io/selected-node": "n2" } }),
  mismatch: claim("1Gi", "mismatch"),
};
type VolumeName = keyof typeof VOLUMES;
const volume = (size: string, node?: string, bound = false): PersistentVolume => {
  const matchExpressions = [{ key: KEY, operator: "In" as const, values: [node ?? ""] }];
  return {
    status: { phase: bound ? "Bound" : "Available" },
    spec: {
      capacity: { storage: size },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "wait",
      ...(node
        ? { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } }
        : {}),
    },
  };
};
const VOLUMES = {
  v1a: volume("5G", "n1"),
  v1b: volume("10G", "n1"),
  v2: volume("1G", "n2"),
  bound: volume("1G", "n1", true),
  elsewhere: volume("1G", "n2", true),
};

function catalogOf(claims: readonly ClaimName[], volumes: readonly VolumeName[]): VolumeCatalog {
  const catalog = new VolumeCatalog();
  for (const [name, provisioner, late] of [
    ["wait", "kubernetes.io/no-provisioner", true],
    ["made", "csi.example.com", true],
    ["mismatch", "csi.example.com", true],
    ["immediate", "csi.example.com", false],
  ] as const) {
    const expressions = [{ key: KEY, values: ["n9"] }];
    catalog.classes.set(name, {
      metadata: { name },
      provisioner,
      volumeBindingMode: late ? "WaitForFirstConsumer" : "Immediate",
      ...(name === "mismatch"
        ? { allowedTopologies: [{ matchLabelExpressions: expressions }] }
        : {}),
    });
  }
  for (const name of claims) {
    const { metadata, spec } = CLAIMS[name];
    const own = { ...metadata, name, namespace: "default", uid: name };
    catalog.claims.set(`default/${name}`, { metadata: own, ...(spec ? { spec } : {}) });
  }
  for (const name of volumes) catalog.volumes.set(name, { ...VOLUMES[name], metadata: { name } });
  return catalog;
}

const pluginOf = (catalog: VolumeCatalog) => {
  const client = createClient(new MemoryTransport());
  return volumeBinding({ client, clock: new VirtualClock(), catalog });
};
const using = (claims: readonly ClaimName[]) => ({
  spec: {
    volumes: claims.map((claimName) => ({
      name: claimName,
      persistentVolumeClaim: { claimName },
    })),
  },
});
const node = { labels: { [KEY]: "n1" } };

/** "claim=volume" for each promise, "claim" alone for a volume that is to be made. */
function promisesOf(catalog: VolumeCatalog, claims: readonly ClaimName[]): string[] {
  const state = new ClusterState();
  state.setNode(nodeOf("n1", node));
  const pod = new ProfileTable().recordOf(podOf(using(claims), 0));
  const plugin = pluginOf(catalog);
  const filter = plugin.filter?.({ state, profile: pod.profile });
  assert.equal(filter?.begin(pod), true);
  assert.equal(filter.test(0), 0);
  assert.equal(plugin.reserve?.({ pod, node: "n1" }), undefined);
  return claims
    .flatMap((name) => {
      const promise = catalog.assumedOf(`default/${name}`);
      if (!promise) return [];
      return [promise.volume === undefined ? name : `${name}=${promise.volume}`];
    })
    .sort();
}

const PROMISED: [string, ClaimName[], VolumeName[], string[]][] = [
  ["nothing for a bound claim", ["bound"], ["bound"], []],
  ["the smallest that is on the node", ["small"], ["v2", "v1a", "v1b"], ["small=v1a"]],
  ["one for each", ["small", "large"], ["v1a", "v1b"], ["large=v1b", "small=v1a"]],
  [
    "the smallest claim chooses first",
    ["large", "small"],
    ["v1a", "v1b"],
    ["large=v1b", "small=v1a"],
  ],
  ["one beside a bound one", ["small", "bound"], ["bound", "v1a"], ["small=v1a"]],
  ["one to be made", ["made"], [], ["made"]],
  ["one to be made beside one that is there", ["small", "made"], ["v1a"], ["made", "small=v1a"]],
  ["one to be made beside a bound one", ["bound", "made"], ["bound"], ["made"]],
  ["one that is being made for the node", ["bound", "selected"], ["bound"], ["selected"]],
];
for (const [name, claims, volumes, expected] of PROMISED) {
  test(`VolumeBinding promises: ${name}`, () => {
    assert.deepEqual(promisesOf(catalogOf(claims, volumes), claims), expected);
  });
}

const REFUSED: [string, ClaimName[], VolumeName[], readonly string[]][] = [
  ["the volume is gone", ["bound"], [], [GONE]],
  ["a claim that names its volume", ["prebound"], ["v1a"], [UNBOUND]],
  ["all are elsewhere", ["small"], ["v2"], [NO_VOLUME]],
  ["one for two", ["small", "large"], ["v1a"], [NO_VOLUME]],
  ["one beside a bound one is elsewhere", ["small", "bound"], ["bound", "v2"], [NO_VOLUME]],
  ["one beside a claim that names its volume", ["small", "prebound"], ["v1a", "v1b"], [UNBOUND]],
  ["a bound one is elsewhere", ["immediateBound"], ["elsewhere"], [CONFLICT]],
  ["a claim that does not wait", ["immediate"], [], [UNBOUND]],
  ["one that does not wait, beside a bound one", ["immediate", "bound"], ["bound"], [UNBOUND]],
  ["one that does not wait, beside one that does", ["immediate", "small"], [], [UNBOUND]],
  ["nobody makes volumes", ["small"], [], [NO_VOLUME]],
  ["none is made for such nodes", ["mismatch"], [], [NO_VOLUME]],
  ["it is being made for another node", ["elsewhere"], [], [NO_VOLUME]],
];
for (const [name, claims, volumes, reasons] of REFUSED) {
  test(`VolumeBinding refuses: ${name}`, () => {
    const plugin = pluginOf(catalogOf(claims, volumes));
    assert.deepEqual(reasonsOf(plugin, { pod: using(claims), nodes: { n1: node } }), reasons);
  });
}

interface Room {
  on?: string;
  storageClassName?: string;
  capacity?: string;
  maximumVolumeSize?: string;
}
const ROOM: [string, Room[], readonly string[]][] = [
  ["everywhere", [{ capacity: "1Gi" }], []],
  ["on the node", [{ on: "n1", capacity: "1Gi" }], []],
  [
    "on several",
    [
      { on: "n2", capacity: "1Gi" },
      { on: "n1", capacity: "1Gi" },
    ],
    [],
  ],
  ["nowhere", [], [NO_SPACE]],
  ["on another", [{ on: "n2", capacity: "1Gi" }], [NO_SPACE]],
  ["of another class", [{ on: "n1", storageClassName: "wait", capacity: "1Gi" }], [NO_SPACE]],
  ["too little", [{ on: "n1", capacity: "1Mi" }], [NO_SPACE]],
  ["in too small pieces", [{ on: "n1", capacity: "1Gi", maximumVolumeSize: "1Mi" }], [NO_SPACE]],
  ["none", [{ on: "n1", capacity: "0Mi" }], [NO_SPACE]],
  ["in pieces of nothing", [{ on: "n1", maximumVolumeSize: "0Mi" }], [NO_SPACE]],
  ["nothing is told of it", [{ on: "n1" }], [NO_SPACE]],
];
for (const [name, rooms, reasons] of ROOM) {
  for (const storageCapacity of [true, false]) {
    const how = storageCapacity ? "which counts" : "which the driver does not publish";
    test(`VolumeBinding and room for a volume, ${how}: ${name}`, () => {
      const catalog = catalogOf(["made"], []);
      catalog.csiDrivers.set("csi.example.com", {
        metadata: { name: "csi.example.com" },
        spec: { storageCapacity },
      });
      for (const [at, { on, storageClassName = "made", ...room }] of rooms.entries()) {
        const nodeTopology = on ? { matchLabels: { [KEY]: on } } : {};
        catalog.capacities.set(`csi/${at}`, { storageClassName, nodeTopology, ...room });
      }
      const found = reasonsOf(pluginOf(catalog), { pod: using(["made"]), nodes: { n1: node } });
      assert.deepEqual(found, storageCapacity ? reasons : []);
    });
  }
}
