import type { Container, Pod, ResourceRequirements } from "../../api/generated/types/core-v1.ts";
import type { ContainerResources } from "../runtime/contract.ts";

/** Where a change of resources stands, as `status.resize` says it. */
export type ResizeState = "InProgress" | "Deferred" | "Infeasible";

/** What the node says to a change: yes, not now, or never. */
export type ResizeVerdict = "fits" | "deferred" | "infeasible";

/** Resources by container name. */
export type ContainerAllocations = ReadonlyMap<string, ResourceRequirements>;

/** Only these can change while a container runs. */
const NAMES = ["cpu", "memory"] as const;

/** What the pod was promised, as its status remembers it; else what it asks for. */
export function allocationsOf(pod: Pod): ContainerAllocations {
  const { spec, status } = pod;
  return new Map(
    (spec?.containers ?? []).map(({ name, resources = {} }) => {
      const stored = status?.containerStatuses?.find((one) => one.name === name);
      const requests = stored?.allocatedResources;
      if (!requests) return [name, resources];
      return [name, { ...resources, requests, limits: stored?.resources?.limits ?? {} }];
    }),
  );
}

/** What the pod asks for, promised. */
export function specAllocations({ spec }: Pod): ContainerAllocations {
  return new Map((spec?.containers ?? []).map(({ name, resources = {} }) => [name, resources]));
}

/** The pod as the node runs it: with the resources that it was promised. */
export function withAllocations(pod: Pod, allocations: ContainerAllocations): Pod {
  if (!asksForOther(pod, allocations)) return pod;
  const containers = (pod.spec?.containers ?? []).map((container): Container => {
    const resources = allocations.get(container.name);
    return resources ? { ...container, resources } : container;
  });
  return { ...pod, spec: { ...pod.spec, containers } };
}

/** Whether the pod asks for something else than it was promised. */
export function asksForOther(pod: Pod, allocations: ContainerAllocations): boolean {
  return (pod.spec?.containers ?? []).some(({ name, resources }) => {
    const promised = allocations.get(name);
    return promised !== undefined && changedNames(promised, resources).length > 0;
  });
}

/** Which of the resources that can change differ. */
export function changedNames(
  before: ResourceRequirements | undefined,
  after: ResourceRequirements | undefined,
): string[] {
  return NAMES.filter((name) =>
    (["requests", "limits"] as const).some(
      (kind) => before?.[kind]?.[name] !== after?.[kind]?.[name],
    ),
  );
}

/** Whether a container has to start anew for its resources to change. */
export function needsRestart(container: Container, running: ResourceRequirements): boolean {
  const changed = changedNames(running, container.resources);
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === "RestartContainer" && changed.includes(resourceName),
  );
}

/** Limits under which both hold: a pod's group must never be smaller than its containers'. */
export function looserOf(a: ContainerResources, b: ContainerResources): ContainerResources {
  const larger = (of: "cpuShares" | "cpuQuotaUs" | "memoryLimitBytes") => {
    const [left, right] = [a[of], b[of]];
    return left === undefined || right === undefined ? {} : { [of]: Math.max(left, right) };
  };
  const { cpuPeriodUs } = b;
  return {
    ...larger("cpuShares"),
    ...(cpuPeriodUs === undefined || a.cpuPeriodUs === undefined ? {} : { cpuPeriodUs }),
    ...larger("cpuQuotaUs"),
    ...larger("memoryLimitBytes"),
  };
}

/** What a container's status tells of its resources; nothing for one that asks for nothing. */
export function toldResources(
  promised: ResourceRequirements | undefined,
  running: ResourceRequirements | undefined,
): { allocatedResources?: Record<string, string>; resources?: ResourceRequirements } {
  const { requests, limits } = promised ?? {};
  if (!requests && !limits) return {};
  const { requests: actual, limits: capped } = running ?? promised ?? {};
  return {
    ...(requests ? { allocatedResources: requests } : {}),
    resources: { ...(capped ? { limits: capped } : {}), ...(actual ? { requests: actual } : {}) },
  };
}
