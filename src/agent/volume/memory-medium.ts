import { quantityToNumber } from "../../lib/quantity.ts";

/** What bounds an emptyDir in memory, each undefined or zero where there is no such bound. */
export interface MemoryBounds {
  /** `sizeLimit` of the volume. */
  sizeLimit: string | undefined;
  /** What the containers of the pod may use together, if each of them has a limit. */
  podBytes: number | undefined;
  /** What the node gives to pods. */
  allocatable: string | undefined;
}

/** Bytes of an emptyDir in memory: the least of its bounds; undefined leaves it to the kernel. */
export function memoryMediumBytes(bounds: MemoryBounds): number | undefined {
  const { sizeLimit, podBytes = 0, allocatable } = bounds;
  const bytesOf = (quantity: string | undefined) => (quantity ? quantityToNumber(quantity) : 0);
  const known = [bytesOf(sizeLimit), podBytes, bytesOf(allocatable)].filter((bytes) => bytes > 0);
  return known.length === 0 ? undefined : Math.ceil(Math.min(...known));
}
