import { deepEqual } from "../../../lib/deep-equal.ts";
import type { PersistentVolume } from "../../generated/types/core-v1.ts";
import { validateModes } from "../access-modes.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateAmount } from "../values.ts";

const VOLUME_SETTINGS: readonly string[] = [
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
];

function volumeSourcesOf(spec: object): string[] {
  return Object.keys(spec).filter((name) => !VOLUME_SETTINGS.includes(name));
}

export const PERSISTENT_VOLUME: KindRules<PersistentVolume> = {
  validate(errors, { spec = {} }) {
    if ((spec.accessModes ?? []).length === 0) errors.required("spec.accessModes");
    validateModes(errors, spec.accessModes);
    const storage = spec.capacity?.storage;
    if (storage === undefined) errors.required("spec.capacity");
    else validateAmount(errors, "spec.capacity[storage]", storage);
    const policies = ["Delete", "Recycle", "Retain"];
    const policy = spec.persistentVolumeReclaimPolicy;
    errors.oneOf("spec.persistentVolumeReclaimPolicy", policy, policies);
    const [first, ...more] = volumeSourcesOf(spec);
    if (first === undefined) errors.required("spec", "must specify a volume type");
    for (const name of more) {
      errors.forbidden(`spec.${name}`, "may not specify more than 1 volume type");
    }
    if (spec.local && !spec.nodeAffinity) {
      errors.required("spec.nodeAffinity", "Local volume requires node affinity");
    }
  },
  validateUpdate(errors, { spec = {} }, old) {
    const source = (of: object) =>
      Object.fromEntries(Object.entries(of).filter(([name]) => !VOLUME_SETTINGS.includes(name)));
    if (!deepEqual(source(spec), source(old.spec ?? {}))) {
      errors.forbidden(
        "spec.persistentvolumesource",
        "spec.persistentvolumesource is immutable after creation",
      );
    }
    const values = { now: spec.volumeMode, old: old.spec?.volumeMode };
    validateImmutable(errors, "spec.volumeMode", values);
  },
};
