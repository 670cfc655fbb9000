import type { Container, Volume, VolumeMount } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateRelativePath } from "../values.ts";

const PROPAGATIONS: readonly string[] = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY: readonly string[] = ["Disabled", "Enabled", "IfPossible"];

/** The pod's volumes by name, for what refers to them. */
export type VolumesByName = ReadonlyMap<string, Volume>;

/** Where the volumes of a container stand. */
export function validateMounts(
  errors: FieldErrors,
  container: Container,
  { field, volumes }: { field: string; volumes: VolumesByName },
): void {
  const devices = container.volumeDevices ?? [];
  const paths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { name, mountPath } = mount;
    errors.present(`${path}.name`, name);
    if (!volumes.has(name)) errors.notFound(`${path}.name`, name);
    errors.present(`${path}.mountPath`, mountPath);
    if (paths.has(mountPath)) errors.invalid(`${path}.mountPath`, mountPath, "must be unique");
    paths.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      errors.invalid(`${path}.name`, name, "must not already exist in volumeDevices");
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      const detail = "must not already exist as a path in volumeDevices";
      errors.invalid(`${path}.mountPath`, mountPath, detail);
    }
    validateSubPath(errors, mount, { field, path, image: volumes.get(name)?.image !== undefined });
    validatePropagation(errors, mount, { field: `${field}.mountPropagation`, container });
    validateRecursion(errors, `${field}.recursiveReadOnly`, mount);
  }
}

function validateSubPath(
  errors: FieldErrors,
  mount: VolumeMount,
  { field, path, image }: { field: string; path: string; image: boolean },
): void {
  const { subPath, subPathExpr } = mount;
  for (const name of ["subPath", "subPathExpr"] as const) {
    const value = mount[name];
    if (image && value) {
      errors.invalid(`${path}.${name}`, value, "not allowed in image volume sources");
    }
  }
  // Refusals do not say which mount they mean.
  if (subPath) validateRelativePath(errors, `${field}.subPath`, subPath);
  if (!subPathExpr) return;
  if (subPath) {
    const detail = "subPathExpr and subPath are mutually exclusive";
    errors.invalid(`${path}.subPathExpr`, subPathExpr, detail);
  }
  validateRelativePath(errors, `${field}.subPathExpr`, subPathExpr);
}

function validatePropagation(
  errors: FieldErrors,
  { mountPropagation }: VolumeMount,
  { field, container }: { field: string; container: Container },
): void {
  errors.oneOf(field, mountPropagation, PROPAGATIONS);
  if (mountPropagation === "Bidirectional" && !container.securityContext?.privileged) {
    const detail = "Bidirectional mount propagation is available only to privileged containers";
    errors.forbidden(field, detail);
  }
}

function validateRecursion(errors: FieldErrors, field: string, mount: VolumeMount): void {
  const { recursiveReadOnly: value, readOnly, mountPropagation } = mount;
  if (value === undefined) return;
  errors.oneOf(field, value, RECURSIVE_READ_ONLY);
  if (value !== "Enabled" && value !== "IfPossible") return;
  if (!readOnly) {
    errors.forbidden(field, "may only be specified when readOnly is true");
  }
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    errors.forbidden(field, "may only be specified when mountPropagation is None or not specified");
  }
}

/** Raw devices of a container. */
export function validateDevices(
  errors: FieldErrors,
  container: Container,
  { field, volumes }: { field: string; volumes: VolumesByName },
): void {
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, { name, devicePath }] of (container.volumeDevices ?? []).entries()) {
    const path = `${field}[${index}]`;
    const volume = volumes.get(name);
    errors.present(`${path}.name`, name);
    if (names.has(name)) errors.invalid(`${path}.name`, name, "must be unique");
    if (!volume) errors.notFound(`${path}.name`, name);
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail =
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.invalid(`${path}.name`, name, detail);
    }
    errors.present(`${path}.devicePath`, devicePath);
    if (paths.has(devicePath)) errors.invalid(`${path}.devicePath`, devicePath, "must be unique");
    if (devicePath?.split("/").includes("..")) {
      errors.invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')");
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      errors.invalid(`${path}.name`, name, "must not already exist in volumeMounts");
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      const detail = "must not already exist as a path in volumeMounts";
      errors.invalid(`${path}.devicePath`, devicePath, detail);
    }
    if (name) names.add(name);
  }
}
