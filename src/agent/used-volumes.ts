import type { Pod, Volume } from "../api/generated/types/core-v1.ts";

/** The volumes that some container of the pod mounts; what none does is not made. */
export function usedVolumes({ spec }: Pod): Volume[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  const mounts = [...initContainers, ...containers, ...ephemeralContainers].flatMap(
    ({ volumeMounts = [], volumeDevices = [] }) => [...volumeMounts, ...volumeDevices],
  );
  const used = new Set(mounts.map(({ name }) => name));
  return (spec?.volumes ?? []).filter(({ name }) => used.has(name));
}
