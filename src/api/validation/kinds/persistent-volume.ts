import { deepEqual } from "../../../lib/deep-equal.ts";
import { copyJson } from "../../../lib/json-copy.ts";
import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  LocalVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from "../../generated/types/core-v1.ts";
import { ACCESS_MODES, VOLUME_MODES } from "../access-modes.ts";
import type { FieldErrors } from "../field-errors.ts";
import { GoText } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateTerm } from "../pod/affinity.ts";
import { validateBasicAmount, validatePositiveAmount } from "../values.ts";
import {
  checkInterfaceName,
  checkPersistentCsi,
  checkPersistentIscsi,
  checkStorageOs,
  refuseBackSteps,
  SHARED_SOURCES,
  type SourceRule,
  validateVolumeSource,
} from "../volume-sources.ts";

const SECRET = ["name", "namespace"];
/** Labels of nodes that were in beta, and what became of them. */
const STABLE_LABELS: ReadonlyMap<string, string> = new Map([
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
  ["beta.kubernetes.io/os", "kubernetes.io/os"],
  ["beta.kubernetes.io/arch", "kubernetes.io/arch"],
  ["beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"],
]);

/** Sources of a volume in the order they are looked at; the first one counts. */
const SOURCES: ReadonlyMap<string, SourceRule> = new Map(
  Object.entries<SourceRule>({
    ...SHARED_SOURCES,
    iscsi: {
      required: ["targetPortal"],
      secrets: { secretRef: ["name"] },
      check: checkPersistentIscsi,
    },
    cinder: { required: ["volumeID"], secrets: { secretRef: SECRET } },
    azureFile: { required: ["secretName", "shareName"], check: checkSecretNamespace },
    scaleIO: { required: ["gateway", "system", "volumeName"] },
    local: { required: ["path"], check: checkLocal },
    storageos: { secrets: { secretRef: SECRET }, check: checkStorageOs },
    csi: { check: checkPersistentCsi },
  }),
);

/** Sources whose volumes are mounted with options. */
const WITH_OPTIONS = [
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "nfs",
  "rbd",
  "quobyte",
  "iscsi",
  "cinder",
  "cephfs",
  "azureFile",
  "vsphereVolume",
  "azureDisk",
  "photonPersistentDisk",
] as const satisfies readonly (keyof PersistentVolumeSpec)[];
const MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options";

export const PERSISTENT_VOLUME: KindRules<PersistentVolume> = {
  validate(errors, { metadata, spec = {} }) {
    const { accessModes = [], capacity = {}, persistentVolumeReclaimPolicy: policy } = spec;
    validateAccessModes(errors, "spec.accessModes", accessModes);
    if (Object.keys(capacity).length === 0) errors.required("spec.capacity");
    if (capacity["storage"] === undefined || Object.keys(capacity).length > 1) {
      const shown =
        Object.keys(capacity).length > 0 ? capacity : new GoText("core.ResourceList(nil)");
      errors.notSupported("spec.capacity", shown, ["storage"]);
    }
    validateCapacity(errors, capacity);
    const policies = ["Delete", "Recycle", "Retain"];
    errors.oneOf("spec.persistentVolumeReclaimPolicy", policy, policies);
    const pinned = validateNodeAffinity(errors, spec);
    const source = validateSource(errors, "spec", { spec, pinned });
    const { hostPath, iscsi } = spec;
    if (source === "iscsi" && iscsi?.initiatorName !== undefined) {
      const names = { name: metadata?.name ?? "", iscsi, shown: iscsi.targetPortal };
      checkInterfaceName(errors, "spec.iscsi.targetportal", names);
    }
    if (hostPath && isRoot(hostPath.path) && policy === "Recycle") {
      const detail = "may not be 'recycle' for a hostPath mount of '/'";
      errors.forbidden("spec.persistentVolumeReclaimPolicy", detail);
    }
    for (const name of ["storageClassName", "volumeAttributesClassName"] as const) {
      const value = spec[name];
      if (value) errors.complaints(`spec.${name}`, value, dns1123SubdomainErrors(value));
    }
    errors.oneOf("spec.volumeMode", spec.volumeMode, VOLUME_MODES);
    validateMountOptions(errors, metadata?.annotations, spec);
  },
  validateUpdate(errors, { spec = {} }, old) {
    const before = old.spec ?? {};
    if (!deepEqual(sourcesOf(withoutNewSecret(spec, before)), sourcesOf(before))) {
      const detail = "spec.persistentvolumesource is immutable after creation";
      errors.forbidden("spec.persistentvolumesource", detail);
    }
    validateImmutable(errors, "volumeMode", { now: spec.volumeMode, old: before.volumeMode });
    if (before.nodeAffinity && !isRelabelled(spec.nodeAffinity, before.nodeAffinity)) {
      const detail = "field is immutable, except for updating from beta label to GA";
      errors.invalid("nodeAffinity", spec.nodeAffinity, detail);
    }
    if (before.volumeAttributesClassName !== undefined && !spec.volumeAttributesClassName) {
      const detail = "update from non-nil value to nil is forbidden";
      errors.forbidden("spec.volumeAttributesClassName", detail);
    }
  },
};

/** A volume that a VolumeAttachment describes instead of naming one: of a CSI driver alone. */
export function validateInlineVolumeSpec(
  errors: FieldErrors,
  field: string,
  spec: PersistentVolumeSpec,
): void {
  const context = "in the context of inline volumes";
  const refuse = (name: string) =>
    errors.forbidden(`${field}.${name}`, `may not be specified ${context}`);
  if (spec.claimRef) refuse("claimRef");
  if (Object.keys(spec.capacity ?? {}).length > 0) refuse("capacity");
  if (!spec.csi) errors.required(`${field}.csi`, `has to be specified ${context}`);
  validateAccessModes(errors, `${field}.accessModes`, spec.accessModes ?? []);
  const { persistentVolumeReclaimPolicy: policy, volumeMode } = spec;
  if (policy && policy !== "Retain") {
    errors.forbidden(`${field}.persistentVolumeReclaimPolicy`, `may only be Retain ${context}`);
  }
  if (spec.nodeAffinity) refuse("nodeAffinity");
  validateSource(errors, field, { spec, pinned: false });
  if (spec.storageClassName) refuse("storageClassName");
  if (volumeMode !== undefined && volumeMode !== "Filesystem") {
    const detail = `may not specify volumeMode other than Filesystem ${context}`;
    errors.forbidden(`${field}.volumeMode`, detail);
  }
}

function validateAccessModes(errors: FieldErrors, field: string, modes: readonly string[]): void {
  if (modes.length === 0) errors.required(field);
  for (const mode of modes) errors.oneOf(field, mode, ACCESS_MODES);
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others) {
    errors.forbidden(field, "may not use ReadWriteOncePod with other access modes");
  }
}

/** Volumes from before volumes grew may be told with which secret they do. */
function withoutNewSecret(
  spec: PersistentVolumeSpec,
  { csi: before }: PersistentVolumeSpec,
): PersistentVolumeSpec {
  if (!spec.csi || !before || before.controllerExpandSecretRef) return spec;
  const { controllerExpandSecretRef: _, ...csi } = spec.csi;
  return { ...spec, csi };
}

/** Whether it is the same, but for labels of nodes by the names that they have now. */
function isRelabelled(now: VolumeNodeAffinity | undefined, before: VolumeNodeAffinity): boolean {
  if (deepEqual(now, before)) return true;
  const terms = now?.required?.nodeSelectorTerms ?? [];
  const renamed = copyJson(before);
  for (const [index, { matchExpressions = [] }] of (
    renamed.required?.nodeSelectorTerms ?? []
  ).entries()) {
    for (const [at, expression] of matchExpressions.entries()) {
      const key = terms[index]?.matchExpressions?.[at]?.key;
      if (key !== undefined && STABLE_LABELS.get(expression.key) === key) expression.key = key;
    }
  }
  return deepEqual(now, renamed);
}

function isRoot(path: string | undefined): boolean {
  if (!path?.startsWith("/")) return false;
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth = Math.max(depth - 1, 0);
    else if (part !== "" && part !== ".") depth += 1;
  }
  return depth === 0;
}

function sourcesOf(spec: PersistentVolumeSpec): object {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => SOURCES.has(name)));
}

function validateCapacity(
  errors: FieldErrors,
  capacity: NonNullable<PersistentVolumeSpec["capacity"]>,
): void {
  for (const [name, amount] of Object.entries(capacity)) {
    const field = `spec.capacity[${name}]`;
    validateBasicAmount(errors, field, amount);
    validatePositiveAmount(errors, field, amount);
  }
}

/** The name of the source that counts; `pinned` tells that nodes are chosen for the volume. */
function validateSource(
  errors: FieldErrors,
  field: string,
  { spec, pinned }: { spec: PersistentVolumeSpec; pinned: boolean },
): string | undefined {
  let found: string | undefined;
  for (const [name, rule] of SOURCES) {
    const source = spec[name as keyof PersistentVolumeSpec];
    if (typeof source !== "object") continue;
    if (found)
      errors.forbidden(`${field}.${rule.twice ?? name}`, "may not specify more than 1 volume type");
    else validateVolumeSource(errors, `${field}.${rule.place ?? name}`, { rule, source });
    if (!found && name === "local" && !pinned) {
      errors.required(`${field}.nodeAffinity`, "Local volume requires node affinity");
    }
    found ??= name;
  }
  if (!found) errors.required(field, "must specify a volume type");
  return found;
}

function validateNodeAffinity(
  errors: FieldErrors,
  { nodeAffinity }: PersistentVolumeSpec,
): boolean {
  if (!nodeAffinity) return false;
  if (!nodeAffinity.required) {
    errors.required("spec.nodeAffinity.required", "must specify required node constraints");
    return true;
  }
  const terms = nodeAffinity.required.nodeSelectorTerms ?? [];
  const field = "spec.nodeAffinity.required.nodeSelectorTerms";
  if (terms.length === 0) errors.required(field, "must have at least one node selector term");
  for (const [index, term] of terms.entries()) {
    validateTerm(errors, `${field}[${index}]`, term);
  }
  return true;
}

function checkLocal(errors: FieldErrors, path: string, { path: place }: LocalVolumeSource): void {
  if (place) refuseBackSteps(errors, `${path}.path`, place);
}

function checkSecretNamespace(
  errors: FieldErrors,
  path: string,
  { secretNamespace }: { secretNamespace?: string },
): void {
  if (secretNamespace === "") errors.required(`${path}.secretNamespace`);
}

function validateMountOptions(
  errors: FieldErrors,
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PersistentVolumeSpec,
): void {
  if (annotations?.[MOUNT_OPTIONS] === undefined) return;
  if (WITH_OPTIONS.some((source) => spec[source] !== undefined)) return;
  const detail = "may not specify mount options for this volume type";
  errors.forbidden(`metadata.annotations.${MOUNT_OPTIONS}`, detail);
}
