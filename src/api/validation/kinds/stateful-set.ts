import { deepEqual } from "../../../lib/deep-equal.ts";
import { dns1123LabelErrors } from "../../../lib/names.ts";
import type { StatefulSet, StatefulSetSpec } from "../../generated/types/apps-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct } from "../go-struct.ts";
import { goSelector } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateAnnotations, validateLabels } from "../metadata.ts";
import { validatePodAnnotations } from "../pod/annotations.ts";
import {
  isReadable,
  type StatusRules,
  validateKeptRunning,
  validateSelected,
  validateStatus,
  validateWorkloadSelector,
} from "../workload.ts";

const FREE: readonly string[] = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];
const STATUS: StatusRules = {
  counts: [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ],
  parts: [
    ["readyReplicas", "replicas"],
    ["currentReplicas", "replicas"],
    ["updatedReplicas", "replicas"],
    ["availableReplicas", "replicas"],
    ["availableReplicas", "readyReplicas", "status.readyReplicas"],
  ],
};

export const STATEFUL_SET: KindRules<StatefulSet> = {
  // Its pods are called by it as hosts.
  nameRule: dns1123LabelErrors,
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    const policy = spec.podManagementPolicy;
    if (policy !== undefined && policy !== "OrderedReady" && policy !== "Parallel") {
      const detail = "must be 'OrderedReady' or 'Parallel'";
      errors.invalid("spec.podManagementPolicy", policy, detail);
    }
    validateStrategy(errors, spec);
    const retention = spec.persistentVolumeClaimRetentionPolicy;
    for (const when of ["whenDeleted", "whenScaled"] as const) {
      const field = `spec.persistentVolumeClaimRetentionPolicy.${when}`;
      errors.oneOf(field, retention?.[when], ["Retain", "Delete"]);
    }
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    errors.nonNegative("spec.ordinals.start", spec.ordinals?.start);
    validateWorkloadSelector(errors, spec.selector, "statefulset");
    if (spec.selector && !isReadable(spec.selector)) {
      return errors.invalid("spec.selector", goSelector(spec.selector), "");
    }
    validateSelected(errors, spec.template, spec.selector);
    // The pods get volumes that the template does not name: their own rules judge them.
    const { metadata = {}, spec: pod } = spec.template ?? {};
    validateLabels(errors, "spec.template.labels", metadata.labels);
    const field = "spec.template.annotations";
    validateAnnotations(errors, field, metadata.annotations);
    if (pod) validatePodAnnotations(errors, field, { metadata, spec: pod });
    validateKeptRunning(errors, spec.template, "StatefulSet");
  },
  validateUpdate(errors, { spec }, old) {
    if (!spec || !old.spec || deepEqual(fixedOf(spec), fixedOf(old.spec))) return;
    errors.forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
        "'minReadySeconds' are forbidden",
    );
  },
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, STATUS);
    },
  },
};

function fixedOf(spec: StatefulSetSpec): object {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !FREE.includes(name)));
}

function validateStrategy(errors: FieldErrors, { updateStrategy = {} }: StatefulSetSpec): void {
  const { type, rollingUpdate } = updateStrategy;
  const field = "spec.updateStrategy";
  if (type === "OnDelete") {
    if (rollingUpdate) {
      const detail = "only allowed for updateStrategy 'RollingUpdate'";
      const shown = goStruct("apps.RollingUpdateStatefulSetStrategy", rollingUpdate);
      errors.invalid(`${field}.rollingUpdate`, shown, detail);
    }
  } else if (type !== undefined && type !== "RollingUpdate") {
    const shown = goStruct("apps.StatefulSetUpdateStrategy", updateStrategy);
    errors.invalid(field, shown, "must be 'RollingUpdate' or 'OnDelete'");
  } else errors.nonNegative(`${field}.rollingUpdate.partition`, rollingUpdate?.partition);
}
