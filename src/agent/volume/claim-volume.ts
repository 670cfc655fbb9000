import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from "../../api/generated/types/core-v1.ts";
import type { InformerFactory } from "../../client/informer.ts";
import { type Clock, sleep } from "../../lib/clock.ts";
import { type FollowedObject, followObject } from "../followed-object.ts";
import { type PreparedVolume, VolumeError } from "./contract.ts";
import { LOCAL_DRIVER, type LocalVolumes } from "./local-volumes.ts";
import type { NodeFiles } from "./node-files.ts";
import { takeSolely } from "./sole-use.ts";
import { giveToGroup, type VolumeGroup } from "./volume-ownership.ts";

const SETTINGS: ReadonlySet<string> = new Set([
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
]);

const PROTECTION = "kubernetes.io/pvc-protection";

/**
 * The claim names its volume a write before it says that it is bound, and a pod is placed in
 * between.
 */
const BINDING_MAX_MS = 2_000;

/** What a claim's volume is looked up with. */
export interface ClaimVolumeContext {
  informers: InformerFactory;
  clock: Clock;
  /** Aborts when the pod has to end: it waits for no claim. */
  ending: AbortSignal;
  local: LocalVolumes;
  files: NodeFiles;
  /** Of the pod; notes there what it alone may use. */
  podDirectory: string;
  /** The claim or its volume changed. */
  onChange: () => void;
}

/** A pod's view of one claim; it follows claim and volume until disposed. */
export interface ClaimVolume extends Disposable {
  /** Makes the volume usable; idempotent. @throws VolumeError until it is bound to the claim */
  open(): Promise<PreparedVolume>;
  /** The volume that it was bound to when it was last opened. */
  volume(): PersistentVolume | undefined;
}

/** Whether a volume stands for a claim. */
export function hasClaim(volume: Volume): boolean {
  return volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined;
}

/** Follows the claim that a pod's volume names, or that was made for it. */
export function followClaim(
  context: ClaimVolumeContext,
  { pod, volume }: { pod: Pod; volume: Volume },
): ClaimVolume {
  const { informers, local, files } = context;
  const { namespace = "", name: podName = "" } = pod.metadata ?? {};
  const name = volume.persistentVolumeClaim?.claimName ?? `${podName}-${volume.name}`;
  let binding: AbortController | undefined;
  const onChange = () => {
    if (binding) binding.abort();
    else context.onChange();
  };
  const claims = followObject(informers, {
    resource: PERSISTENT_VOLUME_CLAIMS,
    namespace,
    name,
    onChange,
  });
  const untilBound = async () => {
    const { clock, ending } = context;
    const endMs = clock.monotonicMs() + BINDING_MAX_MS;
    const leftMs = () => endMs - clock.monotonicMs();
    while (isBinding(claims.value) && leftMs() > 0 && !ending.aborted) {
      binding = new AbortController();
      await sleep(clock, leftMs(), AbortSignal.any([binding.signal, ending]));
    }
    binding = undefined;
  };
  let volumes: FollowedObject<PersistentVolume> | undefined;
  return {
    async open() {
      await claims.known;
      await untilBound();
      const claim = requireBound(claims.value, { pod, volume, name });
      volumes ??= followObject(informers, {
        resource: PERSISTENT_VOLUMES,
        namespace: "",
        name: claim.spec?.volumeName ?? "",
        onChange,
      });
      await volumes.known;
      const found = requireVolume(volumes.value, claim);
      takeSolely(found, context.podDirectory);
      const opened = await openVolume(found, { pod, local, files });
      const readOnly = opened.readOnly || (volume.persistentVolumeClaim?.readOnly ?? false);
      const groupId = groupIdOf(found);
      return { ...opened, readOnly, ...(groupId !== undefined && { groupId }) };
    },
    volume: () => volumes?.value,
    [Symbol.dispose]() {
      claims[Symbol.dispose]();
      volumes?.[Symbol.dispose]();
    },
  };
}

/** The group that an administrator wrote on a volume whose files belong to it. */
function groupIdOf({ metadata }: PersistentVolume): number | undefined {
  const text = metadata?.annotations?.["pv.beta.kubernetes.io/gid"] ?? "";
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function isBinding(claim: PersistentVolumeClaim | undefined): boolean {
  return claim?.spec?.volumeName !== undefined && (claim.status?.phase ?? "Pending") === "Pending";
}

function requireBound(
  claim: PersistentVolumeClaim | undefined,
  { pod, volume, name }: { pod: Pod; volume: Volume; name: string },
): PersistentVolumeClaim {
  const refuse = (code: VolumeError["code"], message: string) => new VolumeError(code, message);
  if (!claim) throw refuse("not-found", `persistentvolumeclaim "${name}" not found`);
  const { ownerReferences = [] } = claim.metadata ?? {};
  if (volume.ephemeral && !ownerReferences.some(({ uid }) => uid === pod.metadata?.uid)) {
    throw refuse("invalid", `PVC "${name}" was not created for the pod (pod is not owner)`);
  }
  const { deletionTimestamp, finalizers = [] } = claim.metadata ?? {};
  // Whom nobody protects may be gone before the pod runs.
  if (deletionTimestamp && !finalizers.includes(PROTECTION)) {
    throw refuse("not-found", `persistentvolumeclaim "${name}" is being deleted`);
  }
  if (claim.status?.phase !== "Bound" || !claim.spec?.volumeName) {
    throw refuse("not-found", `persistentvolumeclaim "${name}" is not bound`);
  }
  if (claim.spec.volumeMode === "Block") {
    throw refuse(
      "unsupported",
      `persistentvolumeclaim "${name}" has volumeMode Block, which this node cannot provide; ` +
        "use Filesystem",
    );
  }
  return claim;
}

function requireVolume(
  volume: PersistentVolume | undefined,
  claim: PersistentVolumeClaim,
): PersistentVolume {
  const name = claim.spec?.volumeName ?? "";
  if (!volume) throw new VolumeError("not-found", `persistentvolume "${name}" not found`);
  if (volume.spec?.claimRef?.uid === claim.metadata?.uid) return volume;
  const message = `persistentvolume "${name}" is bound to another claim`;
  throw new VolumeError("invalid", message);
}

async function openVolume(
  volume: PersistentVolume,
  { pod, local, files }: { pod: Pod; local: LocalVolumes; files: NodeFiles },
): Promise<PreparedVolume> {
  const { hostPath, local: directory, csi } = volume.spec ?? {};
  if (hostPath) return await files.openHostPath(hostPath);
  const group = groupOf(pod);
  if (directory) return await files.openDirectory(directory.path, group);
  if (csi?.driver === LOCAL_DRIVER) {
    const opened = await local.open(volume);
    if (group) giveToGroup(opened, group);
    return { hostPath: opened, readOnly: csi.readOnly ?? false };
  }
  const kind = Object.keys(volume.spec ?? {}).find((field) => !SETTINGS.has(field)) ?? "unnamed";
  const what = csi ? `driver "${csi.driver}"` : `type "${kind}"`;
  throw new VolumeError(
    "unsupported",
    `persistent volumes of ${what} are not supported by this node`,
  );
}

/** Whose group the pod's volumes are to belong to, if any. */
function groupOf({ spec }: Pod): VolumeGroup | undefined {
  const { fsGroup, fsGroupChangePolicy } = spec?.securityContext ?? {};
  if (fsGroup === undefined) return undefined;
  return { groupId: fsGroup, onlyOnMismatch: fsGroupChangePolicy === "OnRootMismatch" };
}
