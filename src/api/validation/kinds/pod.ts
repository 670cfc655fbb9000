import { deepEqual } from "../../../lib/deep-equal.ts";
import type { Pod } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validatePodAnnotations } from "../pod/annotations.ts";
import { validateImageSpace } from "../pod/containers.ts";
import { validatePodSpec } from "../pod/pod-spec.ts";
import { validatePodStatus } from "../pod/pod-status.ts";
import { validateProfilesMatch } from "../pod/profile-match.ts";
import { validateEphemeralUpdate, validateResize } from "../pod/pod-subresources.ts";
import { validatePodUpdate } from "../pod/pod-update.ts";

export const POD: KindRules<Pod> = {
  validate(errors, pod, common) {
    const { metadata = {}, spec } = pod;
    if (!spec) return errors.required("spec.containers");
    validatePodAnnotations(errors, "metadata.annotations", { metadata, spec });
    if (common?.isValid) return;
    const earlier = errors.causes.length;
    validatePodSpec(errors, "spec", { spec, metadata });
    validateTokens(errors, pod);
    for (const list of ["containers", "initContainers"] as const) {
      for (const [index, container] of (spec[list] ?? []).entries()) {
        validateImageSpace(errors, `spec.${list}[${index}]`, container);
      }
    }
    if (common) common.isValid = errors.causes.length === earlier;
  },
  validateCreate(errors, { metadata = {}, spec }) {
    if (spec) validateProfilesMatch(errors, "spec", { metadata, spec });
    if ((spec?.ephemeralContainers ?? []).length > 0) {
      errors.forbidden("spec.ephemeralContainers", "cannot be set on create");
    }
    if (spec?.nodeName && (spec.schedulingGates ?? []).length > 0) {
      const detail = "cannot be set until all schedulingGates have been cleared";
      errors.forbidden("spec.nodeName", detail);
    }
  },
  validateUpdate: validatePodUpdate,
  unchanged(pod, old) {
    const annotations = [pod.metadata?.annotations, old.metadata?.annotations];
    return deepEqual(pod.spec, old.spec) && deepEqual(annotations[0], annotations[1]);
  },
  subresources: {
    status: validatePodStatus,
    ephemeralcontainers: validateEphemeralUpdate,
    resize: validateResize,
  },
};

/** Tokens are those of the pod's account. */
function validateTokens(errors: FieldErrors, { spec }: Pod): void {
  if (spec?.serviceAccountName) return;
  for (const [index, { projected }] of (spec?.volumes ?? []).entries()) {
    for (const [at, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (!serviceAccountToken) continue;
      const field = `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`;
      errors.forbidden(field, "must not be specified when serviceAccountName is not set");
    }
  }
}
