import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../lib/names.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type {
  PersistentVolumeClaimSpec,
  TypedObjectReference,
} from "../generated/types/core-v1.ts";
import { ACCESS_MODES, VOLUME_MODES } from "./access-modes.ts";
import type { FieldErrors } from "./field-errors.ts";
import { validatePositiveAmount, validateSelector } from "./values.ts";

/** What a claim asks for: of its own, in a pod's ephemeral volume or in a StatefulSet. */
export function validateClaimSpec(
  errors: FieldErrors,
  field: string,
  spec: PersistentVolumeClaimSpec = {},
): void {
  const { accessModes = [], storageClassName, volumeAttributesClassName } = spec;
  if (accessModes.length === 0) {
    errors.required(`${field}.accessModes`, "at least 1 access mode is required");
  }
  validateSelector(errors, `${field}.selector`, spec.selector);
  for (const mode of accessModes) errors.oneOf(`${field}.accessModes`, mode, ACCESS_MODES);
  if (accessModes.includes("ReadWriteOncePod") && new Set(accessModes).size > 1) {
    const detail = "may not use ReadWriteOncePod with other access modes";
    errors.forbidden(`${field}.accessModes`, detail);
  }
  const storage = spec.resources?.requests?.["storage"];
  if (storage === undefined) errors.required(`${field}.resources[storage]`);
  else validatePositiveAmount(errors, `${field}.resources[storage]`, storage);
  for (const [name, value] of Object.entries({ storageClassName, volumeAttributesClassName })) {
    if (value) errors.complaints(`${field}.${name}`, value, dns1123SubdomainErrors(value));
  }
  errors.oneOf(`${field}.volumeMode`, spec.volumeMode, VOLUME_MODES);
  validateDataSources(errors, field, spec);
}

function validateDataSources(
  errors: FieldErrors,
  field: string,
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
): void {
  if (dataSource) validateDataSource(errors, `${field}.dataSource`, dataSource);
  if (dataSourceRef) validateDataSource(errors, `${field}.dataSourceRef`, dataSourceRef);
  if (!dataSource || !dataSourceRef) return;
  const { namespace, ...reference } = dataSourceRef;
  if (namespace) {
    const detail = "may not be specified when dataSourceRef.namespace is specified";
    errors.invalid(field, `${field}.dataSource`, detail);
  } else if (!deepEqual(dataSource, reference)) {
    errors.invalid(field, `${field}.dataSource`, "must match dataSourceRef");
  }
}

function validateDataSource(
  errors: FieldErrors,
  field: string,
  { name, kind, apiGroup, namespace }: TypedObjectReference,
): void {
  errors.present(`${field}.name`, name);
  errors.present(`${field}.kind`, kind);
  if (apiGroup) errors.complaints(`${field}.apiGroup`, apiGroup, dns1123SubdomainErrors(apiGroup));
  else if (kind !== "PersistentVolumeClaim") {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.invalid(field, kind, detail);
  }
  if (namespace) errors.complaints(`${field}.namespace`, namespace, dns1123LabelErrors(namespace));
}
