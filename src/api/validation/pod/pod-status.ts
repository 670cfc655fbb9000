import { dns1123SubdomainErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { ContainerStatus, Pod, PodStatus } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateImmutable } from "../metadata.ts";
import { isIpv4, validateIp } from "../values.ts";
import { validatePodAnnotationsUpdate } from "./annotations.ts";

const SYSTEM_CONDITIONS: readonly string[] = ["PodScheduled", "Ready", "Initialized"];

/** What the status of a pod may become. */
export function validatePodStatus(errors: FieldErrors, pod: Pod, old: Pod): void {
  validatePodAnnotationsUpdate(errors, pod, old);
  const [status, before] = [pod.status ?? {}, old.status ?? {}];
  for (const [index, { type }] of (status.conditions ?? []).entries()) {
    if (SYSTEM_CONDITIONS.includes(type)) continue;
    errors.complaints(`metadata.conditions[${index}].Type`, type, qualifiedNameErrors(type ?? ""));
  }
  const nominated = status.nominatedNodeName ?? "";
  if (nominated && nominated !== before.nominatedNodeName) {
    errors.complaints("status.nominatedNodeName", nominated, dns1123SubdomainErrors(nominated));
  }
  validateImmutable(errors, "status.qosClass", { now: status.qosClass, old: before.qosClass });
  validateTransitions(errors, pod, old);
  validateAddresses(errors, status);
}

/** Containers that ended for good do not come back. */
function validateTransitions(errors: FieldErrors, pod: Pod, old: Pod): void {
  const policy = old.spec?.restartPolicy ?? "Always";
  const restarting = (old.spec?.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === "Always")
    .map(({ name }) => name);
  const lists = [
    ["containerStatuses", policy, []],
    ["initContainerStatuses", policy, restarting],
    ["ephemeralContainerStatuses", "Never", []],
  ] as const;
  for (const [list, restartPolicy, exempt] of lists) {
    const exemptNames: readonly string[] = exempt;
    if (restartPolicy === "Always") continue;
    const now = pod.status?.[list] ?? [];
    for (const [index, status] of (old.status?.[list] ?? []).entries()) {
      const ended = status.state?.terminated;
      if (!ended || (ended.exitCode !== 0 && restartPolicy === "OnFailure")) continue;
      if (exemptNames.includes(status.name) || !revived(now, status.name)) continue;
      const detail = "may not be transitioned to non-terminated state";
      errors.forbidden(`status.${list}[${index}].state`, detail);
    }
  }
}

function revived(statuses: readonly ContainerStatus[], name: string): boolean {
  return statuses.some((status) => status.name === name && !status.state?.terminated);
}

function validateAddresses(errors: FieldErrors, status: PodStatus): void {
  for (const list of ["podIPs", "hostIPs"] as const) {
    const ips = (status[list] ?? []).map(({ ip }) => ip ?? "");
    const field = `status.${list}`;
    if (list === "hostIPs" && ips[0] !== undefined && status.hostIP !== ips[0]) {
      errors.invalid(`${field}[0].ip`, ips[0], "must be equal to `hostIP`");
    }
    for (const [index, ip] of ips.entries()) validateIp(errors, `${field}[${index}]`, ip);
    if (ips.length < 2) continue;
    if (ips.length > 2 || ips.map(isIpv4).filter(Boolean).length !== 1) {
      errors.invalid(field, status[list], "may specify no more than one IP for each IP family");
    }
    for (const [index, ip] of ips.entries()) {
      if (ips.indexOf(ip) < index) errors.duplicate(`${field}[${index}]`, status[list]?.[index]);
    }
  }
}
