import type { Job, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { COMPLETION_INDEX, INDEX_FAILURES, INDEX_FORGIVEN } from "./job-indexes.ts";
import { type JobPlan, planJob } from "./job-plan.ts";

export const NOW: number = Date.parse("2030-01-01T01:00:00Z");

/** A job that began a minute before `NOW`. */
export function job(spec: Partial<Job["spec"]>, status: JobStatus = {}): Job {
  return {
    metadata: { name: "work", namespace: "default", uid: "j" },
    spec: { template: { spec: { containers: [{ name: "c" }] } }, ...spec },
    status: { startTime: "2030-01-01T00:59:00Z", ...status },
  };
}

/** What is special about a pod. */
export interface PodShape {
  phase?: "Running" | "Succeeded" | "Failed";
  /** Being deleted. */
  leaving?: boolean;
  /** As its controller wrote on it. */
  failures?: number;
  forgiven?: number;
  restarts?: number;
  tracked?: boolean;
  index?: number;
  exitCode?: number;
  endedAt?: string;
}

/** A pod of it. */
export function pod(name: string, shape: PodShape = {}): Pod {
  const { phase = "Running", tracked = true, index, exitCode = 1 } = shape;
  const finishedAt = shape.endedAt ?? "2030-01-01T00:00:00Z";
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      finalizers: tracked ? ["batch.kubernetes.io/job-tracking"] : [],
      ...(shape.leaving ? { deletionTimestamp: "2030-01-01T01:00:00Z" } : {}),
      annotations: {
        ...(index === undefined ? {} : { [COMPLETION_INDEX]: String(index) }),
        ...(shape.failures === undefined ? {} : { [INDEX_FAILURES]: String(shape.failures) }),
        ...(shape.forgiven === undefined ? {} : { [INDEX_FORGIVEN]: String(shape.forgiven) }),
      },
    },
    status: {
      phase,
      containerStatuses: [
        {
          name: "c",
          image: "i",
          imageID: "",
          ready: false,
          restartCount: shape.restarts ?? 0,
          state: phase === "Failed" ? { terminated: { exitCode, finishedAt } } : { running: {} },
        },
      ],
    },
  };
}

/** What is due at `NOW`. */
export const plan = (wanted: Job, pods: Pod[]): JobPlan => planJob(wanted, { pods, nowMs: NOW });
/** The conditions that hold. */
export const types = (status: JobStatus): string[] =>
  (status.conditions ?? []).filter((one) => one.status === "True").map(({ type }) => type);
