import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import {
  CSI_DRIVERS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  VOLUME_ATTACHMENTS,
} from "../../api/generated/resources.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../../api/generated/types/core-v1.ts";
import type { CSIDriver, VolumeAttachment } from "../../api/generated/types/storage-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import type { Lister } from "../../client/informer.ts";
import { refOf, uidOf } from "../ownership.ts";
import { claimNamesOf } from "../persistent-volume/contract.ts";
import { isFinished } from "../pod-state.ts";
import { attachmentName, isAttachmentName, planAttachments } from "./attachment-plan.ts";

const BY_CLAIM = "claim";
const BY_VOLUME = "volume";
/** A node that does not let go for so long is taken to be dead, as upstream does. */
const RELEASE_MAX_MS = 6 * 60_000;

/**
 * Asks the attachers of CSI drivers, by VolumeAttachments, to attach volumes to the nodes of the
 * pods that use them, and to detach what no pod uses.
 */
export function volumeAttachmentController(): ControllerDefinition {
  /** Since when a node holds what nobody wants there, by attachment. */
  const unwantedSince = new Map<string, number>();
  return defineController({
    name: "volume-attachment",
    inputs: {
      volumes: input(PERSISTENT_VOLUMES, (volume) => (volume.spec?.csi ? [refOf(volume)] : [])),
      claims: input(PERSISTENT_VOLUME_CLAIMS, volumeOfClaim),
      pods: input(PODS, volumesOfPod, { indexes: { [BY_CLAIM]: claimKeysOf } }),
      attachments: input(VOLUME_ATTACHMENTS, volumeOfAttachment, {
        indexes: { [BY_VOLUME]: ({ spec }) => [spec.source.persistentVolumeName ?? ""] },
      }),
      drivers: input(CSI_DRIVERS, () => []),
      nodes: input(NODES, ({ metadata }, listers) =>
        listers
          .of(VOLUME_ATTACHMENTS)
          .list()
          .filter(({ spec }) => spec.nodeName === metadata?.name)
          .flatMap(volumeOfAttachment),
      ),
    },
    outputs: [{ resource: VOLUME_ATTACHMENTS, verbs: ["create", "delete"] }],
    async reconcile({ inputs, client, clock, events }, { name }) {
      const resource = client.for(VOLUME_ATTACHMENTS);
      const detach = async (attachment: VolumeAttachment) => {
        const options = { preconditions: { uid: uidOf(attachment) } };
        await resource.delete(refOf(attachment), options).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      };
      const known = inputs.attachments
        .byIndex(BY_VOLUME, name)
        .filter(({ metadata }) => isAttachmentName(metadata?.name));
      const volume = inputs.volumes.get(undefined, name);
      if (!volume) {
        const left = known.filter(({ metadata }) => !metadata?.deletionTimestamp);
        await Promise.all(left.map(detach));
        return {};
      }
      const attachments = known.filter((attachment) => isOf(attachment, volume));
      const driver = inputs.drivers.get(undefined, volume.spec?.csi?.driver ?? "");
      const pods = needsAttaching(volume, driver) ? podsUsing(volume, inputs.pods) : [];
      forgetOthers(attachments);
      const plan = planAttachments(volume, {
        pods,
        attachments,
        nodeOf: (node) => inputs.nodes.get(undefined, node),
        isOverdue: (one) => {
          const since = unwantedSince.get(uidOf(one)) ?? clock.now();
          unwantedSince.set(uidOf(one), since);
          return clock.now() - since >= RELEASE_MAX_MS;
        },
      });
      for (const pod of plan.refused) {
        const about = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
        const message =
          `Multi-Attach error for volume "${name}" Volume is already exclusively attached to one ` +
          "node and can't be attached to another";
        events.record({ about, type: "Warning", reason: "FailedAttachVolume", message });
      }
      await Promise.all([
        ...plan.attach.map((node) => create(volume, node)),
        ...plan.detach.map(detach),
      ]);
      return plan.waitFor.length > 0 ? { requeueAfterMs: RELEASE_MAX_MS } : {};

      async function create(of: PersistentVolume, node: string): Promise<void> {
        const { driver: attacher = "", volumeHandle: handle = "" } = of.spec?.csi ?? {};
        const attachment: VolumeAttachment = {
          apiVersion: "storage.k8s.io/v1",
          kind: "VolumeAttachment",
          metadata: { name: attachmentName({ handle, driver: attacher, node }) },
          spec: { attacher, nodeName: node, source: { persistentVolumeName: name } },
        };
        await resource.create(attachment).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      }

      /** Wanted again, or gone: the next wait begins anew. */
      function forgetOthers(of: readonly VolumeAttachment[]): void {
        const wanted = new Set(pods.map(({ spec }) => spec?.nodeName));
        for (const one of of) if (wanted.has(one.spec.nodeName)) unwantedSince.delete(uidOf(one));
        if (of.length === 0) for (const one of known) unwantedSince.delete(uidOf(one));
      }
    },
  });
}

/** Drivers that say nothing have to attach. */
function needsAttaching({ spec }: PersistentVolume, driver: CSIDriver | undefined): boolean {
  return spec?.csi !== undefined && driver?.spec.attachRequired !== false;
}

function isOf({ metadata, spec }: VolumeAttachment, volume: PersistentVolume): boolean {
  const { driver = "", volumeHandle: handle = "" } = volume.spec?.csi ?? {};
  return metadata?.name === attachmentName({ handle, driver, node: spec.nodeName });
}

function podsUsing({ spec }: PersistentVolume, pods: Lister<Pod>): Pod[] {
  const { name, namespace } = spec?.claimRef ?? {};
  if (!name) return [];
  return pods
    .byIndex(BY_CLAIM, `${namespace}/${name}`)
    .filter((pod) => pod.spec?.nodeName && !isFinished(pod));
}

function volumeOfClaim({ spec }: PersistentVolumeClaim): ObjectRef[] {
  return spec?.volumeName ? [{ name: spec.volumeName }] : [];
}

function volumeOfAttachment({ metadata, spec }: VolumeAttachment): ObjectRef[] {
  const name = spec.source.persistentVolumeName;
  return name && isAttachmentName(metadata?.name) ? [{ name }] : [];
}

function volumesOfPod(pod: Pod, listers: ListerLookup): ObjectRef[] {
  const claims = listers.of(PERSISTENT_VOLUME_CLAIMS);
  return claimNamesOf(pod).flatMap((name) => {
    const claim = claims.get(pod.metadata?.namespace, name);
    return claim ? volumeOfClaim(claim) : [];
  });
}

function claimKeysOf(pod: Pod): string[] {
  return claimNamesOf(pod).map((name) => `${pod.metadata?.namespace}/${name}`);
}
