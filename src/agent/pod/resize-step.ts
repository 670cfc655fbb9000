import type { Container, Pod, ResourceRequirements } from "../../api/generated/types/core-v1.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { ContainerResources, ContainerStatus } from "../runtime/contract.ts";
import { containerIdOf } from "./container-status.ts";
import { isAlive } from "./observation.ts";
import type { PodParts } from "./pod-context.ts";
import { messageOf, nextFailure } from "./pod-failure.ts";
import { containerResources, podResources, type ResourceRules } from "./pod-resources.ts";
import type { PodState } from "./pod-state.ts";
import { changedNames, looserOf, needsRestart } from "./resize.ts";

/** What the limits of a running container were made from, as an earlier agent told it. */
export function runningResources(
  pod: Pod,
  { name, id }: ContainerStatus,
): ResourceRequirements | undefined {
  const stored = pod.status?.containerStatuses?.find((one) => one.name === name);
  const told = stored?.containerID === containerIdOf(id) ? stored.resources : undefined;
  return told ?? pod.spec?.containers.find((container) => container.name === name)?.resources;
}

/** A change that was accepted is in progress until every running container has it. */
export function markResize(state: PodState, rules: ResourceRules): void {
  const { podLimits } = state;
  state.limitsDue = podLimits !== undefined && !holds(podLimits, limitsOf(state, rules));
  if (state.resize === "Deferred" || state.resize === "Infeasible") return;
  const pending = runningContainers(state).some(
    ({ container, running }) => changedNames(running, container.resources).length > 0,
  );
  state.resize = pending ? "InProgress" : undefined;
  // Limits that the pod's group still has to get may be what failed.
  if (!pending && !state.limitsDue) state.resizeFailure = undefined;
}

/**
 * Sets the new limits: first of the pod so wide that old and new fit in, then of its containers,
 * then of the pod as it is to be. A failure is kept in the state and tried again.
 */
export async function resizePod(state: PodState, parts: PodParts): Promise<void> {
  const { pod } = state;
  const { rules, memoryBytes: nodeMemoryBytes } = parts.node;
  const uid = pod.metadata?.uid ?? "";
  const due = runningContainers(state).filter(
    ({ container, running }) =>
      changedNames(running, container.resources).length > 0 && !needsRestart(container, running),
  );
  const setPod = async (limits: ContainerResources) => {
    await parts.runtime.updateSandbox(uid, limits);
    state.podLimits = { ...state.podLimits, ...limits };
  };
  try {
    await setPod(looserOf(state.podLimits ?? {}, podResources(pod, rules)));
    for (const { container, id, record } of due) {
      const limits = containerResources(pod, { container, nodeMemoryBytes, rules });
      await parts.runtime.updateResources(id, limits);
      record.resources = container.resources ?? {};
    }
    await setPod(limitsOf(state, rules));
    state.resizeFailure = undefined;
  } catch (error) {
    const cause = { reason: "ResizeFailed", message: messageOf(error) };
    state.resizeFailure = nextFailure(state.resizeFailure, cause, parts.clock.now());
    parts.logger.warn("cannot change the resources of a pod", { uid, error: cause.message });
  }
}

/** As wide as both, for as long as a container runs with what it had before. */
function limitsOf(state: PodState, rules: ResourceRules): ContainerResources {
  const after = podResources(state.pod, rules);
  const changed = runningContainers(state).some(
    ({ container, running }) => changedNames(running, container.resources).length > 0,
  );
  return changed ? looserOf(podResources(withRunning(state), rules), after) : after;
}

function holds(limits: ContainerResources, wanted: ContainerResources): boolean {
  const names = Object.keys(wanted) as (keyof ContainerResources)[];
  return names.every((name) => deepEqual(limits[name], wanted[name]));
}

function runningContainers({ pod, containers }: PodState) {
  return (pod.spec?.containers ?? []).flatMap((container) => {
    const seen = containers.get(container.name);
    const record = isAlive(seen) ? seen?.current : undefined;
    if (!record) return [];
    return [{ container, record, id: record.status.id, running: record.resources ?? {} }];
  });
}

/** The pod with the resources that its containers have at the moment. */
function withRunning(state: PodState): Pod {
  const running = new Map(runningContainers(state).map((one) => [one.container.name, one.running]));
  const containers = (state.pod.spec?.containers ?? []).map((container): Container => {
    const resources = running.get(container.name);
    return resources ? { ...container, resources } : container;
  });
  return { ...state.pod, spec: { ...state.pod.spec, containers } };
}
