import type { PodState } from "./pod-state.ts";

const MIB = 1 << 20;
const GIB = 1 << 30;
/** Least sizes in bytes, and a kubelet's words for them; the largest first. */
const SIZES: readonly [number, string][] = [
  [100 * GIB, "GT100GB"],
  [60 * GIB, "60GB-100GB"],
  [40 * GIB, "40GB-60GB"],
  [30 * GIB, "30GB-40GB"],
  [20 * GIB, "20GB-30GB"],
  [10 * GIB, "10GB-20GB"],
  [5 * GIB, "5GB-10GB"],
  [GIB, "1GB-5GB"],
  [500 * MIB, "500MB-1GB"],
  [100 * MIB, "100MB-500MB"],
  [10 * MIB, "10MB-100MB"],
];

/** The class of an image by its size in bytes, as a kubelet's metrics have it. */
export function sizeClassOf(sizeBytes: number): string {
  return SIZES.find(([least]) => sizeBytes >= least)?.[1] ?? "0-10MB";
}

/** Takes the time in which images of the pod are pulled: once, however many are at a time. */
export function beginPull({ pulls }: PodState, nowMs: () => number): Disposable {
  if (pulls.count++ === 0) pulls.sinceMs = nowMs();
  return {
    [Symbol.dispose]() {
      if (--pulls.count === 0) pulls.totalMs += nowMs() - pulls.sinceMs;
    },
  };
}
