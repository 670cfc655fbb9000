import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumePhase,
} from "../../api/generated/types/core-v1.ts";
import type { StorageClass } from "../../api/generated/types/storage-v1.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type ClaimStep, planClaim } from "./claim-plan.ts";
import { LOCAL_PROVISIONER, SELECTED_NODE } from "./contract.ts";
import { PROVISIONED_BY } from "./local-volume.ts";
import { planVolume, type VolumePlan } from "./volume-plan.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

interface VolumeShape {
  size?: string;
  /** UID of the claim it is promised to, "" for a promise by name alone. */
  claim?: string;
  /** Name of that claim. */
  to?: string;
  class?: string;
  phase?: PersistentVolumePhase;
  block?: boolean;
  labels?: Record<string, string>;
  annotations?: string[];
  leaving?: boolean;
  policy?: "Retain" | "Delete" | "Recycle";
  provisioner?: string;
}

function volume(name: string, shape: VolumeShape = {}): PersistentVolume {
  const { size = "1Gi", claim, to = "claim", annotations = [], provisioner } = shape;
  const claimRef = { namespace: "default", name: to, ...(claim ? { uid: claim } : {}) };
  return {
    metadata: {
      name,
      labels: shape.labels ?? {},
      annotations: {
        ...Object.fromEntries(annotations.map((one) => [one, "yes"])),
        ...(provisioner ? { [PROVISIONED_BY]: provisioner } : {}),
      },
      ...(shape.leaving ? { deletionTimestamp: "2030-01-01T00:00:00Z" } : {}),
    },
    spec: {
      capacity: { storage: size },
      accessModes: ["ReadWriteOnce", "ReadOnlyMany"],
      nfs: { server: "192.0.2.1", path: "/" },
      persistentVolumeReclaimPolicy: shape.policy ?? "Retain",
      ...(claim === undefined ? {} : { claimRef }),
      ...(shape.class ? { storageClassName: shape.class } : {}),
      ...(shape.block ? { volumeMode: "Block" } : {}),
    },
    status: { phase: shape.phase ?? "Available" },
  };
}

interface ClaimShape {
  size?: string;
  names?: string;
  class?: string;
  complete?: boolean;
  block?: boolean;
  labels?: Record<string, string>;
  selected?: string;
  modes?: ("ReadWriteOnce" | "ReadWriteMany")[];
}

function claim(shape: ClaimShape = {}): PersistentVolumeClaim {
  return {
    metadata: {
      name: "claim",
      namespace: "default",
      uid: "uid",
      annotations: {
        ...(shape.complete ? { [BIND_COMPLETED]: "yes" } : {}),
        ...(shape.selected ? { [SELECTED_NODE]: shape.selected } : {}),
      },
    },
    spec: {
      accessModes: shape.modes ?? ["ReadWriteOnce"],
      resources: { requests: { storage: shape.size ?? "1Gi" } },
      storageClassName: shape.class ?? "",
      ...(shape.names ? { volumeName: shape.names } : {}),
      ...(shape.block ? { volumeMode: "Block" } : {}),
      ...(shape.labels ? { selector: { matchLabels: shape.labels } } : {}),
    },
  };
}

const CLASSES: Readonly<Record<string, StorageClass>> = {
  wait: { provisioner: "example.com/disks", volumeBindingMode: "WaitForFirstConsumer" },
  gold: { provisioner: "example.com/disks" },
  none: { provisioner: "kubernetes.io/no-provisioner" },
};

/** "bind v", "lose ClaimLost", "wait FailedBinding" and the like. */
function told(step: ClaimStep): string {
  if (step.do === "bind" || step.do === "follow") return `${step.do} ${step.volume.metadata?.name}`;
  if (step.do === "lose" || step.do === "wait") return `${step.do} ${step.reason}`;
  return step.do;
}

const SSD = { disk: "ssd" };
const claims: [title: string, of: ClaimShape, volumes: PersistentVolume[], step: string][] = [
  ["a volume fits", {}, [volume("v")], "bind v"],
  ["none fits", { size: "10Gi" }, [volume("v")], "wait FailedBinding"],
  [
    "the smallest is taken",
    { size: "2Gi" },
    [volume("large", { size: "10Gi" }), volume("v", { size: "5Gi" }), volume("small")],
    "bind v",
  ],
  [
    "one is promised by name",
    {},
    [volume("large", { size: "10Gi", claim: "" }), volume("small")],
    "bind large",
  ],
  [
    "one is promised",
    {},
    [volume("large", { size: "10Gi", claim: "uid" }), volume("small")],
    "bind large",
  ],
  ["one is promised to another", {}, [volume("v", { claim: "other" })], "wait FailedBinding"],
  ["half bound", {}, [volume("v", { claim: "uid", annotations: [BOUND_BY_CONTROLLER] })], "bind v"],
  ["labels fit", { labels: SSD }, [volume("a"), volume("v", { labels: SSD })], "bind v"],
  ["labels differ", { labels: SSD }, [volume("v")], "wait FailedBinding"],
  [
    "it waits for a pod",
    { class: "wait" },
    [volume("v", { class: "wait" })],
    "wait WaitForFirstConsumer",
  ],
  [
    "it waits, and was promised one",
    { class: "wait", selected: "node1" },
    [volume("v", { class: "wait", claim: "uid" })],
    "bind v",
  ],
  [
    "none is free",
    {},
    (["Pending", "Failed", "Released"] as const).map((phase) => volume(phase, { phase })),
    "wait FailedBinding",
  ],
  ["names one that is not there", { names: "v" }, [], "nothing"],
  ["names a free one", { names: "v" }, [volume("v")], "bind v"],
  ["names one promised by name", { names: "v" }, [volume("v", { claim: "" })], "bind v"],
  ["names one promised to it", { names: "v" }, [volume("v", { claim: "uid" })], "bind v"],
  ["names one of another", { names: "v" }, [volume("v", { claim: "o" })], "wait FailedBinding"],
  ["names one of other labels", { names: "v", labels: SSD }, [volume("v")], "bind v"],
  [
    "names one that is too small",
    { names: "v", size: "2Gi" },
    [volume("v")],
    "wait VolumeMismatch",
  ],
  ["names one of a class", { names: "v" }, [volume("v", { class: "gold" })], "wait VolumeMismatch"],
  ["names one that goes", { names: "v" }, [volume("v", { leaving: true })], "wait VolumeMismatch"],
  [
    "names one of other modes",
    { names: "v", modes: ["ReadWriteMany"] },
    [volume("v")],
    "wait VolumeMismatch",
  ],
  ["bound, without a name", { complete: true }, [], "lose ClaimLost"],
  ["bound, without the volume", { complete: true, names: "v" }, [], "lose ClaimLost"],
  ["bound, the volume is free", { complete: true, names: "v" }, [volume("v")], "bind v"],
  ["bound, by name", { complete: true, names: "v" }, [volume("v", { claim: "" })], "bind v"],
  ["bound", { complete: true, names: "v" }, [volume("v", { claim: "uid" })], "follow v"],
  [
    "bound, the volume is another's",
    { complete: true, names: "v" },
    [volume("v", { claim: "other" })],
    "lose ClaimMisbound",
  ],
  ["bound, labels differ", { complete: true, names: "v", labels: SSD }, [volume("v")], "bind v"],
  [
    "of a class",
    { class: "gold" },
    [volume("a"), volume("v", { class: "gold" }), volume("b", { class: "wait" })],
    "bind v",
  ],
  ["of no class", {}, [volume("a", { class: "gold" }), volume("v", { size: "5Gi" })], "bind v"],
  ["of a class that has none", { class: "gold" }, [volume("v")], "ask"],
  ["of a class that is not there", { class: "lost" }, [], "wait ProvisioningFailed"],
  ["of a class without provisioner", { class: "none" }, [], "wait ProvisioningFailed"],
  ["a block device", { block: true }, [volume("a"), volume("v", { block: true })], "bind v"],
  ["a file system", {}, [volume("a", { block: true }), volume("v")], "bind v"],
  ["no block device", { block: true }, [volume("v")], "wait FailedBinding"],
  ["no file system", {}, [volume("v", { block: true })], "wait FailedBinding"],
  ["names a block device", { names: "v" }, [volume("v", { block: true })], "wait VolumeMismatch"],
  ["names a file system", { names: "v", block: true }, [volume("v")], "wait VolumeMismatch"],
  [
    "names a block device, as it asks for",
    { names: "v", block: true },
    [volume("v", { block: true })],
    "bind v",
  ],
];
for (const [title, shape, volumes, step] of claims) {
  test(`a claim: ${title}`, () => {
    const found = planClaim({
      claim: claim(shape),
      volumes,
      storageClass: CLASSES[shape.class ?? ""],
      consumerNode: undefined,
      waitingPods: [],
      nodeNames: ["node1"],
    });
    assert.equal(told(found), step);
  });
}

test("a claim that waits tells which pods wait with it", () => {
  const message = (waitingPods: string[]) => {
    const step = planClaim({
      claim: claim({ class: "wait" }),
      volumes: [],
      storageClass: CLASSES["wait"],
      consumerNode: undefined,
      waitingPods,
      nodeNames: [],
    });
    return step.do === "wait" ? `${step.reason}: ${step.message}` : step.do;
  };
  assert.equal(message(["a"]), "WaitForPodScheduled: waiting for pod a to be scheduled");
  assert.equal(message(["a", "b"]), "WaitForPodScheduled: waiting for pods a,b to be scheduled");
});

const BOUND = claim({ names: "v" });
const volumes: [
  title: string,
  of: VolumeShape,
  claim: PersistentVolumeClaim | undefined,
  plan: VolumePlan,
][] = [
  ["free", {}, undefined, { phase: "Available" }],
  ["promised by name", { claim: "" }, undefined, { phase: "Available" }],
  ["its claim is gone", { claim: "uid" }, undefined, { phase: "Released" }],
  ["its claim was made anew", { claim: "old" }, BOUND, { phase: "Released" }],
  ["its claim is bound", { claim: "uid" }, BOUND, { phase: "Bound" }],
  [
    "its claim is bound, to be deleted",
    { claim: "uid", policy: "Delete" },
    BOUND,
    { phase: "Bound" },
  ],
  [
    "its claim went elsewhere",
    { claim: "uid", annotations: [BOUND_BY_CONTROLLER] },
    claim({ names: "x" }),
    { phase: "Available", act: "unbind" },
  ],
  [
    "its claim went elsewhere, promised by a user",
    { claim: "uid" },
    claim({ names: "x" }),
    { phase: "Available", act: "unname" },
  ],
  [
    "made for a claim that went elsewhere",
    { claim: "uid", policy: "Delete", provisioner: LOCAL_PROVISIONER },
    claim({ names: "x" }),
    { phase: "Released", act: "delete" },
  ],
  [
    "made elsewhere for a claim that went elsewhere",
    { claim: "uid", policy: "Delete", provisioner: "example.com/disks" },
    claim({ names: "x" }),
    { phase: "Released" },
  ],
  [
    "to be deleted by its maker",
    { claim: "uid", policy: "Delete", provisioner: "example.com/disks" },
    undefined,
    { phase: "Released" },
  ],
  [
    "to be deleted by nobody",
    { claim: "uid", policy: "Delete" },
    undefined,
    {
      phase: "Failed",
      reason: "VolumeFailedDelete",
      message:
        'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
    },
  ],
  [
    "to be recycled by nobody",
    { claim: "uid", policy: "Recycle" },
    undefined,
    {
      phase: "Failed",
      reason: "VolumeFailedRecycle",
      message: "No recycler plugin found for the volume!",
    },
  ],
];
for (const [title, shape, of, plan] of volumes) {
  test(`a volume: ${title}`, () => {
    assert.deepEqual(planVolume(volume("v", shape), of), plan);
  });
}
