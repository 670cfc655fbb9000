import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { CRON_JOBS, JOBS } from "../../api/generated/resources.ts";
import type { Job } from "../../api/generated/types/batch-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { CronError } from "../../lib/cron.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, refersTo, refOf, uidOf } from "../ownership.ts";
import { tellRefusal } from "../refusal.ts";
import { WriteOverlay } from "../write-overlay.ts";
import { planCronJob } from "./cron-job-plan.ts";
import { TimeZoneError } from "./time-zone.ts";

const TOO_MANY_MISSED =
  "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";

const UNEXPECTED = "Saw a job that the controller did not create or forgot";

const FORBIDDEN =
  "Not starting job because prior execution is running and concurrency policy is Forbid";

/** Starts Jobs when their schedule says so. */
export function cronJobController(): ControllerDefinition {
  const overlay = new WriteOverlay<Job>();
  return defineController({
    name: "cron-job",
    inputs: {
      crons: input(CRON_JOBS, (cron) => [refOf(cron)]),
      jobs: input(JOBS, (job) => {
        const controller = controllerOf(job);
        if (!controller || !refersTo(CRON_JOBS, controller)) return [];
        overlay.observe(controller.uid, job);
        return [{ name: controller.name, namespace: job.metadata?.namespace }];
      }),
    },
    outputs: [
      { resource: CRON_JOBS, verbs: ["update"], subresources: ["status"] },
      { resource: JOBS, verbs: ["create", "delete"] },
    ],
    async reconcile({ inputs, client, clock, events }, key) {
      const cron = inputs.crons.get(key.namespace, key.name);
      if (!cron) return;
      const uid = uidOf(cron);
      const about = { apiVersion: "batch/v1", kind: "CronJob", metadata: cron.metadata };
      const tell = (reason: string, message: string, type: "Normal" | "Warning" = "Normal") =>
        events.record({ about, type, reason, message });
      const observe = () => ({
        jobs: overlay.remaining(uid, inputs.jobs, clock.now()),
        nowMs: clock.now(),
      });
      let plan: ReturnType<typeof planCronJob>;
      try {
        plan = planCronJob(cron, observe());
      } catch (error) {
        if (error instanceof CronError) tell("UnparseableSchedule", error.message, "Warning");
        else if (error instanceof TimeZoneError) tell("UnknownTimeZone", error.message, "Warning");
        else throw error;
        return;
      }
      const jobs = client.for(JOBS);
      for (const job of plan.delete) {
        await jobs
          .delete(refOf(job), { propagationPolicy: "Background" })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        overlay.deleted(uid, job, clock.now());
        tell("SuccessfulDelete", `Deleted job ${job.metadata?.name}`);
      }
      if (plan.forbidden) tell("JobAlreadyActive", FORBIDDEN);
      for (const { name, how } of plan.ended) {
        if (how) tell("SawCompletedJob", `Saw completed job: ${name}, condition: ${how}`);
        else tell("MissingJob", `Active job went missing: ${name}`);
      }
      for (const name of plan.unexpected)
        tell("UnexpectedJob", `${UNEXPECTED}: ${name}`, "Warning");
      if (plan.tooManyMissed) tell("TooManyMissedTimes", TOO_MANY_MISSED, "Warning");
      let { status } = plan;
      const { create } = plan;
      if (create && !(await liveOwner(client, CRON_JOBS, cron)())) return;
      if (create) {
        try {
          await overlay.create(
            uid,
            () => jobs.create(create),
            () => clock.now(),
          );
          tell("SuccessfulCreate", `Created job ${create.metadata?.name}`);
        } catch (error) {
          if (!isAlreadyExists(error)) {
            tellRefusal(events, { about, error, before: "Error creating job" });
            throw error;
          }
          // Made by a request whose answer was lost: it runs, though the cache may not show it.
          const existing = await jobs.get(refOf(create));
          const known = () => Promise.resolve(existing);
          if (controllerOf(existing)?.uid === uid) {
            await overlay.create(uid, known, () => clock.now());
          }
        }
        const { lastScheduleTime } = status;
        status = { ...planCronJob(cron, observe()).status };
        if (lastScheduleTime) status.lastScheduleTime = lastScheduleTime;
      }
      if (!jsonEqual(status, cron.status ?? {})) {
        await client.for(CRON_JOBS).updateStatus({ ...cron, status });
      }
      return plan.requeueAfterMs === undefined ? {} : { requeueAfterMs: plan.requeueAfterMs };
    },
  });
}
