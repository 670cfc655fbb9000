import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import {
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  NODES,
  STATEFUL_SETS,
} from "../api/generated/resources.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { type ControllerBench, startControllerBench } from "./controller-bench.ts";
import { cronJobController } from "./cron-job/cron-job-controller.ts";
import { daemonSetController } from "./daemon-set/daemon-set-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { jobController } from "./job/job-controller.ts";
import { statefulSetController } from "./stateful-set/stateful-set-controller.ts";

const labels = { app: "web" };
const at = { namespace: "default", name: "web" };
const workload = {
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: "c" }] } },
};
const volumeClaimTemplates = [{ metadata: { name: "data" } }];
const QUOTA = "exceeded quota: small";

/** The controllers on a namespace whose quota has no room for one kind. */
function startRefused(plural: string, ...controllers: ControllerDefinition[]): ControllerBench {
  const bench = startControllerBench(...controllers);
  bench.refuse(({ method, path }) =>
    method === "POST" && path.endsWith(`/${plural}`)
      ? new StatusError("Forbidden", QUOTA)
      : undefined,
  );
  return bench;
}

/** Each once: what is refused is tried again. */
function warnings({ events }: ControllerBench): string[] {
  const found = events.filter(({ type }) => type === "Warning");
  return [...new Set(found.map(({ reason, message }) => `${reason}: ${message}`))];
}

test("a StatefulSet tells of a pod that was refused, and of what it has", async () => {
  await using bench = startRefused("pods", statefulSetController());
  const spec = { ...workload, serviceName: "web", replicas: 2, volumeClaimTemplates };
  await bench.client.for(STATEFUL_SETS).create({ metadata: { ...at, generation: 3 }, spec });
  await bench.settle();
  const what = "create Pod web-0 in StatefulSet web failed error";
  assert.deepEqual(warnings(bench), [`FailedCreate: ${what}: ${QUOTA}`]);
  const claimed = bench.events.find(({ type }) => type === "Normal")?.message;
  assert.equal(claimed, "create Claim data-web-0 Pod web-0 in StatefulSet web success");
  const { metadata, status } = await bench.client.for(STATEFUL_SETS).get(at);
  assert.equal(status?.observedGeneration, metadata?.generation);
  bench.refuse(undefined);
  await bench.settle(60_000);
  assert.equal(bench.events.at(-1)?.message, "create Pod web-0 in StatefulSet web successful");
});

test("a StatefulSet tells of a claim that was refused", async () => {
  await using bench = startRefused("persistentvolumeclaims", statefulSetController());
  const spec = { ...workload, serviceName: "web", volumeClaimTemplates };
  await bench.client.for(STATEFUL_SETS).create({ metadata: at, spec });
  await bench.settle();
  const what = "create Claim data-web-0 for Pod web-0 in StatefulSet web failed error";
  assert.deepEqual(warnings(bench), [`FailedCreate: ${what}: ${QUOTA}`]);
});

test("a DaemonSet tells of pods that were refused, and how many it wants", async () => {
  await using bench = startRefused("pods", daemonSetController());
  await bench.client.for(NODES).create({ metadata: { name: "n" } });
  await bench.client.for(DAEMON_SETS).create({ metadata: at, spec: workload });
  await bench.settle();
  assert.deepEqual(warnings(bench), [`FailedCreate: Error creating: ${QUOTA}`]);
  const { status } = await bench.client.for(DAEMON_SETS).get(at);
  assert.equal(status?.desiredNumberScheduled, 1);
});

test("a Job tells of pods that were refused, and counts those that were made", async () => {
  await using bench = startControllerBench(jobController());
  let made = 0;
  bench.refuse(({ method, path }) =>
    method === "POST" && path.endsWith("/pods") && ++made > 1
      ? new StatusError("Forbidden", QUOTA)
      : undefined,
  );
  const spec = { ...workload, parallelism: 3, completions: 3 };
  await bench.client.for(JOBS).create({ metadata: at, spec });
  await bench.settle();
  assert.deepEqual(warnings(bench), [`FailedCreate: Error creating: ${QUOTA}`]);
  const { status } = await bench.client.for(JOBS).get(at);
  assert.equal(status?.active, 1);
});

test("a CronJob tells of a job that was refused", async () => {
  await using bench = startRefused("jobs", cronJobController());
  const spec = { schedule: "* * * * *", jobTemplate: { spec: workload } };
  await bench.client.for(CRON_JOBS).create({ metadata: at, spec });
  await bench.settle(61_000);
  assert.deepEqual(warnings(bench), [`FailedCreate: Error creating job: ${QUOTA}`]);
});

test("a Deployment tells of a set that was refused, in its condition too", async () => {
  await using bench = startRefused("replicasets", deploymentController());
  const spec = { ...workload, progressDeadlineSeconds: 600 };
  await bench.client.for(DEPLOYMENTS).create({ metadata: at, spec });
  await bench.settle();
  const [warning = ""] = warnings(bench);
  assert.match(
    warning,
    /^ReplicaSetCreateError: Failed to create new replica set "web-.*": exceeded quota: small$/,
  );
  const { status } = await bench.client.for(DEPLOYMENTS).get(at);
  assert.deepEqual(
    status?.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`),
    ["Progressing False ReplicaSetCreateError"],
  );
});

test("in a namespace that is going nobody is told", async () => {
  await using bench = startControllerBench(statefulSetController());
  const cause = { reason: "NamespaceTerminating", message: "", field: "metadata.namespace" };
  bench.refuse(({ method, path }) =>
    method === "POST" && path.endsWith("/pods")
      ? new StatusError("Forbidden", "it is being terminated", { causes: [cause] })
      : undefined,
  );
  const spec = { ...workload, serviceName: "web" };
  await bench.client.for(STATEFUL_SETS).create({ metadata: at, spec });
  await bench.settle();
  assert.deepEqual(warnings(bench), []);
});
