import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { ContainerObservation } from "./observation.ts";
import type { PodContainer } from "./pod-containers.ts";

/** Where a container stands on its way: what comes next for it, were the pod to live on. */
export type ContainerFate =
  /** Never ran, or its next attempt is being prepared. */
  | "new"
  | "alive"
  /** Ended, and has to run again. */
  | "restart"
  | "succeeded"
  | "failed";

/** Decides by role and restart policy. */
export function containerFate(
  pod: Pod,
  { container, role }: PodContainer,
  observed: ContainerObservation | undefined,
): ContainerFate {
  const current = observed?.current;
  if (!current) return "new";
  const { status, cannotRun } = current;
  if (status.state !== "exited") return "alive";
  const success = status.exitCode === 0 && cannotRun === undefined;
  const policy = pod.spec?.restartPolicy ?? "Always";
  switch (role) {
    case "sidecar":
      return "restart";
    case "ephemeral":
      return success ? "succeeded" : "failed";
    case "init":
      // What it prepared may be gone with the sandbox.
      if (success) return observed.isOfLostSandbox ? "restart" : "succeeded";
      return policy === "Never" ? "failed" : "restart";
    case "main":
      if (observed.isReplaced) return "restart";
      if (policy === "Always") return "restart";
      if (success) return "succeeded";
      return policy === "Never" ? "failed" : "restart";
    default:
      throw new TypeError(`Cannot judge container "${container.name}" of role ${role as string}`);
  }
}
