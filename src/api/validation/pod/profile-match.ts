import type { AppArmorProfile, PodSpec, SeccompProfile } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { APP_ARMOR_CONTAINER, SECCOMP_CONTAINER, SECCOMP_POD } from "./annotations.ts";
import { containersOf } from "./operating-system.ts";

const LOCAL = "localhost/";
/** What annotations say for the types of profiles that have one spelling, or two. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  Unconfined: ["unconfined"],
  RuntimeDefault: ["runtime/default"],
};

interface Match {
  what: "seccomp" | "apparmor";
  annotation: string | undefined;
  profile: SeccompProfile | AppArmorProfile | undefined;
}

/** Annotations say the same as the fields that came after them, where both are there. */
export function validateProfilesMatch(
  errors: FieldErrors,
  field: string,
  { metadata, spec }: { metadata: ObjectMeta; spec: PodSpec },
): void {
  const { annotations } = metadata;
  if (!annotations) return;
  const context = spec.securityContext ?? {};
  validateMatch(errors, `${field}.securityContext.seccompProfile`, {
    what: "seccomp",
    annotation: annotations[SECCOMP_POD],
    profile: context.seccompProfile,
  });
  for (const [path, { name, securityContext }] of containersOf(spec, field)) {
    validateMatch(errors, `${path}.securityContext.seccompProfile`, {
      what: "seccomp",
      annotation: annotations[`${SECCOMP_CONTAINER}${name}`],
      profile: securityContext?.seccompProfile,
    });
    if (spec.os?.name === "windows") continue;
    validateMatch(errors, `${path}.securityContext.appArmorProfile`, {
      what: "apparmor",
      annotation: annotations[`${APP_ARMOR_CONTAINER}${name}`],
      profile: securityContext?.appArmorProfile ?? context.appArmorProfile,
    });
  }
}

function validateMatch(
  errors: FieldErrors,
  path: string,
  { what, annotation, profile }: Match,
): void {
  if (annotation === undefined || !profile) return;
  const { type, localhostProfile } = profile;
  const wrongType = () =>
    errors.forbidden(`${path}.type`, `${what} type in annotation and field must match`);
  if (type === "Localhost") {
    if (!annotation.startsWith(LOCAL)) wrongType();
    else if (annotation.slice(LOCAL.length) !== localhostProfile) {
      const detail = `${what} profile in annotation and field must match`;
      errors.forbidden(`${path}.localhostProfile`, detail);
    }
    return;
  }
  const spellings = Object.hasOwn(SPELLINGS, type) ? SPELLINGS[type] : undefined;
  if (!spellings || spellings.includes(annotation)) return;
  const alias = what === "seccomp" && type === "RuntimeDefault" && annotation === "docker/default";
  if (!alias) wrongType();
}
