import { isNotFound } from "../../api/errors.ts";
import { JOBS, PODS } from "../../api/generated/resources.ts";
import type { Job, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ReconcileContext,
} from "../../client/controller.ts";
import { executeClaims, ORPHANS, planClaims } from "../claims.ts";
import { findCondition } from "../conditions.ts";
import { jsonEqual } from "../json-equal.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, controllerReference, refOf, uidOf } from "../ownership.ts";
import { tellRefusal } from "../refusal.ts";
import { compileSelector } from "../selector.ts";
import { slowStart } from "../slow-start.ts";
import { podsOf } from "../workload-inputs.ts";
import { WriteOverlay } from "../write-overlay.ts";
import type { FailureRow } from "./job-backoff.ts";
import { type JobPlan, planJob } from "./job-plan.ts";
import { jobPod } from "./job-pod.ts";
import { isTracked, TRACKING } from "./job-survey.ts";

const TRACKED = "tracked";

/** The job that a tracked pod was made for, also when that job is gone or let the pod go. */
function trackingJob(pod: Pod): string | undefined {
  if (!isTracked(pod)) return undefined;
  return controllerOf(pod)?.name ?? pod.metadata?.labels?.["batch.kubernetes.io/job-name"];
}

/** Runs pods of every Job until enough of them succeeded. */
export function jobController(): ControllerDefinition {
  const overlay = new WriteOverlay<Pod>();
  /** By namespace and name of the job; its UID tells one job from the next of that name. */
  const failuresOf = new Map<string, { uid: string; failures: FailureRow }>();
  const pods = podsOf(JOBS, {
    overlay,
    selectorOf: ({ spec }) => spec?.selector,
    indexes: {
      [TRACKED]: (pod) => {
        const job = trackingJob(pod);
        return job ? [`${pod.metadata?.namespace}/${job}`] : [];
      },
    },
  });
  return defineController({
    name: "job",
    inputs: {
      jobs: input(JOBS, (job) => [refOf(job)]),
      pods: {
        ...pods,
        keysOf: (pod, listers) => {
          const keys = pods.keysOf(pod, listers);
          const stray = controllerOf(pod) ? undefined : trackingJob(pod);
          return stray ? [...keys, { name: stray, namespace: pod.metadata?.namespace }] : keys;
        },
      },
    },
    outputs: [
      { resource: JOBS, verbs: ["update"], subresources: ["status"] },
      { resource: PODS, verbs: ["create", "patch", "delete"] },
    ],
    async reconcile(context, key) {
      const { inputs, client, clock } = context;
      const job = inputs.jobs.get(key.namespace, key.name);
      const id = `${key.namespace}/${key.name}`;
      const tracked = inputs.pods.byIndex(TRACKED, id);
      if (!job) {
        failuresOf.delete(id);
        // Nobody will count these pods any more, so nothing may hold them.
        await Promise.all(tracked.map((pod) => untrack(client, pod)));
        return;
      }
      const managedBy = job.spec?.managedBy;
      if (managedBy && managedBy !== "kubernetes.io/job-controller") return;
      const uid = uidOf(job);
      const claims = planClaims(
        job,
        [
          ...overlay.view(uid, inputs.pods, clock.now()),
          ...inputs.pods.byIndex(ORPHANS, key.namespace ?? ""),
        ],
        compileSelector(job.spec?.selector),
      );
      await executeClaims(client, claims, { resource: PODS, owner: job, ownerResource: JOBS });
      const strays = tracked.filter(
        (pod) => controllerOf(pod)?.uid !== uid && !claims.claimed.includes(pod),
      );
      await Promise.all(strays.map((pod) => untrack(client, pod)));
      const known = failuresOf.get(id);
      const failures = known?.uid === uid ? known.failures : new Map();
      const plan = planJob(job, { pods: claims.claimed, nowMs: clock.now(), failures });
      if (plan.failures.size > 0) failuresOf.set(id, { uid, failures: plan.failures });
      else failuresOf.delete(id);
      await execute(context, { job, plan, overlay });
      const requeueAfterMs = overlay.requeueAfterMs(uid, plan.requeueAfterMs);
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    },
  });
}

async function execute(
  { client, clock, events }: Pick<ReconcileContext<never>, "client" | "clock" | "events">,
  of: { job: Job; plan: JobPlan; overlay: WriteOverlay<Pod> },
): Promise<void> {
  const { job, plan, overlay } = of;
  const owner = controllerReference(JOBS, job);
  const about = { apiVersion: "batch/v1", kind: "Job", metadata: job.metadata };
  const tell: Tell = (reason, message, type = "Normal") =>
    events.record({ about, type, reason, message });
  for (const pod of plan.release) if (isTracked(pod)) await untrack(client, pod);
  for (const pod of [...plan.release, ...plan.delete]) {
    await client.for(PODS).delete(refOf(pod)).catch(ignoreGone);
    tell("SuccessfulDelete", `Deleted pod: ${pod.metadata?.name}`);
  }
  let refused: unknown;
  let missing = plan.create.length;
  const isDue = missing > 0 && (await liveOwner(client, JOBS, job)());
  await slowStart(isDue ? plan.create.length : 0, async (at) => {
    const pod = jobPod(job, { index: undefined, ...plan.create[at], owner });
    const create = () => client.for(PODS).create(pod);
    const made = await overlay.create(owner.uid, create, () => clock.now());
    missing--;
    tell("SuccessfulCreate", `Created pod: ${made.metadata?.name}`);
  }).catch((error: unknown) => {
    refused = error;
    tellRefusal(events, { about, error, before: "Error creating" });
  });
  const status = refused ? withoutActive(plan.status, missing) : plan.status;
  if (!jsonEqual(status, job.status)) {
    await client.for(JOBS).updateStatus({ ...job, status });
    tellConditions(job, { plan, tell });
  }
  // Only now that the results stand in the status may their pods go.
  await Promise.all(plan.untrack.map((pod) => untrack(client, pod)));
  if (refused) throw refused;
}

/** The same status, without so many pods that could not be made. */
function withoutActive({ active = 0, ...status }: JobStatus, missing: number): JobStatus {
  return active > missing ? { ...status, active: active - missing } : status;
}

type Tell = (reason: string, message: string, type?: "Normal" | "Warning") => void;

/** Tells of conditions that this pass brought. */
function tellConditions(job: Job, { plan, tell }: { plan: JobPlan; tell: Tell }): void {
  const statusOf = (status: Job["status"], type: string) =>
    findCondition(status?.conditions, type)?.status;
  const turned = (type: string, to: string) =>
    statusOf(plan.status, type) === to && statusOf(job.status, type) !== to;
  if (turned("Suspended", "True")) tell("Suspended", "Job suspended");
  if (turned("Suspended", "False")) tell("Resumed", "Job resumed");
  if (turned("Complete", "True")) {
    const { completions = Infinity } = job.spec ?? {};
    if ((plan.status.succeeded ?? 0) > completions) {
      const message = "Too many succeeded pods running after completion count reached";
      tell("TooManySucceededPods", message, "Warning");
    }
    tell("Completed", "Job completed");
  }
  if (!turned("Failed", "True")) return;
  const { reason = "Failed", message = "" } = findCondition(plan.status.conditions, "Failed") ?? {};
  tell(reason, message, "Warning");
}

async function untrack(client: Client, pod: Pod): Promise<void> {
  const finalizers = (pod.metadata?.finalizers ?? []).filter((one) => one !== TRACKING);
  const { resourceVersion = "" } = pod.metadata ?? {};
  const metadata = { uid: uidOf(pod), resourceVersion, finalizers };
  await client.for(PODS).patch(refOf(pod), { metadata }).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
