import type { Pod, PodSpec } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateRelativePath } from "../values.ts";
import { containersOf } from "./operating-system.ts";

export const MIRROR_POD = "kubernetes.io/config.mirror";
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
export const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
export const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
export const APP_ARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/";
const INT32_MAX = 2 ** 31;

interface Annotated {
  metadata: Pick<ObjectMeta, "annotations">;
  spec: PodSpec;
}

/** Annotations of a pod or of a template for pods that mean something to Kubernetes. */
export function validatePodAnnotations(errors: FieldErrors, field: string, pod: Annotated): void {
  const annotations = pod.metadata.annotations ?? {};
  const mirror = annotations[MIRROR_POD];
  if (mirror !== undefined && !pod.spec.nodeName) {
    const detail = "must set spec.nodeName if mirror pod annotation is set";
    errors.invalid(`${field}[${MIRROR_POD}]`, mirror, detail);
  }
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isInt32(cost)) {
    errors.invalid(`${field}[${DELETION_COST}]`, cost, "must be a 32bit integer");
  }
  validateProfileAnnotations(errors, field, pod);
}

/** As Go reads one: no sign of plus, no leading zeros. */
function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9][0-9]{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -INT32_MAX && value < INT32_MAX;
}

/** Old spellings of seccomp and AppArmor profiles. */
function validateProfileAnnotations(
  errors: FieldErrors,
  field: string,
  { metadata, spec }: Annotated,
): void {
  for (const [key, profile] of Object.entries(metadata.annotations ?? {})) {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) {
      validateSeccompName(errors, `${field}.${key}`, profile);
    } else if (key.startsWith(APP_ARMOR_CONTAINER)) {
      const name = key.slice(APP_ARMOR_CONTAINER.length);
      if (!containersOf(spec, "spec").some(([, container]) => container.name === name)) {
        errors.invalid(`${field}[${key}]`, name, "container not found");
      }
      if (!/^(|runtime\/default|unconfined|localhost\/.*)$/s.test(profile)) {
        const detail = `invalid AppArmor profile name: ${JSON.stringify(profile)}`;
        errors.invalid(`${field}[${key}]`, profile, detail);
      }
    }
  }
}

function validateSeccompName(errors: FieldErrors, field: string, profile: string): void {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return;
  if (profile.startsWith("localhost/")) {
    validateRelativePath(errors, field, profile.slice("localhost/".length));
  } else errors.invalid(field, profile, "must be a valid seccomp profile");
}

/** AppArmor and the mark of mirror pods stay as the pod was made with them. */
export function validatePodAnnotationsUpdate(errors: FieldErrors, pod: Pod, old: Pod): void {
  const now = pod.metadata?.annotations ?? {};
  const before = old.metadata?.annotations ?? {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (now[key] === before[key]) continue;
    const verb = before[key] === undefined ? "add" : "remove or update";
    const field = `metadata.annotations[${key}]`;
    if (key.startsWith(APP_ARMOR_CONTAINER)) {
      errors.forbidden(field, `may not ${verb} AppArmor annotations`);
    } else if (key === MIRROR_POD) {
      errors.forbidden(field, `may not ${verb} mirror pod annotation`);
    }
  }
}
