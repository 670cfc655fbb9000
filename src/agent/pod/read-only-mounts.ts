import type { Pod, VolumeMount } from "../../api/generated/types/core-v1.ts";
import { ConfigurationError } from "./environment.ts";
import { containersOf } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";

/**
 * Whether what lies below mounts of this pod can be made read-only with them; false too where no
 * mount of the pod asks for it. Without a handler, the default one is meant.
 */
export function makesReadOnlyBelow(
  pod: Pod,
  {
    handler,
    runtime,
  }: { handler: string | undefined; runtime: Pick<PodParts["runtime"], "handlers"> },
): boolean {
  const mounts = containersOf(pod).flatMap(({ container }) => container.volumeMounts ?? []);
  if (!mounts.some(asksForIt)) return false;
  const isMeant = (one: { name: string; isDefault: boolean }) =>
    handler ? one.name === handler : one.isDefault;
  return runtime.handlers().some((one) => isMeant(one) && one.hasRecursiveReadOnly);
}

/** @throws ConfigurationError when the mount wants what cannot be had */
export function isReadOnlyBelow(mount: VolumeMount, isPossible: boolean): boolean {
  if (isPossible || mount.recursiveReadOnly !== "Enabled") return isPossible && asksForIt(mount);
  const why = "recursive read-only mode, but it is not supported by the runtime";
  const what = `volume "${mount.name}" requested ${why}`;
  throw new ConfigurationError(`failed to resolve recursive read-only mode: ${what}`);
}

/** What a pod's status says of a mount. */
export function toldRecursion(
  mount: VolumeMount,
  isPossible: boolean,
): { readOnly?: true; recursiveReadOnly?: string } {
  if (!mount.readOnly) return {};
  const recursiveReadOnly = isPossible && asksForIt(mount) ? "Enabled" : "Disabled";
  return { readOnly: true, recursiveReadOnly };
}

function asksForIt({ readOnly, recursiveReadOnly: asked }: VolumeMount): boolean {
  return readOnly === true && (asked === "Enabled" || asked === "IfPossible");
}
