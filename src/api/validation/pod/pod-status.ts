import { dns1123SubdomainErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type {
  Container,
  ContainerStatus,
  Pod,
  PodStatus,
  ResourceStatus,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct, goStructs } from "../go-struct.ts";
import { GoText } from "../go-text.ts";
import { validateImmutable } from "../metadata.ts";
import { ID_RANGE, isIpv4, validateIp } from "../values.ts";
import { validatePodAnnotationsUpdate } from "./annotations.ts";

const HEALTHS: readonly string[] = ["Healthy", "Unhealthy", "Unknown"];
/** Statuses of containers, and where the containers stand that can have devices. */
const STATUS_LISTS = [
  { list: "containerStatuses", of: "containers" },
  { list: "initContainerStatuses", of: "initContainers" },
  { list: "ephemeralContainerStatuses", of: undefined },
] as const;
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
  validateClaimStatuses(errors, pod);
  validateAddresses(errors, status);
  validateUsers(errors, pod);
  validateAllocated(errors, pod);
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
    if (list === "hostIPs" && ips[0] !== undefined && (status.hostIP ?? "") !== ips[0]) {
      errors.invalid(`${field}[0].ip`, ips[0], "must be equal to `hostIP`");
    }
    for (const [index, ip] of ips.entries()) validateIp(errors, `${field}[${index}]`, ip);
    if (ips.length < 2) continue;
    const struct = list === "podIPs" ? "core.PodIP" : "core.HostIP";
    const shown = goStructs(struct, status[list]);
    if (ips.length > 2 || ips.map(isIpv4).filter(Boolean).length !== 1) {
      errors.invalid(field, shown, "may specify no more than one IP for each IP family");
    }
    for (const [index, ip] of ips.entries()) {
      if (ips.indexOf(ip) < index)
        errors.duplicate(`${field}[${index}]`, goStruct(struct, status[list]?.[index]));
    }
  }
}

/** Claims that were made for the pod are those of its spec. */
function validateClaimStatuses(errors: FieldErrors, { spec, status }: Pod): void {
  const known = (spec?.resourceClaims ?? []).map(({ name }) => name);
  const seen = new Set<string>();
  for (const [index, claim] of (status?.resourceClaimStatuses ?? []).entries()) {
    const field = `status.resourceClaimStatuses[${index}].name`;
    const name = claim.name ?? "";
    const { resourceClaimName } = claim;
    if (!known.includes(name)) {
      errors.invalid(field, name, "must match the name of an entry in `spec.resourceClaims`");
    }
    if (seen.has(name)) errors.duplicate(field, name);
    seen.add(name);
    if (resourceClaimName === undefined) continue;
    errors.complaints(field, resourceClaimName, dns1123SubdomainErrors(resourceClaimName));
  }
}

/** Whom containers run as. */
function validateUsers(errors: FieldErrors, { spec, status }: Pod): void {
  const windows = spec?.os?.name === "windows";
  for (const { list } of STATUS_LISTS) {
    for (const [index, { user }] of (status?.[list] ?? []).entries()) {
      const field = `status.${list}[${index}].linux`;
      if (!user?.linux) continue;
      if (windows) {
        errors.forbidden(field, "cannot be set for a windows pod");
        continue;
      }
      const { uid, gid, supplementalGroups = [] } = user.linux;
      errors.within(`${field}.uid`, uid ?? 0, ID_RANGE);
      errors.within(`${field}.gid`, gid ?? 0, ID_RANGE);
      for (const [at, group] of supplementalGroups.entries()) {
        errors.within(`${field}.supplementalGroups[${at}]`, group, ID_RANGE);
      }
    }
  }
}

/** Devices that containers got, and how they do. */
function validateAllocated(errors: FieldErrors, { spec, status }: Pod): void {
  for (const { list, of } of STATUS_LISTS) {
    for (const [index, { name, allocatedResourcesStatus = [] }] of (
      status?.[list] ?? []
    ).entries()) {
      const field = `status.${list}[${index}].allocatedResourcesStatus`;
      if (of === undefined) {
        if (allocatedResourcesStatus.length > 0) {
          errors.forbidden(field, "must not be specified in container status");
        }
        continue;
      }
      const container = spec?.[of]?.find((each) => each.name === name);
      for (const [at, allocated] of allocatedResourcesStatus.entries()) {
        if (container)
          validateAllocatedName(errors, `${field}[${at}].name`, { container, allocated });
        const ids = new Set<string>();
        for (const [place, { resourceID = "", health = "" }] of (
          allocated.resources ?? []
        ).entries()) {
          const path = `${field}[${at}].resources[${place}]`;
          errors.oneOf(`${path}.health`, health, HEALTHS);
          if (ids.has(resourceID)) errors.duplicate(`${path}.resourceID`, resourceID);
          ids.add(resourceID);
        }
      }
    }
  }
}

function validateAllocatedName(
  errors: FieldErrors,
  field: string,
  { container, allocated }: { container: Container; allocated: ResourceStatus },
): void {
  const name = allocated.name ?? "";
  if (!name.startsWith("claim:")) {
    if (Object.hasOwn(container.resources?.requests ?? {}, name)) return;
    const detail = "must match one of the container's resource requests";
    return errors.invalid(field, new GoText(name), detail);
  }
  const claims = (container.resources?.claims ?? []).map((claim) =>
    claim.request ? `claim:${claim.name}/${claim.request}` : `claim:${claim.name}`,
  );
  if (claims.includes(name)) return;
  const detail =
    "must match one of the container's resource claims in a format " +
    "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  errors.invalid(field, new GoText(name), detail);
}
