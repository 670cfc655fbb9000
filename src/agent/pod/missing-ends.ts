import type { ContainerState, ContainerStatus } from "../../api/generated/types/core-v1.ts";
import type { PodContainer } from "./pod-containers.ts";

/** What is told of a container of which nobody knows how it ended. */
export const UNKNOWN_END = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
} as const;

/**
 * Statuses of a pod that has ended, in the order of `items`: a container without an end counts as
 * failed, also one that never ran. While a pod was not initialized, this holds for its init
 * containers up to the last that ran, and at least the first; main containers then go on waiting.
 */
export function withMissingEnds(
  items: readonly PodContainer[],
  statuses: readonly ContainerStatus[],
): ContainerStatus[] {
  const isInit = (at: number) => /init|sidecar/.test(items[at]?.role ?? "");
  const isMain = (at: number) => items[at]?.role === "main";
  const inits = statuses.filter((_, at) => isInit(at));
  const mains = statuses.filter((_, at) => isMain(at));
  const lastItem = items.findLast((_, at) => isInit(at));
  const initialized =
    inits.length === 0 || mains.some(hasRun) || isDone(inits.at(-1), lastItem?.role);
  const begun = new Set(inits.slice(0, Math.max(1, inits.findLastIndex(hasRun) + 1)));
  return statuses.map((status, at) => {
    const counts = isMain(at) ? initialized : begun.has(status);
    return counts && !status.state?.terminated ? { ...status, state: unknown() } : status;
  });
}

function unknown(): ContainerState {
  return { terminated: { ...UNKNOWN_END } };
}

function hasRun({ state, lastState }: ContainerStatus): boolean {
  return state?.waiting === undefined || lastState?.terminated !== undefined;
}

function isDone(
  status: ContainerStatus | undefined,
  role: PodContainer["role"] | undefined,
): boolean {
  if (role === "sidecar") return status?.state?.running !== undefined && status.started === true;
  const ends = [status?.state?.terminated, status?.lastState?.terminated];
  return ends.some((end) => end?.exitCode === 0);
}
