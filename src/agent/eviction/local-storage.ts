import type { Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToNumber } from "../../lib/quantity.ts";

const NAME = "ephemeral-storage";

/** Bytes on the node's disk that belong to a pod. */
export interface LocalStorageUse {
  /** By name of an emptyDir that is not in memory. */
  emptyDirs: ReadonlyMap<string, number>;
  /** Writable layer and logs, by container. */
  containers: ReadonlyMap<string, number>;
}

/** Whether any limit of the pod needs its use of the disk to be measured. */
export function hasLocalLimits({ spec }: Pod): boolean {
  return (
    (spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit && !emptyDir.medium) ||
    (spec?.containers ?? []).some(({ resources }) => resources?.limits?.[NAME])
  );
}

/** Which limit of its own a pod is beyond; undefined when none. */
export function localStorageExcess({ spec }: Pod, use: LocalStorageUse): string | undefined {
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    const limit = emptyDir?.medium ? undefined : emptyDir?.sizeLimit;
    if (limit !== undefined && (use.emptyDirs.get(name) ?? 0) > quantityToNumber(limit)) {
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
    }
  }
  const limits = (spec?.containers ?? []).map(({ name, resources }) => {
    return { name, limit: resources?.limits?.[NAME] };
  });
  const total = [...use.containers.values(), ...use.emptyDirs.values()].reduce((a, b) => a + b, 0);
  const allowed = limits.reduce((sum, { limit }) => sum + quantityToNumber(limit ?? "0"), 0);
  if (limits.length > 0 && limits.every(({ limit }) => limit) && total > allowed) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${allowed}. `;
  }
  for (const { name, limit } of limits) {
    if (limit !== undefined && (use.containers.get(name) ?? 0) > quantityToNumber(limit)) {
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
    }
  }
  return undefined;
}
