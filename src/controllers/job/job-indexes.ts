import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";

export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
/** How often the index failed before this pod: counted failures, and those that a rule forgave. */
export const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count";
export const INDEX_FORGIVEN = "batch.kubernetes.io/job-index-ignored-failure-count";
const COUNT_MAX = 2 ** 31 - 1;

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === "Indexed";

/** Indexes at or above it are none of the job's (any more). */
export const indexEnd = (job: Job): number => job.spec?.completions ?? Number.MAX_SAFE_INTEGER;

/** The completion index of a pod; undefined for pods of other jobs. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The index of a pod if the job still has it. */
export function validIndexOf(job: Job, pod: Pod): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < indexEnd(job) ? index : undefined;
}

/** A count that its controller wrote on a pod; 0 for what cannot be one. */
export function countOn(pod: Pod, annotation: string): number {
  const text = pod.metadata?.annotations?.[annotation] ?? "";
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count > COUNT_MAX ? 0 : count;
}

/** Reads `1,3-5,7` as in `status.completedIndexes`; indexes at or above `end` are dropped. */
export function parseIndexes(text: string | undefined, end: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",")) {
    if (part === "") continue;
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined) continue;
    for (let index = first; index <= last && index < end; index++) indexes.add(index);
  }
  return indexes;
}

/** The shortest such text; two neighbours are listed, three and more become a range. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    if (end - at >= 2) parts.push(`${sorted[at]}-${sorted[end]}`);
    else parts.push(...sorted.slice(at, end + 1).map(String));
    at = end + 1;
  }
  return parts.join(",");
}
