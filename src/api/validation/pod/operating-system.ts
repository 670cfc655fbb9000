import type { Container, PodSpec } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";

/** Fields of pods and of their security contexts that Windows does not know. */
const LINUX_POD = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const LINUX_POD_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;
const LINUX_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

/** A pod that names its operating system has no fields of another. */
export function validateOperatingSystem(errors: FieldErrors, field: string, spec: PodSpec): void {
  if (!spec.os) return;
  const { name } = spec.os;
  if (!name) return errors.required(`${field}.os.name`, "cannot be empty");
  errors.oneOf(`${field}.os`, name, ["linux", "windows"]);
  const contexts = containersOf(spec, field).map(([path, { securityContext = {} }]) => {
    return [`${path}.securityContext`, securityContext] as const;
  });
  const podContext = spec.securityContext ?? {};
  if (name === "linux") {
    const all = [[`${field}.securityContext`, podContext] as const, ...contexts];
    for (const [path, { windowsOptions }] of all) {
      const detail = "windows options cannot be set for a linux pod";
      if (windowsOptions) errors.forbidden(`${path}.windowsOptions`, detail);
    }
  } else if (name === "windows") {
    const refuse = (path: string) => errors.forbidden(path, "cannot be set for a windows pod");
    for (const part of LINUX_POD) if (spec[part] !== undefined) refuse(`${field}.${part}`);
    for (const part of LINUX_POD_CONTEXT) {
      if (podContext[part] !== undefined) refuse(`${field}.securityContext.${part}`);
    }
    for (const [path, context] of contexts) {
      for (const part of LINUX_CONTEXT) {
        if (context[part] !== undefined) refuse(`${path}.${part}`);
      }
    }
  }
}

/** Every container of a pod with its path, in the order upstream visits them. */
export function containersOf(spec: PodSpec, field: string): [path: string, Container][] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index): [string, Container] => [
      `${field}.${list}[${index}]`,
      container,
    ]),
  );
}
