import path from "node:path";
import type { EphemeralContainer, VolumeMount } from "../../api/generated/types/core-v1.ts";
import { FarJobError } from "../far-process.ts";
import { ConfigurationError } from "./environment.ts";
import { expandVariables } from "./expansion.ts";
import type { PodContainer } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import type { PodState } from "./pod-state.ts";
import { bindSubPath, SUB_PATHS } from "./sub-path.ts";

/** What stands at the place of a path in a volume, by the index of its mount. */
export type BoundPaths = ReadonlyMap<number, string>;

/** The attempt that the paths are bound for. */
interface SubPathPlace {
  environment: ReadonlyMap<string, string>;
  /** Of the attempt. */
  directory: string;
}

/** Whether a container mounts anything that may hang. */
export function hasFarVolumes(state: PodState, { container }: PodContainer): boolean {
  return (container.volumeMounts ?? []).some(({ name }) => state.prepared.get(name)?.farMount);
}

/** Binds the path in a volume that a mount names, and returns where. @throws ConfigurationError */
export function openSubPath(
  state: PodState,
  { mount, index }: { mount: VolumeMount; index: number },
  place: SubPathPlace,
): string {
  const target = targetOf(index, place);
  const volume = state.prepared.get(mount.name)?.hostPath ?? "";
  bindSubPath(volume, { subPath: subPathOf(mount, place), target });
  return target;
}

/** Resolves when it is known of all that a container mounts whether it answers. */
export async function settleFarVolumes(
  { prepared }: PodState,
  { container }: PodContainer,
  { far }: PodParts,
): Promise<void> {
  for (const { name } of container.volumeMounts ?? []) {
    const { hostPath: file, farMount: mount } = prepared.get(name) ?? {};
    if (file !== undefined && mount) {
      await far.perform({ do: "look", file }, { mount }).catch(() => {});
    }
  }
}

/**
 * Looks, beside this process, whether all that a container mounts answers: its runtime would hang
 * with it. Binds the paths in those volumes. @throws ConfigurationError, MountHungError
 */
export async function openFarVolumes(
  state: PodState,
  { container, ...place }: SubPathPlace & { container: EphemeralContainer },
  { far }: PodParts,
): Promise<BoundPaths> {
  const bound = new Map<number, string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const { hostPath, farMount } = state.prepared.get(mount.name) ?? {};
    if (hostPath === undefined || !farMount) continue;
    if (!mount.subPath && !mount.subPathExpr) {
      await far.perform({ do: "look", file: hostPath }, { mount: farMount });
      continue;
    }
    const target = targetOf(index, place);
    const subPath = subPathOf(mount, place);
    const job = { do: "sub-path", volume: hostPath, subPath, target } as const;
    await asConfigurationError(far.perform(job, { mount: farMount }));
    bound.set(index, target);
  }
  return bound;
}

function targetOf(index: number, { directory }: SubPathPlace): string {
  return path.join(directory, SUB_PATHS, String(index));
}

/** @throws ConfigurationError for a variable that has no value */
function subPathOf(mount: VolumeMount, { environment }: SubPathPlace): string {
  const { subPath = "", subPathExpr } = mount;
  if (!subPathExpr) return subPath;
  const missing = new Set<string>();
  const expanded = expandVariables(subPathExpr, (name) => {
    const value = environment.get(name) ?? "";
    if (value === "") missing.add(name);
    return value;
  });
  if (missing.size === 0) return expanded;
  throw new ConfigurationError(`missing value for ${[...missing].toSorted().join(", ")}`);
}

/** What was thrown elsewhere is thrown here. */
async function asConfigurationError(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof FarJobError) || error.name !== "ConfigurationError") throw error;
    throw new ConfigurationError(error.message);
  }
}
