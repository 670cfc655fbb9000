import { isAlreadyExists } from "../../api/errors.ts";
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
  Pod,
} from "../../api/generated/types/core-v1.ts";
import type { Client, ObjectRef } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import type { ListerLookup } from "../../client/controller.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type ClaimStep, planClaim } from "./claim-plan.ts";
import { SELECTED_NODE } from "./contract.ts";
import { localVolume } from "./local-volume.ts";
import { claimNamesOf } from "./pod-claims.ts";
import { classOf } from "./volume-match.ts";

const PROVISIONER_ANNOTATIONS: readonly string[] = [
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/storage-provisioner",
];

const BY_CLAIM = "claim";

/** Finds, or has made, a volume for each claim, and keeps what claims say of theirs current. */
export function claimBinderController(): ControllerDefinition {
  return defineController({
    name: "persistentvolume-binder",
    // Two claims at once could choose the same volume; the loser would only have to try again.
    workers: 1,
    inputs: {
      claims: input(PERSISTENT_VOLUME_CLAIMS, (claim) => [refOf(claim)]),
      volumes: input(PERSISTENT_VOLUMES, (volume, listers) => [
        ...claimOf(volume),
        ...(volume.spec?.claimRef ? [] : waiting(listers, classOf(volume))),
      ]),
      classes: input(STORAGE_CLASSES, ({ metadata }, listers) =>
        waiting(listers, metadata?.name ?? ""),
      ),
      pods: input(PODS, claimsOf, { indexes: { [BY_CLAIM]: claimKeysOf } }),
      nodes: input(NODES, () => []),
    },
    outputs: [
      { resource: PERSISTENT_VOLUME_CLAIMS, verbs: ["patch"], subresources: ["status"] },
      { resource: PERSISTENT_VOLUMES, verbs: ["create", "patch"], subresources: ["status"] },
    ],
    async reconcile({ inputs, client, events }, key) {
      const claim = inputs.claims.get(key.namespace, key.name);
      if (!claim) return;
      const pods = inputs.pods.byIndex(BY_CLAIM, `${key.namespace}/${key.name}`);
      const storageClass = inputs.classes.get(undefined, classOf(claim));
      const nodes = inputs.nodes.list();
      const step = planClaim({
        claim,
        volumes: inputs.volumes.list(),
        storageClass,
        consumerNode: pods.map(({ spec }) => spec?.nodeName).find(Boolean),
        waitingPods: pods.flatMap((pod) =>
          pod.spec?.nodeName || isFinished(pod) ? [] : [pod.metadata?.name ?? ""],
        ),
        nodeNames: nodes.map(({ metadata }) => metadata?.name ?? ""),
      });
      const about = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: claim.metadata };
      await resetPhase(client, claim, step);
      if (step.do === "lose" && claim.status?.phase !== "Lost") {
        const { reason, message } = step;
        events.record({ about, type: "Warning", reason, message });
      }
      if (step.do === "wait") {
        const { type, reason, message } = step;
        return events.record({ about, type, reason, message });
      }
      if (step.do === "provision") {
        const node = nodes.find(({ metadata }) => metadata?.name === step.node);
        if (!node || !storageClass) return;
        if (!(await liveOwner(client, PERSISTENT_VOLUME_CLAIMS, claim)())) return;
        const volume = localVolume(claim, { storageClass, node });
        if (!(await created(client, volume))) return;
        const message = `Successfully provisioned volume ${volume.metadata?.name}`;
        return events.record({ about, type: "Normal", reason: "ProvisioningSucceeded", message });
      }
      if (step.do === "ask") {
        const message =
          "Waiting for a volume to be created either by the external provisioner " +
          `'${step.provisioner}' or manually by the system administrator. If volume creation is ` +
          "delayed, please verify that the provisioner is running and correctly registered.";
        events.record({ about, type: "Normal", reason: "ExternalProvisioning", message });
      }
      await perform(client, claim, step);
    },
  });
}

/** What says to be bound, and is not, is pending. */
async function resetPhase(
  client: Client,
  claim: PersistentVolumeClaim,
  { do: what }: ClaimStep,
): Promise<void> {
  const { phase = "Pending" } = claim.status ?? {};
  if (phase === "Pending" || isTerminating(claim) || !["wait", "nothing"].includes(what)) return;
  const status = { phase: "Pending", accessModes: null, capacity: null };
  await client
    .for(PERSISTENT_VOLUME_CLAIMS)
    .patch(refOf(claim), { status }, { subresource: "status" });
}

function claimOf({ spec }: PersistentVolume): ObjectRef[] {
  const { name, namespace } = spec?.claimRef ?? {};
  return name ? [{ name, namespace }] : [];
}

/** Claims of a class that have no volume yet. */
function waiting(listers: ListerLookup, className: string): ObjectRef[] {
  return listers
    .of(PERSISTENT_VOLUME_CLAIMS)
    .list()
    .filter((claim) => !claim.metadata?.annotations?.[BIND_COMPLETED])
    .filter((claim) => classOf(claim) === className)
    .map(refOf);
}

function claimsOf(pod: Pod): ObjectRef[] {
  return claimNamesOf(pod).map((name) => ({ name, namespace: pod.metadata?.namespace }));
}

function claimKeysOf(pod: Pod): string[] {
  return claimNamesOf(pod).map((name) => `${pod.metadata?.namespace}/${name}`);
}

async function created(client: Client, volume: PersistentVolume): Promise<boolean> {
  try {
    await client.for(PERSISTENT_VOLUMES).create(volume);
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

async function perform(
  client: Client,
  claim: PersistentVolumeClaim,
  step: ClaimStep,
): Promise<void> {
  const claims = client.for(PERSISTENT_VOLUME_CLAIMS);
  const ref = refOf(claim);
  const { resourceVersion, annotations = {} } = claim.metadata ?? {};
  switch (step.do) {
    case "bind":
      return await bind(client, claim, step.volume);
    case "follow":
      return await followVolume(client, claim, step.volume);
    case "lose":
      if (claim.status?.phase === "Lost") return;
      await claims.patch(
        ref,
        { status: { phase: "Lost", accessModes: null, capacity: null } },
        { subresource: "status" },
      );
      return;
    case "ask": {
      const wanted = PROVISIONER_ANNOTATIONS.map((name) => [name, step.provisioner] as const);
      if (wanted.every(([name, value]) => annotations[name] === value)) return;
      const metadata = { resourceVersion, annotations: Object.fromEntries(wanted) };
      await claims.patch(ref, { metadata });
      return;
    }
    case "unselect":
      await claims.patch(ref, {
        metadata: { resourceVersion, annotations: { [SELECTED_NODE]: null } },
      });
      return;
    default:
      return;
  }
}

/** The volume's side is written first: it is what two claims could fight for. */
async function bind(
  client: Client,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): Promise<void> {
  const reference = volume.spec?.claimRef;
  if (reference?.uid !== uidOf(claim)) {
    const claimRef = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      ...refOf(claim),
      uid: uidOf(claim),
    };
    const metadata = {
      resourceVersion: volume.metadata?.resourceVersion,
      ...(reference ? {} : { annotations: { [BOUND_BY_CONTROLLER]: "yes" } }),
    };
    await client.for(PERSISTENT_VOLUMES).patch(refOf(volume), { metadata, spec: { claimRef } });
  }
  const annotations = {
    [BIND_COMPLETED]: "yes",
    ...(claim.spec?.volumeName ? {} : { [BOUND_BY_CONTROLLER]: "yes" }),
  };
  const bound = await client.for(PERSISTENT_VOLUME_CLAIMS).patch(refOf(claim), {
    metadata: { resourceVersion: claim.metadata?.resourceVersion, annotations },
    spec: { volumeName: volume.metadata?.name },
  });
  await followVolume(client, bound, volume);
}

async function followVolume(
  client: Client,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): Promise<void> {
  const { accessModes = [], capacity = {} } = volume.spec ?? {};
  const { phase, accessModes: toldModes, capacity: toldCapacity } = claim.status ?? {};
  // Later the capacity is what has become of a wish to grow: whoever grows the claim tells it.
  const told = phase === "Bound" && toldCapacity ? toldCapacity : capacity;
  if (phase === "Bound" && deepEqual(accessModes, toldModes) && deepEqual(told, toldCapacity)) {
    return;
  }
  const status = { phase: "Bound", accessModes, capacity: told };
  const options = { subresource: "status" } as const;
  await client.for(PERSISTENT_VOLUME_CLAIMS).patch(refOf(claim), { status }, options);
}
