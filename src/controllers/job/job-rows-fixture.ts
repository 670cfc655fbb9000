import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { plan, pod, types } from "./job-fixture.ts";
import { COMPLETION_INDEX } from "./job-indexes.ts";

/** Of a Job. */
export type Spec = Partial<NonNullable<Job["spec"]>>;

const PHASES = { P: "Pending", R: "Running", Y: "Running", S: "Succeeded", F: "Failed" } as const;

/**
 * Pods of words such as `R`, `0S` or `?F`: an index ("?" for one that cannot be read), then
 * Pending, Running, readY, Succeeded, Failed or on its way ouT.
 */
export function podsOf(words: string): Pod[] {
  return words
    .split(" ")
    .filter(Boolean)
    .map((word, at) => {
      const letter = word.at(-1) ?? "";
      const index = word.slice(0, -1);
      const made = pod(`p${at}`, letter === "T" ? { leaving: true } : {});
      const phase = PHASES[letter as keyof typeof PHASES] ?? "Running";
      const annotations = index === "" ? {} : { [COMPLETION_INDEX]: index };
      const ended = pod("any", { phase: "Failed" }).status?.containerStatuses ?? [];
      const containerStatuses = "FST".includes(letter) ? ended : [];
      const conditions = letter === "Y" ? [{ type: "Ready", status: "True" as const }] : [];
      return {
        ...made,
        metadata: { ...made.metadata, annotations },
        status: { phase, conditions, containerStatuses },
      };
    });
}

/** What one pass does, and the status that it leads to. */
export interface Outcome {
  created?: number;
  deleted?: number;
  active?: number;
  ready?: number;
  succeeded?: number;
  failed?: number;
  terminating?: number;
  /** Pods that lose their finalizer. */
  freed?: number;
  completed?: string;
  /** Indexes of new pods. */
  indexes?: number[];
  conditions?: string[];
}

/** The outcome of a pass that does nothing. */
export const NOTHING: Required<Omit<Outcome, "indexes">> = {
  created: 0,
  deleted: 0,
  active: 0,
  ready: 0,
  succeeded: 0,
  failed: 0,
  terminating: 0,
  freed: 0,
  completed: "",
  conditions: [],
};

/** Results count whether they stand in a counter or are only noted yet. */
export function outcomeOf(wanted: Job, words: string): Outcome {
  const { create, delete: doomed, release, untrack, status } = plan(wanted, podsOf(words));
  const { uncountedTerminatedPods: noted } = status;
  const indexes = create.map(({ index }) => index).filter((index) => index !== undefined);
  return {
    created: create.length,
    deleted: doomed.length + release.length,
    active: status.active ?? 0,
    ready: status.ready ?? 0,
    succeeded: (status.succeeded ?? 0) + (noted?.succeeded?.length ?? 0),
    failed: (status.failed ?? 0) + (noted?.failed?.length ?? 0),
    terminating: status.terminating ?? 0,
    freed: new Set([...release, ...untrack]).size,
    completed: status.completedIndexes ?? "",
    conditions: types(status),
    ...(indexes.length > 0 ? { indexes } : {}),
  };
}

/** With upstream's limit of failures. */
export const jobOf = (parallelism: number, completions?: number, more: Spec = {}): Spec => ({
  parallelism,
  ...(completions === undefined ? {} : { completions }),
  backoffLimit: 6,
  ...more,
});
/** The same of an indexed Job. */
export const indexed = (parallelism: number, completions: number, more: Spec = {}): Spec =>
  jobOf(parallelism, completions, { completionMode: "Indexed", ...more });
