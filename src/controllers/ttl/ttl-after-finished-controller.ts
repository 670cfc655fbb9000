import { isNotFound } from "../../api/errors.ts";
import { JOBS } from "../../api/generated/resources.ts";
import type { Job } from "../../api/generated/types/batch-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { findCondition } from "../conditions.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";

/** When a finished job is to be deleted; undefined when it is not finished or has no limit. */
export function expiryMs(job: Job): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined) return undefined;
  for (const type of ["Complete", "Failed"]) {
    const over = findCondition(job.status?.conditions, type);
    if (over?.status !== "True") continue;
    const endMs = Date.parse(over.lastTransitionTime ?? "");
    return Number.isNaN(endMs) ? undefined : endMs + seconds * 1000;
  }
  return undefined;
}

/** Deletes Jobs, and their pods, some time after they finished. */
export function ttlAfterFinishedController(): ControllerDefinition {
  return defineController({
    name: "ttl-after-finished",
    inputs: {
      jobs: input(JOBS, (job) => (expiryMs(job) === undefined ? [] : [refOf(job)])),
    },
    outputs: [{ resource: JOBS, verbs: ["delete"] }],
    async reconcile({ inputs, client, clock }, key) {
      const job = inputs.jobs.get(key.namespace, key.name);
      const expiry = job && expiryMs(job);
      if (!job || expiry === undefined || isTerminating(job)) return {};
      const waitMs = expiry - clock.now();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const { resourceVersion = "" } = job.metadata ?? {};
      await client
        .for(JOBS)
        .delete(key, {
          propagationPolicy: "Foreground",
          preconditions: { uid: uidOf(job), resourceVersion },
        })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return {};
    },
  });
}
