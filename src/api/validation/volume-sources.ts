import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../lib/names.ts";
import type {
  AzureDiskVolumeSource,
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GlusterfsPersistentVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
} from "../generated/types/core-v1.ts";
import type { FieldErrors } from "./field-errors.ts";

const LUN_RANGE = [0, 255] as const;
const DRIVER_MAX = 63;
const TENANT_MAX = 64;
/** How long the name of an iSCSI interface may be. */
const INTERFACE_MAX = 64;
const HOST_PATH_TYPES: readonly string[] = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const FORMAT = "must be valid format";
/** Names that iSCSI gives to targets and initiators, by their prefix. */
const ISCSI_NAMES: Readonly<Record<string, RegExp>> = {
  iqn: /^iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

/** How a source is checked. `persistent`: in a PersistentVolume, where names have namespaces. */
export interface SourceRule {
  /** Fields that must not be empty. */
  required?: readonly string[];
  /** References to secrets: the parts each of them must have, when it is there. */
  secrets?: Readonly<Record<string, readonly string[]>>;
  /** How refusals call it, where that is not its name. */
  place?: string;
  /** How the refusal of a second source calls it, where that is not its name. */
  twice?: string;
  check?(errors: FieldErrors, path: string, source: never): void;
}

/** Rules of the sources that pods and persistent volumes know by the same shape. */
export const SHARED_SOURCES: Readonly<Record<string, SourceRule>> = {
  hostPath: { required: ["path"], check: checkHostPath },
  gcePersistentDisk: { required: ["pdName"], check: checkPartition, place: "persistentDisk" },
  awsElasticBlockStore: { required: ["volumeID"], check: checkPartition },
  nfs: { required: ["server", "path"], check: checkNfs },
  iscsi: { required: ["targetPortal"], check: checkIscsi },
  glusterfs: { required: ["endpoints", "path"], check: checkGlusterfs },
  flocker: { check: checkFlocker },
  rbd: { required: ["monitors", "image"] },
  cephfs: { required: ["monitors"], twice: "cephFS" },
  quobyte: { check: checkQuobyte },
  fc: { check: checkFc },
  flexVolume: { required: ["driver"], check: checkFlex },
  vsphereVolume: { required: ["volumePath"] },
  photonPersistentDisk: { required: ["pdID"] },
  portworxVolume: { required: ["volumeID"] },
  azureDisk: { required: ["diskName", "diskURI"], check: checkAzureDisk },
};

/** Applies the rule of one source. */
export function validateVolumeSource(
  errors: FieldErrors,
  path: string,
  { rule, source }: { rule: SourceRule; source: object },
): void {
  const fields = source as Readonly<Record<string, unknown>>;
  for (const name of rule.required ?? []) {
    const value = fields[name];
    if (!value || (Array.isArray(value) && value.length === 0)) errors.required(`${path}.${name}`);
  }
  for (const [name, parts] of Object.entries(rule.secrets ?? {})) {
    const secret = fields[name] as Readonly<Record<string, string>> | undefined;
    for (const part of secret ? parts : []) {
      if (!secret?.[part]) errors.required(`${path}.${name}.${part}`);
    }
  }
  rule.check?.(errors, path, source as never);
}

function checkHostPath(errors: FieldErrors, path: string, source: HostPathVolumeSource): void {
  if (!source.path) return;
  refuseBackSteps(errors, `${path}.path`, source.path);
  errors.oneOf(`${path}.type`, source.type, HOST_PATH_TYPES);
}

/** A path that does not go up. */
export function refuseBackSteps(errors: FieldErrors, field: string, path: string): void {
  if (path.split("/").includes("..")) errors.invalid(field, path, "must not contain '..'");
}

function checkPartition(errors: FieldErrors, path: string, source: { partition?: number }): void {
  const { partition } = source;
  if (partition === undefined || (partition >= 0 && partition <= 255)) return;
  errors.invalid(`${path}.partition`, partition, "must be between 1 and 255, inclusive");
}

function checkNfs(errors: FieldErrors, path: string, source: NFSVolumeSource): void {
  if (source.path?.startsWith("/")) return;
  errors.invalid(`${path}.path`, source.path ?? "", "must be an absolute path");
}

function checkIscsi(errors: FieldErrors, path: string, source: ISCSIVolumeSource): void {
  checkTarget(errors, path, { source, unknown: `${FORMAT} starting with iqn, eui, or naa` });
}

/** A target of a volume of its own, whose secret has a namespace; it is refused in fewer words. */
export function checkPersistentIscsi(
  errors: FieldErrors,
  path: string,
  source: ISCSIPersistentVolumeSource,
): void {
  checkTarget(errors, path, { source, unknown: FORMAT });
}

function checkTarget(
  errors: FieldErrors,
  path: string,
  { source, unknown }: { source: ISCSIPersistentVolumeSource; unknown: string },
): void {
  const { iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source;
  const checkName = (field: string, name: string) => {
    const prefix = name.slice(0, 3);
    const pattern = Object.hasOwn(ISCSI_NAMES, prefix) ? ISCSI_NAMES[prefix] : undefined;
    if (!pattern) errors.invalid(field, name, unknown);
    else if (!pattern.test(name)) errors.invalid(field, name, FORMAT);
  };
  if (errors.present(`${path}.iqn`, iqn)) checkName(`${path}.iqn`, iqn);
  errors.within(`${path}.lun`, lun, LUN_RANGE);
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.required(`${path}.secretRef`);
  if (initiatorName !== undefined) checkName(`${path}.initiatorname`, initiatorName);
}

/** The node names its interface to a target by the volume and the target's portal. */
export function checkInterfaceName(
  errors: FieldErrors,
  field: string,
  of: { name: string; iscsi: { targetPortal: string }; shown: string },
): void {
  if (`${of.name}:${of.iscsi.targetPortal}`.length <= INTERFACE_MAX) return;
  const detail =
    `Total length of <volume name>:<iscsi.targetPortal> must be under ${INTERFACE_MAX} characters ` +
    "if iscsi.initiatorName is specified.";
  errors.invalid(field, of.shown, detail);
}

function checkGlusterfs(
  errors: FieldErrors,
  path: string,
  { endpointsNamespace: namespace }: GlusterfsPersistentVolumeSource,
): void {
  if (namespace === undefined) return;
  const field = `${path}.endpointsNamespace`;
  if (namespace === "") {
    const detail = "if the endpointnamespace is set, it must be a valid namespace name";
    errors.invalid(field, namespace, detail);
  } else errors.complaints(field, namespace, dns1123LabelErrors(namespace));
}

function checkFlocker(errors: FieldErrors, path: string, source: FlockerVolumeSource): void {
  const { datasetName = "", datasetUUID = "" } = source;
  if (!datasetName && !datasetUUID) {
    errors.required(path, "one of datasetName and datasetUUID is required");
  } else if (datasetName && datasetUUID) {
    const detail = "datasetName and datasetUUID can not be specified simultaneously";
    errors.invalid(path, "resource", detail);
  }
  if (datasetName.includes("/")) {
    errors.invalid(`${path}.datasetName`, datasetName, "must not contain '/'");
  }
}

function checkQuobyte(errors: FieldErrors, path: string, source: QuobyteVolumeSource): void {
  const { tenant = "", volume } = source;
  const registry = source.registry ?? "";
  const detail = "must be a host:port pair or multiple pairs separated by commas";
  if (registry === "") errors.required(`${path}.registry`, detail);
  else if (tenant.length > TENANT_MAX) {
    const detail = `must be a UUID and may not exceed a length of ${TENANT_MAX} characters`;
    errors.required(`${path}.tenant`, detail);
  } else if (registry.split(",").some((pair) => pair.split(":").length !== 2)) {
    errors.invalid(`${path}.registry`, registry, detail);
  }
  errors.present(`${path}.volume`, volume);
}

function checkFc(errors: FieldErrors, path: string, source: FCVolumeSource): void {
  const { targetWWNs = [], wwids = [], lun } = source;
  const field = `${path}.targetWWNs`;
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.required(field, "must specify either targetWWNs or wwids, but not both");
  } else if (targetWWNs.length > 0 && wwids.length > 0) {
    const detail = "targetWWNs and wwids can not be specified simultaneously";
    errors.invalid(field, targetWWNs, detail);
  }
  if (targetWWNs.length === 0) return;
  if (lun === undefined) {
    errors.required(`${path}.lun`, "lun is required if targetWWNs is specified");
  } else errors.within(`${path}.lun`, lun, LUN_RANGE);
}

function checkFlex(errors: FieldErrors, path: string, source: FlexVolumeSource): void {
  for (const key of Object.keys(source.options ?? {})) {
    const [host = ""] = key.split("/");
    if (!/(^|\.)(kubernetes\.io|k8s\.io)$/i.test(host)) continue;
    const detail = "kubernetes.io and k8s.io namespaces are reserved";
    errors.invalid(`${path}.options[${key}]`, key, detail);
  }
}

function checkAzureDisk(errors: FieldErrors, path: string, source: AzureDiskVolumeSource): void {
  const { cachingMode, kind } = source;
  const diskURI = source.diskURI ?? "";
  errors.oneOf(`${path}.cachingMode`, cachingMode, ["None", "ReadOnly", "ReadWrite"]);
  errors.oneOf(`${path}.kind`, kind, ["Dedicated", "Managed", "Shared"]);
  const managed = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute";
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) {
    errors.notSupported(`${path}.diskURI`, diskURI, [`${managed}/disks/{disk-id}`]);
  }
  if (kind !== undefined && kind !== "Managed" && !diskURI.startsWith("https://")) {
    const blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
    errors.notSupported(`${path}.diskURI`, diskURI, [blob]);
  }
}

/** A StorageOS volume is named as objects of Kubernetes are. */
export function checkStorageOs(
  errors: FieldErrors,
  path: string,
  { volumeName, volumeNamespace }: { volumeName?: string; volumeNamespace?: string },
): void {
  if (errors.present(`${path}.volumeName`, volumeName)) {
    errors.complaints(`${path}.volumeName`, volumeName, dns1123LabelErrors(volumeName));
  }
  if (!volumeNamespace) return;
  const complaints = dns1123LabelErrors(volumeNamespace);
  errors.complaints(`${path}.volumeNamespace`, volumeNamespace, complaints);
}

/** The name of a CSI driver, wherever one stands. */
export function validateDriverName(errors: FieldErrors, field: string, name: string): void {
  if (!name) errors.required(field);
  if (name.length > DRIVER_MAX) errors.tooLong(field, DRIVER_MAX);
  errors.complaints(field, name, dns1123SubdomainErrors(name.toLowerCase()));
}

/** A CSI volume inside a pod. */
export function checkInlineCsi(errors: FieldErrors, path: string, source: CSIVolumeSource): void {
  validateDriverName(errors, `${path}.driver`, source.driver ?? "");
  const secret = source.nodePublishSecretRef;
  if (!secret) return;
  if (!secret.name) errors.required(`${path}.nodePublishSecretRef.name`);
  else {
    const complaints = dns1123SubdomainErrors(secret.name);
    errors.complaints(`${path}.name`, secret.name, complaints);
  }
}

/** A CSI volume of its own. */
export function checkPersistentCsi(
  errors: FieldErrors,
  path: string,
  source: CSIPersistentVolumeSource,
): void {
  validateDriverName(errors, `${path}.driver`, source.driver ?? "");
  errors.present(`${path}.volumeHandle`, source.volumeHandle);
  for (const name of [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
  ] as const) {
    const secret = source[name];
    if (!secret) continue;
    const rules = { name: dns1123SubdomainErrors, namespace: dns1123LabelErrors } as const;
    for (const part of ["name", "namespace"] as const) {
      const [place, value] = [`${path}.${name}.${part}`, secret[part]];
      if (errors.present(place, value)) errors.complaints(place, value, rules[part](value));
    }
  }
}
