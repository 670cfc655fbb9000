import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct } from "../go-struct.ts";
import { ID_RANGE, validateRelativePath } from "../values.ts";
import { validateWindowsOptions } from "./windows-options.ts";

const PROFILE_PATH_MAX = 4095;
const SYSCTL_MAX = 253;
const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL = new RegExp(`^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`);
const PROFILE_TYPES: readonly string[] = ["Localhost", "RuntimeDefault", "Unconfined"];
const HOST_NETWORK_SYSCTL = /^net[./]/;
const HOST_IPC_SYSCTL = /^(kernel[./](shm|msg)|kernel[./]sem$|fs[./]mqueue[./])/;

/** The security context of a container. */
export function validateSecurityContext(
  errors: FieldErrors,
  field: string,
  context: SecurityContext | undefined,
): void {
  if (!context) return;
  for (const name of ["runAsUser", "runAsGroup"] as const) {
    errors.within(`${field}.${name}`, context[name], ID_RANGE);
  }
  errors.oneOf(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]);
  if (context.allowPrivilegeEscalation === false) {
    const refuse = (what: string) => {
      const detail = `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
      errors.invalid(field, context, detail);
    };
    if (context.privileged) refuse("`privileged` to true");
    const added = context.capabilities?.add ?? [];
    if (added.includes("CAP_SYS_ADMIN")) refuse("`capabilities.Add` CAP_SYS_ADMIN");
  }
  validateSeccomp(errors, `${field}.seccompProfile`, context.seccompProfile);
  validateWindowsOptions(errors, `${field}.windowsOptions`, context.windowsOptions);
  validateAppArmor(errors, `${field}.appArmorProfile`, context.appArmorProfile);
}

function validateSeccomp(
  errors: FieldErrors,
  field: string,
  profile: SeccompProfile | undefined,
): void {
  if (!profile) return;
  const { type, localhostProfile } = profile;
  if (!type) errors.required(`${field}.type`, "type is required when seccompProfile is set");
  else errors.oneOf(`${field}.type`, type, PROFILE_TYPES);
  if (type === "Localhost") {
    if (localhostProfile === undefined) {
      const detail = "must be set when seccomp type is Localhost";
      errors.required(`${field}.localhostProfile`, detail);
    } else validateRelativePath(errors, `${field}.localhostProfile`, localhostProfile);
  } else if (localhostProfile !== undefined) {
    const detail = "can only be set when seccomp type is Localhost";
    errors.invalid(`${field}.localhostProfile`, goStruct("core.SeccompProfile", profile), detail);
  }
}

function validateAppArmor(
  errors: FieldErrors,
  field: string,
  profile: AppArmorProfile | undefined,
): void {
  if (!profile) return;
  const { type, localhostProfile } = profile;
  const place = `${field}.localhostProfile`;
  if (!type) errors.required(`${field}.type`, "type is required when appArmorProfile is set");
  else errors.oneOf(`${field}.type`, type, PROFILE_TYPES);
  if (type !== "Localhost") {
    if (localhostProfile !== undefined && PROFILE_TYPES.includes(type)) {
      errors.invalid(place, localhostProfile, "can only be set when AppArmor type is Localhost");
    }
  } else if (!localhostProfile) {
    errors.required(place, "must be set when AppArmor type is Localhost");
  } else {
    if (localhostProfile.trim() !== localhostProfile) {
      errors.invalid(place, localhostProfile, "must not be padded with whitespace");
    }
    if (localhostProfile.length > PROFILE_PATH_MAX) errors.tooLong(place, PROFILE_PATH_MAX);
  }
}

/** The security context of a pod, and what else it shares with its node. */
export function validatePodSecurity(errors: FieldErrors, field: string, spec: PodSpec): void {
  const path = `${field}.securityContext`;
  const context = spec.securityContext ?? {};
  for (const name of ["fsGroup", "runAsUser", "runAsGroup"] as const) {
    errors.within(`${path}.${name}`, context[name], ID_RANGE);
  }
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    errors.within(`${path}.supplementalGroups[${index}]`, group, ID_RANGE);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.invalid(`${path}.shareProcessNamespace`, true, detail);
  }
  validateSysctls(errors, `${path}.sysctls`, spec);
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context;
  const oneOf = (name: keyof PodSecurityContext, value: string | undefined, of: string[]) =>
    errors.oneOf(`${path}.${name}`, value, of);
  oneOf("fsGroupChangePolicy", fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  validateSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  validateWindowsOptions(errors, `${path}.windowsOptions`, context.windowsOptions);
  validateAppArmor(errors, `${path}.appArmorProfile`, context.appArmorProfile);
  oneOf("supplementalGroupsPolicy", supplementalGroupsPolicy, ["Merge", "Strict"]);
  oneOf("seLinuxChangePolicy", seLinuxChangePolicy, ["MountOption", "Recursive"]);
  if (spec.hostUsers !== false) return;
  const shared = { hostNetwork: spec.hostNetwork, HostPID: spec.hostPID, HostIPC: spec.hostIPC };
  for (const [name, set] of Object.entries(shared)) {
    if (set) errors.forbidden(`${field}.${name}`, "when `pod.Spec.HostUsers` is false");
  }
}

function validateSysctls(errors: FieldErrors, field: string, spec: PodSpec): void {
  const names = new Set<string>();
  for (const [index, { name }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const place = `${field}[${index}].name`;
    if (!errors.present(place, name)) continue;
    if (name.length > SYSCTL_MAX || !SYSCTL.test(name)) {
      const detail = `must have at most ${SYSCTL_MAX} characters and match regex ${SYSCTL.source}`;
      errors.invalid(place, name, detail);
    } else if (names.has(name)) errors.duplicate(place, name);
    if (spec.hostNetwork && HOST_NETWORK_SYSCTL.test(name)) {
      errors.invalid(place, name, "may not be specified when 'hostNetwork' is true");
    } else if (spec.hostIPC && HOST_IPC_SYSCTL.test(name)) {
      errors.invalid(place, name, "may not be specified when 'hostIPC' is true");
    }
    names.add(name);
  }
}
