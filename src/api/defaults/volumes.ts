import type {
  AzureDiskVolumeSource,
  DownwardAPIVolumeFile,
  HostPathVolumeSource,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  ProjectedVolumeSource,
  Volume,
} from "../generated/types/core-v1.ts";
import { pullPolicyOf } from "./pull-policy.ts";

/** rw-r--r-- */
const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3_600;

/** Defaults of a pod's volume; one without a source is an emptyDir. */
export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === "name")) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    defaultFiles(volume.downwardAPI.items);
  }
  if (volume.projected) defaultProjected(volume.projected);
  if (volume.ephemeral?.volumeClaimTemplate?.spec) {
    defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec);
  }
  if (volume.image) volume.image.pullPolicy ??= pullPolicyOf(volume.image.reference ?? "");
  defaultSource(volume);
}

/** Defaults of the part that names the storage, which persistent volumes have too. */
export function defaultSource(source: SharedSource): void {
  if (source.hostPath) source.hostPath.type ??= "";
  if (source.iscsi) source.iscsi.iscsiInterface ??= "default";
  if (source.rbd) {
    source.rbd.pool ??= "rbd";
    source.rbd.user ??= "admin";
    source.rbd.keyring ??= "/etc/ceph/keyring";
  }
  if (source.azureDisk) {
    source.azureDisk.cachingMode ??= "ReadWrite";
    source.azureDisk.kind ??= "Shared";
    source.azureDisk.fsType ??= "ext4";
    source.azureDisk.readOnly ??= false;
  }
  if (source.scaleIO) {
    source.scaleIO.storageMode ??= "ThinProvisioned";
    source.scaleIO.fsType ??= "xfs";
  }
}

interface SharedSource {
  hostPath?: HostPathVolumeSource;
  iscsi?: { iscsiInterface?: string };
  rbd?: { pool?: string; user?: string; keyring?: string };
  azureDisk?: AzureDiskVolumeSource;
  scaleIO?: { storageMode?: string; fsType?: string };
}

/** Defaults of a claim, also inside templates. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= "Filesystem";
  spec.resources ??= {};
}

/** Defaults of a persistent volume. */
export function defaultPersistentVolumeSpec(spec: PersistentVolumeSpec): void {
  spec.persistentVolumeReclaimPolicy ??= "Retain";
  spec.volumeMode ??= "Filesystem";
  defaultSource(spec);
}

function defaultProjected(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= FILE_MODE;
  for (const { serviceAccountToken, downwardAPI } of projected.sources ?? []) {
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS;
    defaultFiles(downwardAPI?.items);
  }
}

function defaultFiles(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of files ?? []) {
    if (fieldRef) fieldRef.apiVersion ??= "v1";
    if (resourceFieldRef) resourceFieldRef.divisor ??= "0";
  }
}
