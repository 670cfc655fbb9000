import { deepEqual } from "../../../lib/deep-equal.ts";
import { qualifiedNameErrors } from "../../../lib/names.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";
import { validateClaimSpec } from "../claim-spec.ts";
import type { FieldErrors } from "../field-errors.ts";
import { GoText } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { exceeds, readQuantity, validateBasicAmount } from "../values.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const STORAGE = "spec.resources.requests.storage";
const CLASS = "spec.volumeAttributesClassName";
const RESIZE_STATUSES: readonly string[] = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
];

export const PERSISTENT_VOLUME_CLAIM: KindRules<PersistentVolumeClaim> = {
  validate(errors, { spec }) {
    validateClaimSpec(errors, "spec", spec);
  },
  validateUpdate(errors, claim, old) {
    const [spec, before] = [claim.spec ?? {}, old.spec ?? {}];
    const [now, was] = [claim.metadata?.annotations, old.metadata?.annotations];
    const annotation = was?.[CLASS_ANNOTATION];
    if (now?.[CLASS_ANNOTATION] !== annotation && !movesClass(claim, old)) {
      const field = `metadata.annotations.${CLASS_ANNOTATION}`;
      errors.invalid(field, now?.[CLASS_ANNOTATION] ?? "", "field is immutable");
    }
    const wanted = withFreeParts(claim, old);
    if (!deepEqual(wanted, before)) {
      errors.forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and " +
          "volumeAttributesClassName for bound claims",
      );
    }
    validateShrinking(errors, claim, old);
    const modes = { now: spec.volumeMode ?? "", old: before.volumeMode ?? "" };
    validateImmutable(errors, "volumeMode", modes);
    const attributes = before.volumeAttributesClassName;
    if (attributes === undefined || spec.volumeAttributesClassName === attributes) return;
    if (spec.volumeAttributesClassName === undefined) {
      errors.forbidden(CLASS, "update from non-nil value to nil is forbidden");
    } else if (spec.volumeAttributesClassName === "") {
      errors.forbidden(CLASS, "update from non-nil value to an empty string is forbidden");
    }
  },
  subresources: {
    status(errors, { status }) {
      for (const [name, amount] of Object.entries(status?.capacity ?? {})) {
        validateBasicAmount(errors, `status.capacity[${name}]`, amount);
      }
      const statuses = Object.entries(status?.allocatedResourceStatuses ?? {});
      for (const [name, resize] of statuses) {
        const field = "status.allocatedResourceStatus";
        validateClaimResource(errors, field, name);
        if (RESIZE_STATUSES.includes(resize)) continue;
        errors.notSupported(field, new GoText(name), RESIZE_STATUSES);
      }
      for (const [name, amount] of Object.entries(status?.allocatedResources ?? {})) {
        validateClaimResource(errors, "status.allocatedResources", name);
        validateBasicAmount(errors, `status.allocatedResources[${name}]`, amount);
      }
    },
  },
};

/** Whether the class that the annotation named is named by the spec instead. */
function movesClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const annotation = old.metadata?.annotations?.[CLASS_ANNOTATION];
  if (annotation === undefined || old.spec?.storageClassName !== undefined) return false;
  if (claim.spec?.storageClassName !== annotation) return false;
  return claim.metadata?.annotations?.[CLASS_ANNOTATION] === undefined;
}

/** The new spec with what may change as it was. */
function withFreeParts(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): object {
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}];
  const wanted = { ...spec };
  const same = <K extends keyof typeof wanted>(name: K) => {
    if (before[name] === undefined) delete wanted[name];
    else wanted[name] = before[name];
  };
  if (!before.volumeName) same("volumeName");
  const annotation = old.metadata?.annotations?.[CLASS_ANNOTATION];
  const named = spec.storageClassName;
  if (before.storageClassName === undefined && (annotation ?? named) === named) {
    same("storageClassName");
  }
  if (claim.status?.phase !== "Bound") return wanted;
  if (spec.volumeAttributesClassName !== undefined) same("volumeAttributesClassName");
  const storage = before.resources?.requests?.["storage"];
  if (wanted.resources?.requests && storage !== undefined) {
    const requests = { ...wanted.resources.requests, storage };
    wanted.resources = { ...wanted.resources, requests };
  }
  return wanted;
}

/** A growth that failed may be taken back, but not below what the volume has. */
function validateShrinking(
  errors: FieldErrors,
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): void {
  const now = claim.spec?.resources?.requests?.["storage"] ?? "0";
  const was = old.spec?.resources?.requests?.["storage"];
  if (was === undefined || now === was) return;
  const [amount, before] = [readQuantity(errors, STORAGE, now), readQuantity(errors, STORAGE, was)];
  if (!exceeds(before, amount)) return;
  const capacity = old.status?.capacity?.["storage"] ?? "0";
  if (exceeds(amount, readQuantity(errors, STORAGE, capacity))) return;
  errors.forbidden(STORAGE, "field can not be less than status.capacity");
}

function validateClaimResource(errors: FieldErrors, field: string, name: string): void {
  const complaints = qualifiedNameErrors(name);
  errors.complaints(field, name, complaints);
  const native = !name.includes("/") || name.includes("kubernetes.io/");
  if (complaints.length === 0 && native && name !== "storage") {
    errors.notSupported(field, name, ["storage"]);
  }
}
