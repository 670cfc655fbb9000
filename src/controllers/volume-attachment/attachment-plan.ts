import { createHash } from "node:crypto";
import type { Node, PersistentVolume, Pod } from "../../api/generated/types/core-v1.ts";
import type { VolumeAttachment } from "../../api/generated/types/storage-v1.ts";

/** Set by an administrator on a node that is off for good: what it held may be taken away. */
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
const ATTACHMENT_NAME = /^csi-[0-9a-f]{64}$/;
const SHARED_MODES: readonly string[] = ["ReadWriteMany", "ReadOnlyMany"];

/** Name of the attachment of a volume to a node, as CSI attachers expect it. */
export function attachmentName(of: { handle: string; driver: string; node: string }): string {
  const digest = createHash("sha256").update(`${of.handle}${of.driver}${of.node}`).digest("hex");
  return `csi-${digest}`;
}

/** How nodes name the volume in `status.volumesInUse` and `status.volumesAttached`. */
export function attachedVolumeName(volume: PersistentVolume): string {
  const { driver = "", volumeHandle = "" } = volume.spec?.csi ?? {};
  return `kubernetes.io/csi/${driver}^${volumeHandle}`;
}

/** Whether this controller, or one before it, may have made the attachment. */
export function isAttachmentName(name: string | undefined): boolean {
  return ATTACHMENT_NAME.test(name ?? "");
}

/** What has to happen to the attachments of one volume. */
export interface AttachmentPlan {
  attach: string[];
  detach: VolumeAttachment[];
  /** Nodes that still use the volume, which no pod of theirs wants any more. */
  waitFor: VolumeAttachment[];
  /** Pods that cannot have the volume while it is attached elsewhere. */
  refused: Pod[];
}

/**
 * Compares where pods want the volume with where it is attached. A volume for one node moves only
 * when it was detached from the old one. Pure.
 */
export function planAttachments(
  volume: PersistentVolume,
  of: {
    /** Pods with a node that use the volume. */
    pods: readonly Pod[];
    /** Ours, of this volume. */
    attachments: readonly VolumeAttachment[];
    nodeOf: (name: string) => Node | undefined;
    /** Waited long enough for the node to let go. */
    isOverdue: (attachment: VolumeAttachment) => boolean;
  },
): AttachmentPlan {
  const { pods, attachments } = of;
  const wanted = new Set(pods.map(({ spec }) => spec?.nodeName ?? ""));
  const plan: AttachmentPlan = { attach: [], detach: [], waitFor: [], refused: [] };
  for (const attachment of attachments) {
    if (attachment.metadata?.deletionTimestamp) continue;
    const { nodeName } = attachment.spec;
    if (wanted.has(nodeName)) continue;
    const mayGo = !isInUse(volume, of.nodeOf(nodeName)) || of.isOverdue(attachment);
    (mayGo ? plan.detach : plan.waitFor).push(attachment);
  }
  const isShared = volume.spec?.accessModes?.some((mode) => SHARED_MODES.includes(mode)) ?? false;
  const held = new Set(attachments.map(({ spec }) => spec.nodeName));
  for (const node of wanted) {
    if (held.has(node)) continue;
    if (isShared || held.size === 0) {
      plan.attach.push(node);
      held.add(node);
    } else {
      plan.refused.push(...pods.filter(({ spec }) => spec?.nodeName === node));
    }
  }
  return plan;
}

/** A node that is gone or out of service uses nothing, whatever it last said. */
function isInUse(volume: PersistentVolume, node: Node | undefined): boolean {
  if (!node || node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return false;
  return node.status?.volumesInUse?.includes(attachedVolumeName(volume)) ?? false;
}
