import { configKeyErrors, dns1123LabelErrors } from "../../../lib/names.ts";
import type { KeyToPath, Volume, VolumeProjection } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateAmount, validateRelativePath } from "../values.ts";

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
const MODE_MAX = 0o777;

/** The volumes of a pod; returns their names, for mounts to refer to. */
export function validateVolumes(
  errors: FieldErrors,
  field: string,
  volumes: readonly Volume[],
): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const path = `${field}[${index}]`;
    validateSource(errors, path, volume);
    if (!errors.present(`${path}.name`, volume.name)) continue;
    errors.complaints(`${path}.name`, volume.name, dns1123LabelErrors(volume.name));
    if (names.has(volume.name)) errors.duplicate(`${path}.name`, volume.name);
    names.add(volume.name);
  }
  return names;
}

function validateSource(errors: FieldErrors, path: string, volume: Volume): void {
  const [first, ...more] = Object.keys(volume).filter((name) => {
    return name !== "name" && volume[name as keyof Volume] !== undefined;
  });
  if (first === undefined) return errors.required(path, "must specify a volume type");
  for (const name of more) {
    errors.forbidden(`${path}.${name}`, "may not specify more than 1 volume type");
  }
  const { hostPath, configMap, secret, emptyDir, persistentVolumeClaim, downwardAPI } = volume;
  if (hostPath) {
    if (errors.present(`${path}.hostPath.path`, hostPath.path)) {
      if (hostPath.path.split("/").includes("..")) {
        errors.invalid(`${path}.hostPath.path`, hostPath.path, "must not contain '..'");
      }
    }
    errors.oneOf(`${path}.hostPath.type`, hostPath.type, HOST_PATH_TYPES);
  }
  if (emptyDir?.sizeLimit !== undefined) {
    validateAmount(errors, `${path}.emptyDir.sizeLimit`, emptyDir.sizeLimit);
  }
  if (configMap) {
    errors.present(`${path}.configMap.name`, configMap.name);
    validateMode(errors, `${path}.configMap.defaultMode`, configMap.defaultMode);
    validateItems(errors, `${path}.configMap.items`, configMap.items ?? []);
  }
  if (secret) {
    errors.present(`${path}.secret.secretName`, secret.secretName);
    validateMode(errors, `${path}.secret.defaultMode`, secret.defaultMode);
    validateItems(errors, `${path}.secret.items`, secret.items ?? []);
  }
  if (persistentVolumeClaim) {
    const { claimName } = persistentVolumeClaim;
    errors.present(`${path}.persistentVolumeClaim.claimName`, claimName);
  }
  if (downwardAPI) {
    validateMode(errors, `${path}.downwardAPI.defaultMode`, downwardAPI.defaultMode);
    validateDownward(errors, `${path}.downwardAPI.items`, downwardAPI.items ?? []);
  }
  validateOtherSources(errors, path, volume);
}

function validateOtherSources(errors: FieldErrors, path: string, volume: Volume): void {
  const { nfs, projected, csi, ephemeral } = volume;
  if (nfs) {
    errors.present(`${path}.nfs.server`, nfs.server);
    errors.present(`${path}.nfs.path`, nfs.path);
    if (nfs.path && !nfs.path.startsWith("/")) {
      errors.invalid(`${path}.nfs.path`, nfs.path, "must be an absolute path");
    }
  }
  if (csi) errors.present(`${path}.csi.driver`, csi.driver);
  if (ephemeral && !ephemeral.volumeClaimTemplate) {
    errors.required(`${path}.ephemeral.volumeClaimTemplate`);
  }
  if (projected) {
    validateMode(errors, `${path}.projected.defaultMode`, projected.defaultMode);
    for (const [index, source] of (projected.sources ?? []).entries()) {
      validateProjection(errors, `${path}.projected.sources[${index}]`, source);
    }
  }
}

function validateProjection(errors: FieldErrors, path: string, source: VolumeProjection): void {
  const [, ...more] = Object.keys(source);
  for (const name of more) {
    errors.forbidden(`${path}.${name}`, "may not specify more than 1 volume type per source");
  }
  for (const kind of ["secret", "configMap"] as const) {
    const projection = source[kind];
    if (!projection) continue;
    errors.present(`${path}.${kind}.name`, projection.name);
    validateItems(errors, `${path}.${kind}.items`, projection.items ?? []);
  }
  if (source.downwardAPI) {
    validateDownward(errors, `${path}.downwardAPI.items`, source.downwardAPI.items ?? []);
  }
  const token = source.serviceAccountToken;
  if (!token) return;
  const seconds = token.expirationSeconds;
  const field = `${path}.serviceAccountToken`;
  if (seconds !== undefined && seconds < 600) {
    const detail = "may not specify a duration less than 10 minutes";
    errors.invalid(`${field}.expirationSeconds`, seconds, detail);
  } else if (seconds !== undefined && seconds > 2 ** 32) {
    const detail = "may not specify a duration larger than 2^32 seconds";
    errors.invalid(`${field}.expirationSeconds`, seconds, detail);
  }
  if (errors.present(`${field}.path`, token.path)) {
    validateRelativePath(errors, `${field}.path`, token.path);
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
    if (errors.present(`${place}.key`, key)) {
      errors.complaints(`${place}.key`, key, configKeyErrors(key));
    }
    if (errors.present(`${place}.path`, path)) {
      validateRelativePath(errors, `${place}.path`, path);
    }
    validateMode(errors, `${place}.mode`, mode);
  }
}

interface DownwardItem {
  path: string;
  fieldRef?: { fieldPath: string };
  resourceFieldRef?: object;
  mode?: number;
}

function validateDownward(
  errors: FieldErrors,
  field: string,
  items: readonly DownwardItem[],
): void {
  const fields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace"];
  fields.push("metadata.uid");
  for (const [index, { path, fieldRef, resourceFieldRef, mode }] of items.entries()) {
    const place = `${field}[${index}]`;
    if (errors.present(`${place}.path`, path)) validateRelativePath(errors, `${place}.path`, path);
    if (fieldRef && resourceFieldRef) {
      const detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.invalid(place, "resource", detail);
    } else if (fieldRef) {
      const keyed = /^metadata\.(annotations|labels)\['.*'\]$/.test(fieldRef.fieldPath);
      if (!keyed) errors.oneOf(`${place}.fieldRef.fieldPath`, fieldRef.fieldPath, fields);
    } else if (!resourceFieldRef) {
      errors.required(place, "one of fieldRef and resourceFieldRef is required");
    }
    validateMode(errors, `${place}.mode`, mode);
  }
}
