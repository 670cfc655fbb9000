import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import type { StorageClass } from "../../api/generated/types/storage-v1.ts";
import { isTerminating, uidOf } from "../ownership.ts";
import { LOCAL_PROVISIONER, SELECTED_NODE } from "./contract.ts";
import { bestVolume, classOf, isPromisedTo, mismatch } from "./volume-match.ts";

/** Set on a claim once both sides of its binding are written. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** Whoever set the reference was this controller, which may take it back. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";

/** What is known when a claim is looked at. */
export interface ClaimFacts {
  claim: PersistentVolumeClaim;
  volumes: readonly PersistentVolume[];
  storageClass: StorageClass | undefined;
  /** Node of a pod that already runs, or is bound to run, with the claim. */
  consumerNode: string | undefined;
  /** Names of pods that wait for a node with the claim. */
  waitingPods: readonly string[];
  /** Of nodes that exist. */
  nodeNames: readonly string[];
}

/** The next thing to do for a claim. */
export type ClaimStep =
  | { do: "nothing" }
  | { do: "bind"; volume: PersistentVolume }
  /** Bound: what the status says follows the volume. */
  | { do: "follow"; volume: PersistentVolume }
  | { do: "lose"; reason: string; message: string }
  | { do: "provision"; node: string }
  /** Somebody else's provisioner is told by an annotation. */
  | { do: "ask"; provisioner: string }
  /** The chosen node is gone: the scheduler has to choose anew. */
  | { do: "unselect" }
  | { do: "wait"; type: "Normal" | "Warning"; reason: string; message: string };

/** Decides what a claim needs. Pure. */
export function planClaim(facts: ClaimFacts): ClaimStep {
  const { claim } = facts;
  if (claim.metadata?.annotations?.[BIND_COMPLETED]) return planBound(facts);
  if (isTerminating(claim)) return { do: "nothing" };
  if (claim.spec?.volumeName) return planNamed(facts, claim.spec.volumeName);
  const { storageClass } = facts;
  const waits = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const volume = bestVolume(claim, facts.volumes, { promisedOnly: waits });
  if (volume) return { do: "bind", volume };
  return planProvision(facts, waits);
}

function planBound({ claim, volumes }: ClaimFacts): ClaimStep {
  const name = claim.spec?.volumeName ?? "";
  const isLost = "Data on the volume is lost!";
  if (!name) {
    const message = `Bound claim has lost reference to PersistentVolume. ${isLost}`;
    return { do: "lose", reason: "ClaimLost", message };
  }
  const volume = volumes.find(({ metadata }) => metadata?.name === name);
  if (!volume) {
    const message = `Bound claim has lost its PersistentVolume. ${isLost}`;
    return { do: "lose", reason: "ClaimLost", message };
  }
  if (!volume.spec?.claimRef || isPromisedTo(volume, claim)) {
    const complete = volume.spec?.claimRef?.uid === uidOf(claim);
    return complete ? { do: "follow", volume } : { do: "bind", volume };
  }
  const message = "Two claims are bound to the same volume, this one is bound incorrectly";
  return { do: "lose", reason: "ClaimMisbound", message };
}

/** Of a volume that its user named: labels may differ, all else must fit. */
function planNamed({ claim, volumes }: ClaimFacts, name: string): ClaimStep {
  const volume = volumes.find(({ metadata }) => metadata?.name === name);
  if (!volume) return { do: "nothing" };
  if (isPromisedTo(volume, claim)) return { do: "bind", volume };
  if (volume.spec?.claimRef) {
    const message = `volume "${name}" already bound to a different claim.`;
    return { do: "wait", type: "Warning", reason: "FailedBinding", message };
  }
  const why = mismatch(volume, claim);
  if (why === undefined) return { do: "bind", volume };
  const message = `Cannot bind to requested volume "${name}": ${why}`;
  return { do: "wait", type: "Warning", reason: "VolumeMismatch", message };
}

function planProvision(facts: ClaimFacts, waits: boolean): ClaimStep {
  const { claim, storageClass } = facts;
  const name = classOf(claim);
  if (!storageClass) {
    if (!name) {
      const message = "no persistent volumes available for this claim and no storage class is set";
      return { do: "wait", type: "Normal", reason: "FailedBinding", message };
    }
    const message = `storageclass.storage.k8s.io "${name}" not found`;
    return { do: "wait", type: "Warning", reason: "ProvisioningFailed", message };
  }
  const selected = claim.metadata?.annotations?.[SELECTED_NODE] ?? facts.consumerNode;
  if (waits && selected === undefined) return waitForConsumer(facts.waitingPods);
  const { provisioner } = storageClass;
  if (provisioner === "kubernetes.io/no-provisioner") {
    const message = "no volume plugin matched name: kubernetes.io/no-provisioner";
    return { do: "wait", type: "Warning", reason: "ProvisioningFailed", message };
  }
  if (provisioner !== LOCAL_PROVISIONER) return { do: "ask", provisioner };
  return planLocal(facts, selected);
}

function waitForConsumer(pods: readonly string[]): ClaimStep {
  if (pods.length === 0) {
    const message = "waiting for first consumer to be created before binding";
    return { do: "wait", type: "Normal", reason: "WaitForFirstConsumer", message };
  }
  const message = `waiting for ${pods.length > 1 ? "pods" : "pod"} ${pods.join(",")} to be scheduled`;
  return { do: "wait", type: "Normal", reason: "WaitForPodScheduled", message };
}

function planLocal({ claim, nodeNames }: ClaimFacts, selected: string | undefined): ClaimStep {
  const fail = (message: string): ClaimStep => {
    return { do: "wait", type: "Warning", reason: "ProvisioningFailed", message };
  };
  if (claim.spec?.volumeMode === "Block") {
    return fail(`Cannot make a block device: "${LOCAL_PROVISIONER}" provides directories`);
  }
  if (claim.spec?.dataSource ?? claim.spec?.dataSourceRef) {
    return fail(`Cannot fill a volume: "${LOCAL_PROVISIONER}" knows no data sources`);
  }
  if (selected !== undefined) {
    return nodeNames.includes(selected) ? { do: "provision", node: selected } : { do: "unselect" };
  }
  const [only, ...more] = nodeNames;
  if (only !== undefined && more.length === 0) return { do: "provision", node: only };
  return fail(
    `Cannot choose a node for the volume: use a class with volumeBindingMode WaitForFirstConsumer`,
  );
}
