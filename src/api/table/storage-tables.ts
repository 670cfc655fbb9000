import type { PersistentVolume, PersistentVolumeClaim } from "../generated/types/core-v1.ts";
import type {
  CSIDriver,
  CSINode,
  StorageClass,
  VolumeAttachment,
} from "../generated/types/storage-v1.ts";
import { ageOf, columnsOf, nameOf, type TableKind, UNSET } from "./table-kind.ts";

const ACCESS_MODES: readonly (readonly [string, string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

function accessModes(modes: readonly string[] = []): string {
  return ACCESS_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(",");
}

export const PERSISTENT_VOLUME_TABLE: TableKind<PersistentVolume> = {
  columns: columnsOf(
    "Name",
    "Capacity",
    "Access Modes",
    "Reclaim Policy",
    "Status",
    "Claim",
    "StorageClass",
    "VolumeAttributesClass",
    "Reason",
    "Age",
    "VolumeMode*",
  ),
  cells(object, context) {
    const { spec, status, metadata } = object;
    const claim = spec?.claimRef;
    return [
      nameOf(object),
      spec?.capacity?.storage ?? "",
      accessModes(spec?.accessModes),
      spec?.persistentVolumeReclaimPolicy ?? "",
      metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
      claim ? `${claim.namespace ?? ""}/${claim.name ?? ""}` : "",
      metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "",
      spec?.volumeAttributesClassName ?? UNSET,
      status?.reason ?? "",
      ageOf(object, context),
      spec?.volumeMode ?? UNSET,
    ];
  },
};

export const PERSISTENT_VOLUME_CLAIM_TABLE: TableKind<PersistentVolumeClaim> = {
  columns: columnsOf(
    "Name",
    "Status",
    "Volume",
    "Capacity",
    "Access Modes",
    "StorageClass",
    "VolumeAttributesClass",
    "Age",
    "VolumeMode*",
  ),
  cells(object, context) {
    const { spec, status, metadata } = object;
    const bound = Boolean(spec?.volumeName);
    return [
      nameOf(object),
      metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
      spec?.volumeName ?? "",
      bound ? (status?.capacity?.storage ?? "0") : "",
      bound ? accessModes(status?.accessModes) : "",
      metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "",
      spec?.volumeAttributesClassName ?? UNSET,
      ageOf(object, context),
      spec?.volumeMode ?? UNSET,
    ];
  },
};

export const STORAGE_CLASS_TABLE: TableKind<StorageClass> = {
  columns: columnsOf(
    "Name",
    "Provisioner",
    "ReclaimPolicy",
    "VolumeBindingMode",
    "AllowVolumeExpansion",
    "Age",
  ),
  cells(object, context) {
    const standard =
      object.metadata?.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true" ||
      object.metadata?.annotations?.["storageclass.beta.kubernetes.io/is-default-class"] === "true";
    return [
      standard ? `${nameOf(object)} (default)` : nameOf(object),
      object.provisioner ?? "",
      object.reclaimPolicy ?? "Delete",
      object.volumeBindingMode ?? "Immediate",
      object.allowVolumeExpansion ?? false,
      ageOf(object, context),
    ];
  },
};

export const VOLUME_ATTACHMENT_TABLE: TableKind<VolumeAttachment> = {
  columns: columnsOf("Name", "Attacher", "PV", "Node", "Attached:boolean", "Age"),
  cells: (object, context) => [
    nameOf(object),
    object.spec?.attacher ?? "",
    object.spec?.source?.persistentVolumeName ?? "",
    object.spec?.nodeName ?? "",
    object.status?.attached ?? false,
    ageOf(object, context),
  ],
};

export const CSI_DRIVER_TABLE: TableKind<CSIDriver> = {
  columns: columnsOf(
    "Name",
    "AttachRequired:boolean",
    "PodInfoOnMount:boolean",
    "StorageCapacity:boolean",
    "TokenRequests",
    "RequiresRepublish:boolean",
    "Modes",
    "Age",
  ),
  cells(object, context) {
    const { spec } = object;
    const audiences = spec?.tokenRequests?.map(({ audience }) => audience) ?? [];
    return [
      nameOf(object),
      spec?.attachRequired ?? true,
      spec?.podInfoOnMount ?? false,
      spec?.storageCapacity ?? false,
      audiences.length > 0 ? audiences.join(",") : UNSET,
      spec?.requiresRepublish ?? false,
      (spec?.volumeLifecycleModes ?? []).join(",") || "<none>",
      ageOf(object, context),
    ];
  },
};

export const CSI_NODE_TABLE: TableKind<CSINode> = {
  columns: columnsOf("Name", "Drivers:integer", "Age"),
  cells: (object, context) => [
    nameOf(object),
    object.spec?.drivers?.length ?? 0,
    ageOf(object, context),
  ],
};
