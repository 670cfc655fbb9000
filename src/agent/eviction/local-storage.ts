import type { Container, EmptyDirVolumeSource, Pod } from "../../api/generated/types/core-v1.ts";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityToNumber,
} from "../../lib/quantity.ts";
import type { Eviction } from "./contract.ts";

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
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return (
    (spec?.volumes ?? []).some(({ emptyDir }) => isPositive(emptyDirLimit(emptyDir))) ||
    all.some(({ resources }) => resources?.limits?.[NAME] !== undefined)
  );
}

/** Which limit of its own a pod is beyond, as a kubelet words it; undefined when none. */
export function localStorageExcess(
  pod: Pod,
  use: LocalStorageUse,
): Pick<Eviction, "signal" | "message"> | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDirLimit(emptyDir);
    if (isPositive(limit) && (use.emptyDirs.get(name) ?? 0) > quantityToNumber(limit)) {
      const text = canonicalQuantity(limit);
      const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${text}". `;
      return { signal: "emptydirfs.limit", message };
    }
  }
  const total = [...use.containers.values(), ...use.emptyDirs.values()].reduce((a, b) => a + b, 0);
  const allowed = podLimit(pod);
  if (allowed && total > quantityToNumber(formatQuantity(allowed))) {
    const limit = formatQuantity(allowed);
    const what = "Pod ephemeral local storage usage exceeds the total limit of containers";
    return { signal: "ephemeralpodfs.limit", message: `${what} ${limit}. ` };
  }
  for (const { name, resources } of pod.spec?.containers ?? []) {
    const limit = resources?.limits?.[NAME];
    if (isPositive(limit) && (use.containers.get(name) ?? 0) > quantityToNumber(limit)) {
      const text = canonicalQuantity(limit);
      const message = `Container ${name} exceeded its local ephemeral storage limit "${text}". `;
      return { signal: "ephemeralcontainerfs.limit", message };
    }
  }
  return undefined;
}

/** One in memory cannot be larger than its limit. */
function emptyDirLimit(emptyDir: EmptyDirVolumeSource | undefined): string | undefined {
  return emptyDir?.medium ? undefined : emptyDir?.sizeLimit;
}

function isPositive(quantity: string | undefined): quantity is string {
  return quantity !== undefined && quantityToNumber(quantity) > 0;
}

/**
 * The limits of all containers that have one, or those while an init container runs if they allow
 * more. A pod in which no container has a limit has none itself: `undefined`.
 */
function podLimit({ spec }: Pod): Quantity | undefined {
  const limitOf = ({ resources }: Container) => {
    const text = resources?.limits?.[NAME];
    return text === undefined ? undefined : parseQuantity(text);
  };
  const sum = (a: Quantity | undefined, b: Quantity | undefined) =>
    a && b ? addQuantities(a, b) : (a ?? b);
  let lasting: Quantity | undefined;
  let peak: Quantity | undefined;
  for (const container of spec?.initContainers ?? []) {
    const limit = limitOf(container);
    if (container.restartPolicy === "Always") lasting = sum(lasting, limit);
    else peak = larger(peak, limit && sum(lasting, limit));
  }
  for (const container of spec?.containers ?? []) lasting = sum(lasting, limitOf(container));
  return larger(lasting, peak);
}

function larger(a: Quantity | undefined, b: Quantity | undefined): Quantity | undefined {
  return a && b ? (compareQuantities(a, b) < 0 ? b : a) : (a ?? b);
}
