import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { RuntimeError } from "../runtime/contract.ts";
import { referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";

interface On {
  handler: string | undefined;
  parts: { runtime: Pick<PodParts["runtime"], "handlers"> };
}

/** Whether pods of this handler run on a kernel of their own. */
export function hasOwnKernel(handler: string | undefined, { runtime }: On["parts"]): boolean {
  if (handler === undefined) return false;
  return runtime.handlers().some((one) => one.name === handler && one.hasOwnKernel);
}

/**
 * Such a kernel applies a profile of the user's to what a container starts with, not to commands
 * that are run beside it. @throws RuntimeError for a pod whose probes or hooks are such commands
 */
export function refuseUnconfined(pod: Pod, { handler, parts }: On): void {
  if (!hasOwnKernel(handler, parts)) return;
  const { containers = [], initContainers = [], securityContext } = pod.spec ?? {};
  for (const container of [...initContainers, ...containers]) {
    const own = container.securityContext;
    const profile = own?.seccompProfile ?? securityContext?.seccompProfile;
    if (profile?.type !== "Localhost" || own?.privileged || !runsCommands(container)) continue;
    const message =
      `${handler} cannot confine commands of probes and hooks by the seccomp profile of container ` +
      `"${container.name}": use another kind of probe, another profile or another RuntimeClass`;
    throw new RuntimeError("runtime-failed", message);
  }
}

function runsCommands(container: Container): boolean {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const actions = [livenessProbe, readinessProbe, startupProbe];
  return [...actions, lifecycle?.postStart, lifecycle?.preStop].some((one) => one?.exec);
}

/** Limits of single containers that nothing can enforce are not passed over in silence. */
export function tellOfLimits(
  pod: Pod,
  { handler, parts }: { handler: string | undefined; parts: PodParts },
): void {
  const containers = pod.spec?.containers ?? [];
  const limited = containers.filter(({ resources }) => resources?.limits !== undefined);
  if (limited.length === 0 || containers.length < 2 || !hasOwnKernel(handler, parts)) return;
  const whole = limited.length === containers.length;
  const message =
    `${handler} runs all containers on one kernel: limits of single ones are not enforced, ` +
    (whole ? "their sum is" : "nor their sum, as not all of them have limits");
  const about = referenceTo(pod);
  parts.events.record({ about, type: "Warning", reason: "LimitsOfPodOnly", message });
}
