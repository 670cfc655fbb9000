import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  EmptyDirVolumeSource,
  EphemeralVolumeSource,
  ImageVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
} from "../../generated/types/core-v1.ts";
import { validateClaimSpec } from "../claim-spec.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateAnnotations, validateLabels } from "../metadata.ts";
import { readQuantity, validateLocalPath } from "../values.ts";
import {
  checkInlineCsi,
  checkInterfaceName,
  checkStorageOs,
  SHARED_SOURCES,
  type SourceRule,
  validateVolumeSource,
} from "../volume-sources.ts";
import { validateFieldRef, validateResourceRef } from "./env.ts";

const MODE_MAX = 0o777;
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const CLAIM_METADATA: readonly string[] = ["annotations", "labels"];
const FILE_FIELDS: readonly string[] = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** Sources of a pod's volume in the order they are looked at; the first one counts. */
const SOURCES: ReadonlyMap<string, SourceRule> = new Map(
  Object.entries<SourceRule>({
    emptyDir: { check: checkEmptyDir },
    hostPath: SHARED_SOURCES["hostPath"] ?? {},
    gitRepo: { required: ["repository"], check: checkGitRepo },
    ...pick("gcePersistentDisk", "awsElasticBlockStore"),
    secret: { required: ["secretName"], check: checkFiles },
    ...pick("nfs", "iscsi", "glusterfs", "flocker"),
    persistentVolumeClaim: { required: ["claimName"] },
    rbd: SHARED_SOURCES["rbd"] ?? {},
    cinder: { required: ["volumeID"], secrets: { secretRef: ["name"] } },
    ...pick("cephfs", "quobyte"),
    downwardAPI: { check: checkDownward, twice: "downwarAPI" },
    ...pick("fc", "flexVolume"),
    configMap: { required: ["name"], check: checkFiles },
    azureFile: { required: ["secretName", "shareName"] },
    ...pick("vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    storageos: { secrets: { secretRef: ["name"] }, check: checkStorageOs },
    projected: { check: checkProjected },
    scaleIO: { required: ["gateway", "system", "volumeName"] },
    csi: { check: checkInlineCsi },
    ephemeral: { check: checkEphemeral },
    image: { check: checkImage },
  }),
);

function pick(...names: string[]): Record<string, SourceRule> {
  return Object.fromEntries(names.map((name) => [name, SHARED_SOURCES[name] ?? {}]));
}

/** Whose volumes they are: of a pod, whose name may not be known yet, or of a template. */
interface Owner {
  volumes: readonly Volume[];
  /** Absent for a template. */
  pod: { name?: string } | undefined;
}

/** The volumes of a pod; returns those that are right by name, for mounts to refer to. */
export function validateVolumes(
  errors: FieldErrors,
  field: string,
  { volumes, pod }: Owner,
): Map<string, Volume> {
  const byName = new Map<string, Volume>();
  for (const [index, volume] of volumes.entries()) {
    const path = `${field}[${index}]`;
    const before = errors.causes.length;
    validateSource(errors, path, volume);
    if (pod) validateForPod(errors, path, { volume, pod });
    if (errors.present(`${path}.name`, volume.name)) {
      errors.complaints(`${path}.name`, volume.name, dns1123LabelErrors(volume.name));
      if (byName.has(volume.name)) errors.duplicate(`${path}.name`, volume.name);
    }
    if (errors.causes.length === before) byName.set(volume.name, volume);
  }
  if (pod?.name) validateClaimNames(errors, field, { volumes, pod });
  return byName;
}

/** What depends on the pod itself: the claims that it makes, the images that it names. */
function validateForPod(
  errors: FieldErrors,
  path: string,
  { volume, pod }: { volume: Volume; pod: { name?: string } },
): void {
  if (volume.image) errors.present(`${path}.image.reference`, volume.image.reference);
  if (!volume.ephemeral || !pod.name || !volume.name) return;
  const claim = `${pod.name}-${volume.name}`;
  for (const complaint of dns1123SubdomainErrors(claim)) {
    const detail = `PVC name ${JSON.stringify(claim)}: ${complaint}`;
    errors.invalid(`${path}.name`, volume.name, detail);
  }
}

/** A claim that the pod makes for one volume is not that of another. */
function validateClaimNames(errors: FieldErrors, field: string, { volumes, pod }: Owner): void {
  const made = volumes
    .filter(({ ephemeral }) => ephemeral)
    .map(({ name }) => `${pod?.name}-${name}`);
  for (const [index, { persistentVolumeClaim: claim }] of volumes.entries()) {
    if (!claim || !made.includes(claim.claimName)) continue;
    const detail = "must not reference a PVC that gets created for an ephemeral volume";
    errors.invalid(`${field}[${index}].persistentVolumeClaim.claimName`, claim.claimName, detail);
  }
}

function validateSource(errors: FieldErrors, path: string, volume: Volume): void {
  let found = false;
  for (const [name, rule] of SOURCES) {
    const source = volume[name as keyof Volume];
    if (typeof source !== "object") continue;
    if (found)
      errors.forbidden(`${path}.${rule.twice ?? name}`, "may not specify more than 1 volume type");
    else validateVolumeSource(errors, `${path}.${rule.place ?? name}`, { rule, source });
    found = true;
  }
  if (!found) errors.required(path, "must specify a volume type");
  const { iscsi } = volume;
  if (iscsi?.initiatorName === undefined) return;
  checkInterfaceName(errors, `${path}.name`, { name: volume.name, iscsi, shown: volume.name });
}

function checkEmptyDir(errors: FieldErrors, path: string, source: EmptyDirVolumeSource): void {
  if (source.sizeLimit === undefined) return;
  const size = readQuantity(errors, `${path}.sizeLimit`, source.sizeLimit);
  if (size && size.nanos < 0n) {
    errors.forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity");
  }
}

function checkGitRepo(
  errors: FieldErrors,
  path: string,
  { directory = "" }: { directory?: string },
): void {
  validateLocalPath(errors, `${path}.directory`, directory);
}

type Files = Pick<SecretVolumeSource & ConfigMapVolumeSource, "defaultMode" | "items">;

function checkFiles(errors: FieldErrors, path: string, { defaultMode, items }: Files): void {
  validateMode(errors, `${path}.defaultMode`, defaultMode);
  validateItems(errors, `${path}.items`, items ?? []);
}

function checkDownward(errors: FieldErrors, path: string, source: DownwardAPIVolumeSource): void {
  validateMode(errors, `${path}.defaultMode`, source.defaultMode);
  // Refusals do not say which file they mean.
  for (const file of source.items ?? []) validateDownwardFile(errors, path, file);
}

function checkImage(errors: FieldErrors, path: string, source: ImageVolumeSource): void {
  const policies = ["Always", "IfNotPresent", "Never"];
  errors.oneOf(`${path}.pullPolicy`, source.pullPolicy, policies);
}

function checkEphemeral(errors: FieldErrors, path: string, source: EphemeralVolumeSource): void {
  const field = `${path}.volumeClaimTemplate`;
  if (!source.volumeClaimTemplate) return errors.required(field);
  const { metadata = {}, spec } = source.volumeClaimTemplate;
  validateLabels(errors, `${field}.metadata.labels`, metadata.labels);
  validateAnnotations(errors, `${field}.metadata.annotations`, metadata.annotations);
  for (const [name, value] of Object.entries(metadata)) {
    if (CLAIM_METADATA.includes(name) || value === null) continue;
    errors.forbidden(`${field}.metadata.${name}`, "cannot be set");
  }
  validateClaimSpec(errors, `${field}.spec`, spec);
}

function checkProjected(errors: FieldErrors, path: string, source: ProjectedVolumeSource): void {
  validateMode(errors, `${path}.defaultMode`, source.defaultMode);
  const taken = new Set<string>();
  const take = (file: string | undefined, value: unknown) => {
    if (!file) return;
    if (taken.has(file)) errors.invalid(path, value, "conflicting duplicate paths");
    taken.add(file);
  };
  for (const [index, projection] of (source.sources ?? []).entries()) {
    const place = `${path}.sources[${index}]`;
    for (const kind of ["secret", "configMap"] as const) {
      const part = projection[kind];
      if (!part) continue;
      errors.present(`${place}.${kind}.name`, part.name);
      validateItems(errors, `${place}.${kind}.items`, part.items ?? []);
      for (const item of part.items ?? []) take(item.path, part.name);
    }
    // Refusals do not say which file they mean.
    for (const file of projection.downwardAPI?.items ?? []) {
      validateDownwardFile(errors, `${place}.downwardAPI`, file);
      take(file.path, file.path);
    }
    const token = projection.serviceAccountToken;
    // A token may take another file's place: that is warned of.
    if (token) validateToken(errors, `${place}.serviceAccountToken`, { token, volume: path });
    if (Object.values(projection).filter((value) => value !== undefined).length > 1) {
      errors.forbidden(place, "may not specify more than 1 volume type per source");
    }
  }
}

function validateToken(
  errors: FieldErrors,
  field: string,
  { token, volume }: { token: ServiceAccountTokenProjection; volume: string },
): void {
  const seconds = token.expirationSeconds;
  if (seconds !== undefined && seconds < TOKEN_SECONDS_MIN) {
    const detail = "may not specify a duration less than 10 minutes";
    errors.invalid(`${field}.expirationSeconds`, seconds, detail);
  } else if (seconds !== undefined && seconds > TOKEN_SECONDS_MAX) {
    const detail = "may not specify a duration larger than 2^32 seconds";
    errors.invalid(`${field}.expirationSeconds`, seconds, detail);
  }
  if (errors.present(`${volume}.path`, token.path)) {
    validateLocalPath(errors, `${volume}.path`, token.path);
  }
}

function validateMode(errors: FieldErrors, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > MODE_MAX)) {
    errors.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
  }
}

function validateItems(errors: FieldErrors, field: string, items: readonly KeyToPath[]): void {
  for (const [index, { key, path, mode }] of items.entries()) {
    const place = `${field}[${index}]`;
    errors.present(`${place}.key`, key);
    if (errors.present(`${place}.path`, path)) validateLocalPath(errors, `${place}.path`, path);
    validateMode(errors, `${place}.mode`, mode);
  }
}

function validateDownwardFile(
  errors: FieldErrors,
  field: string,
  file: DownwardAPIVolumeFile,
): void {
  const { path, fieldRef, resourceFieldRef, mode } = file;
  if (errors.present(`${field}.path`, path)) validateLocalPath(errors, `${field}.path`, path);
  if (fieldRef) {
    validateFieldRef(errors, `${field}.fieldRef`, { ref: fieldRef, of: FILE_FIELDS });
    if (resourceFieldRef) {
      const detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.invalid(field, "resource", detail);
    }
  } else if (resourceFieldRef) {
    const of = { ref: resourceFieldRef, volume: true };
    validateResourceRef(errors, `${field}.resourceFieldRef`, of);
  } else errors.required(field, "one of fieldRef and resourceFieldRef is required");
  validateMode(errors, `${field}.mode`, mode);
}
