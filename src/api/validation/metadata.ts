import { deepEqual } from "../../lib/deep-equal.ts";
import { dns1123LabelErrors, labelValueErrors, qualifiedNameErrors } from "../../lib/names.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../generated/types/meta-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { GoText, goStrings } from "./go-text.ts";

/** Complaints about a name; for a prefix the trailing dash of `generateName` is already gone. */
export type NameRule = (name: string) => string[];

const FIELD_MANAGER_MAX = 128;
const SUBRESOURCE_MAX = 256;
const ANNOTATIONS_SIZE_MAX = 256 * 1024;
const STANDARD_FINALIZERS: readonly string[] = ["kubernetes", "orphan", "foregroundDeletion"];
const PRINTABLE_ASCII = /^[ -~]*$/;
const IMMUTABLE = ["name", "namespace", "uid", "creationTimestamp"] as const;
/** Only the server says these, once it deletes. */
const OF_DELETION = ["deletionTimestamp", "deletionGracePeriodSeconds"] as const;

/** Rules of `metadata` that all kinds share. */
export function validateMetadata(
  errors: FieldErrors,
  metadata: ObjectMeta,
  options: {
    namespaced: boolean;
    nameRule: NameRule;
    anyFinalizer?: boolean;
    /** The name that it already has, however it came to it. */
    knownAs?: string | undefined;
  },
): void {
  const { name = "", generateName, namespace } = metadata;
  if (generateName) {
    const prefix = generateName.replace(/-$/, "a");
    errors.complaints("metadata.generateName", generateName, options.nameRule(prefix));
  }
  if (name === "") errors.required("metadata.name", "name or generateName is required");
  else if (name !== options.knownAs) {
    errors.complaints("metadata.name", name, options.nameRule(name));
  }
  if (!options.namespaced) {
    if (namespace) errors.forbidden("metadata.namespace", "not allowed on this type");
  } else if (errors.present("metadata.namespace", namespace)) {
    errors.complaints("metadata.namespace", namespace, dns1123LabelErrors(namespace));
  }
  errors.nonNegative("metadata.generation", metadata.generation);
  validateLabels(errors, "metadata.labels", metadata.labels);
  validateAnnotations(errors, "metadata.annotations", metadata.annotations);
  validateOwners(errors, metadata.ownerReferences ?? []);
  validateFinalizers(errors, metadata.finalizers ?? [], options.anyFinalizer ?? false);
  validateManagedFields(errors, metadata.managedFields ?? []);
}

function validateManagedFields(errors: FieldErrors, entries: readonly ManagedFieldsEntry[]): void {
  for (let at = 0; at < entries.length; at++) {
    const { operation, fieldsType, subresource, manager } = entries[at] as ManagedFieldsEntry;
    const field = `metadata.managedFields[${at}]`;
    if (operation !== "Apply" && operation !== "Update") {
      errors.invalid(`${field}.operation`, operation ?? "", "must be `Apply` or `Update`");
    }
    if (fieldsType && fieldsType !== "FieldsV1") {
      errors.invalid(`${field}.fieldsType`, fieldsType, "must be `FieldsV1`");
    }
    validateFieldManager(errors, `${field}.manager`, manager ?? "");
    if ((subresource ?? "").length > SUBRESOURCE_MAX) {
      errors.tooLong(`${field}.subresource`, SUBRESOURCE_MAX);
    }
  }
}

/** The name that owns fields of an object. */
export function validateFieldManager(errors: FieldErrors, field: string, manager: string): void {
  if (manager.length > FIELD_MANAGER_MAX) errors.tooLong(field, FIELD_MANAGER_MAX);
  if (PRINTABLE_ASCII.test(manager)) return;
  for (const { 0: character, index } of manager.matchAll(/\p{C}|(?! )\p{Z}/gu)) {
    const point = character.codePointAt(0) ?? 0;
    const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
    errors.invalid(field, manager, `invalid character ${code} (at position ${index})`);
  }
}

/** Keys and values of labels, or of selectors that are plain maps. */
export function validateLabels(
  errors: FieldErrors,
  field: string,
  labels: Readonly<Record<string, string>> = {},
): void {
  for (const key of Object.keys(labels)) {
    const value = labels[key] ?? "";
    errors.complaints(field, key, qualifiedNameErrors(key));
    errors.complaints(field, value, labelValueErrors(value));
  }
}

/** Keys of annotations, and their size together. */
export function validateAnnotations(
  errors: FieldErrors,
  field: string,
  annotations: Readonly<Record<string, string>> = {},
): void {
  let size = 0;
  for (const key of Object.keys(annotations)) {
    const value = annotations[key] ?? "";
    errors.complaints(field, key, qualifiedNameErrors(key.toLowerCase()));
    size += key.length + value.length;
  }
  if (size > ANNOTATIONS_SIZE_MAX) errors.tooLong(field, ANNOTATIONS_SIZE_MAX);
}

function validateOwners(errors: FieldErrors, owners: readonly OwnerReference[]): void {
  const field = "metadata.ownerReferences";
  let controller = "";
  for (const owner of owners) {
    const { kind, name } = owner;
    const apiVersion = owner.apiVersion ?? "";
    if (!apiVersion.split("/").at(-1)) {
      errors.invalid(`${field}.apiVersion`, apiVersion, "version must not be empty");
    }
    for (const part of ["kind", "name", "uid"] as const) {
      if (!owner[part]) errors.invalid(`${field}.${part}`, "", `${part} must not be empty`);
    }
    if (kind === "Event" && apiVersion === "v1") {
      errors.invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner");
    }
    if (!owner.controller) continue;
    if (controller) {
      errors.invalid(
        field,
        owners,
        'Only one reference can have Controller set to true. Found "true" in references for ' +
          `${controller} and ${kind}/${name}`,
      );
    }
    controller ||= `${kind}/${name}`;
  }
}

function validateFinalizers(
  errors: FieldErrors,
  finalizers: readonly string[],
  anyName: boolean,
): void {
  const field = "metadata.finalizers";
  for (const [at, finalizer] of finalizers.entries()) {
    errors.complaints(field, finalizer, qualifiedNameErrors(finalizer));
    if (!anyName && !finalizer.includes("/") && !STANDARD_FINALIZERS.includes(finalizer)) {
      errors.invalid(
        `${field}[${at}]`,
        finalizer,
        "name is neither a standard finalizer name nor is it fully qualified",
      );
    }
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.invalid(
      field,
      goStrings(finalizers),
      "finalizer orphan and foregroundDeletion cannot be both set",
    );
  }
}

/** What an update may not do to `metadata`. Members the client left out count as unchanged. */
export function validateMetadataUpdate(
  errors: FieldErrors,
  metadata: ObjectMeta,
  old: ObjectMeta,
): void {
  for (const name of IMMUTABLE) {
    const value = metadata[name];
    if (value !== undefined && old[name] !== undefined && value !== old[name]) {
      errors.invalid(`metadata.${name}`, value, "field is immutable");
    }
  }
  for (const name of OF_DELETION) {
    const value = metadata[name];
    if (value === undefined || value === old[name]) continue;
    const shown = typeof value === "string" ? goTime(value) : value;
    errors.invalid(`metadata.${name}`, shown, "field is immutable");
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0) && metadata.generation !== undefined) {
    errors.invalid("metadata.generation", metadata.generation, "must not be decremented");
  }
  if (!old.deletionTimestamp) return;
  const added = (metadata.finalizers ?? []).filter((name) => !old.finalizers?.includes(name));
  if (added.length > 0) {
    errors.forbidden(
      "metadata.finalizers",
      "no new finalizers can be added if the object is being deleted, found new finalizers " +
        `[]string{${added.map((name) => JSON.stringify(name)).join(", ")}}`,
    );
  }
}

/** A time of whole seconds in UTC, as Go prints it. */
function goTime(time: string): GoText {
  return new GoText(time.replace("T", " ").replace("Z", " +0000 UTC"));
}

/** A field that no update may change; `shown` is how a refusal prints it. */
export function validateImmutable(
  errors: FieldErrors,
  field: string,
  values: { now: unknown; old: unknown; detail?: string; shown?: GoText },
): void {
  if (deepEqual(values.now, values.old)) return;
  errors.invalid(field, values.shown ?? values.now, values.detail ?? "field is immutable");
}
