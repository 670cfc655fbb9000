import { deepEqual } from "../../../lib/deep-equal.ts";
import { qualifiedNameErrors } from "../../../lib/names.ts";
import type { TopologySelectorTerm } from "../../generated/types/core-v1.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const PARAMETERS_MAX = 512;
const PARAMETERS_SIZE_MAX = 256 * 1024;

export const STORAGE_CLASS: KindRules<StorageClass> = {
  validate(errors, storageClass) {
    const { provisioner, reclaimPolicy, volumeBindingMode, parameters = {} } = storageClass;
    if (errors.present("provisioner", provisioner)) {
      const name = provisioner.toLowerCase();
      errors.complaints("provisioner", name, qualifiedNameErrors(name));
    }
    validateParameters(errors, parameters);
    if (reclaimPolicy) errors.oneOf("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
    const modes = ["Immediate", "WaitForFirstConsumer"];
    errors.oneOf("volumeBindingMode", volumeBindingMode, modes);
    validateTopologies(errors, storageClass.allowedTopologies ?? []);
  },
  validateUpdate(errors, now, old) {
    if (!deepEqual(now.parameters ?? {}, old.parameters ?? {})) {
      errors.forbidden("parameters", "updates to parameters are forbidden.");
    }
    for (const name of ["provisioner", "reclaimPolicy"] as const) {
      if (now[name] !== old[name]) errors.forbidden(name, `updates to ${name} are forbidden.`);
    }
    const values = { now: now.volumeBindingMode, old: old.volumeBindingMode };
    validateImmutable(errors, "volumeBindingMode", values);
  },
};

function validateParameters(
  errors: FieldErrors,
  parameters: Readonly<Record<string, string>>,
): void {
  const pairs = Object.entries(parameters);
  if (pairs.length > PARAMETERS_MAX) return errors.tooLong("parameters", PARAMETERS_MAX);
  let size = 0;
  for (const [key, value] of pairs) {
    if (key === "") errors.invalid("parameters", key, "field can not be empty.");
    size += key.length + value.length;
  }
  if (size > PARAMETERS_SIZE_MAX) errors.tooLong("parameters", PARAMETERS_SIZE_MAX);
}

function validateTopologies(errors: FieldErrors, terms: readonly TopologySelectorTerm[]): void {
  // As many terms that say nothing count as said before: each is complained about.
  const seen: object[] = terms.map(() => ({}));
  for (const [index, { matchLabelExpressions = [] }] of terms.entries()) {
    const path = `allowedTopologies[${index}].matchLabelExpressions`;
    const byKey: Record<string, string[]> = {};
    for (const [at, { key, values }] of matchLabelExpressions.entries()) {
      const list = values ?? [];
      if (list.length === 0) errors.required(`${path}[${at}].values`);
      for (const [place, value] of list.entries()) {
        if (list.indexOf(value) < place) {
          errors.duplicate(`${path}[${at}].values[${place}]`, value);
        }
      }
      errors.complaints(`${path}[${at}].key`, key, qualifiedNameErrors(key ?? ""));
      if (Object.hasOwn(byKey, key)) errors.duplicate(`${path}[${at}].key`, key);
      byKey[key] = [...new Set(list)].toSorted();
    }
    for (const other of seen) if (deepEqual(other, byKey)) errors.duplicate(path, "");
    seen.push(byKey);
  }
}
