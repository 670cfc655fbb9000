import { BUDGET_AND_QUOTA_SCENARIOS } from "./budget-and-quota-scenarios.ts";
import { JOB_SCENARIOS, SLOW_JOB_SCENARIOS } from "./job-scenarios.ts";
import type { Scenario } from "./scenario.ts";
import {
  container,
  count,
  isEmpty,
  ready,
  seen,
  template,
  WEB,
  workload,
} from "./scenario-parts.ts";
import { SLICE_SCENARIOS } from "./slice-scenarios.ts";
import { STATEFUL_SCENARIOS } from "./stateful-scenarios.ts";

const FURTHER: readonly Scenario[] = [
  ...STATEFUL_SCENARIOS,
  ...JOB_SCENARIOS,
  ...BUDGET_AND_QUOTA_SCENARIOS,
];
/** One of each kind: all play at once, on three control planes, in the tests of every change. */
const TESTED: ReadonlySet<string> = new Set([
  "stateful-partition",
  "job-fails",
  "budget-least",
  "quota-scopes",
]);

/** What every Kubernetes does in the same way. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "rollout",
    async play(stage) {
      await stage.create("v1/services", {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
      });
      await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 3 }));
      await ready(stage, WEB, 3);
      await stage.patch(WEB, {
        spec: { template: { spec: { containers: [container("app:2")] } } },
      });
      await ready(stage, WEB, 3);
      await stage.patch(WEB, { spec: { replicas: 2 } });
      await ready(stage, WEB, 2);
      await stage.until("v1/endpoints/web", (object) => {
        const [subset] = (object?.["subsets"] ?? []) as { addresses?: object[] }[];
        return subset?.addresses?.length === 2;
      });
    },
  },
  {
    name: "recreate",
    async play(stage) {
      const spec = { replicas: 2, strategy: { type: "Recreate" } };
      await stage.create("apps/v1/deployments", workload("Deployment", "web", spec));
      await ready(stage, WEB, 2);
      await stage.patch(WEB, {
        spec: { template: { spec: { containers: [container("app:2")] } } },
      });
      await ready(stage, WEB, 2);
    },
  },
  {
    name: "stateful",
    async play(stage) {
      const path = "apps/v1/statefulsets/db";
      const spec = { replicas: 3, serviceName: "db" };
      await stage.create("apps/v1/statefulsets", workload("StatefulSet", "db", spec));
      await stage.until(path, (object) => count(object, "readyReplicas") === 3);
      await stage.patch(path, { spec: { replicas: 1 } });
      await stage.until(path, (object) => seen(object) && count(object, "replicas") === 1);
      await stage.patch(path, {
        spec: { template: { spec: { containers: [container("app:2")] } } },
      });
      await stage.until(path, (object) => {
        const { currentRevision, updateRevision } = object?.status ?? {};
        return (
          seen(object) && count(object, "readyReplicas") === 1 && currentRevision === updateRevision
        );
      });
    },
  },
  {
    name: "daemons",
    async play(stage) {
      const path = "apps/v1/daemonsets/agent";
      await stage.create("apps/v1/daemonsets", workload("DaemonSet", "agent", {}));
      await stage.until(path, (object) => seen(object) && count(object, "numberReady") === 2);
      await stage.patch(path, {
        spec: { template: { spec: { containers: [container("app:2")] } } },
      });
      await stage.until(path, (object) => {
        const updated = count(object, "updatedNumberScheduled") === 2;
        return seen(object) && updated && count(object, "numberAvailable") === 2;
      });
    },
  },
  {
    name: "jobs",
    tooNew: "jobs are accounted in a field of their status that 1.20 drops (1.22)",
    async play(stage) {
      const spec = {
        completions: 3,
        parallelism: 2,
        template: template("work", { restartPolicy: "Never" }),
      };
      const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "work" }, spec };
      await stage.create("batch/v1/jobs", job);
      await stage.until("batch/v1/jobs/work", (object) => count(object, "succeeded") === 3);
      await stage.until("batch/v1/jobs/work", (object) => {
        const conditions = (object?.status?.["conditions"] ?? []) as { type: string }[];
        return conditions.some(({ type }) => type === "Complete");
      });
    },
  },
  {
    name: "cron",
    async play(stage) {
      await stage.create("batch/v1/cronjobs", {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "never" },
        spec: {
          schedule: "0 0 30 2 *",
          jobTemplate: { spec: { template: template("x", { restartPolicy: "Never" }) } },
        },
      });
      await stage.until("batch/v1/cronjobs/never", (object) => object !== undefined);
    },
  },
  {
    name: "unschedulable",
    async play(stage) {
      const spec = { ...template("x").spec, nodeSelector: { disk: "ssd" } };
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "picky" }, spec };
      await stage.create("v1/pods", pod);
      await stage.until("v1/pods/picky", (object) => {
        const conditions = (object?.status?.["conditions"] ?? []) as { reason?: string }[];
        return conditions.some(({ reason }) => reason === "Unschedulable");
      });
    },
  },
  ...(["Background", "Foreground", "Orphan"] as const).map(
    (propagationPolicy): Scenario => ({
      name: `collect-${propagationPolicy.toLowerCase()}`,
      async play(stage) {
        await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 2 }));
        await ready(stage, WEB, 2);
        await stage.remove(WEB, { propagationPolicy });
        await stage.until(WEB, (object) => object === undefined);
        if (propagationPolicy === "Orphan") return;
        await stage.until("v1/pods", isEmpty);
        await stage.until("apps/v1/replicasets", isEmpty);
      },
    }),
  ),
  {
    name: "quota",
    async play(stage) {
      // Upstream counts it late when it comes after the quota.
      await stage.until("v1/configmaps/kube-root-ca.crt", (object) => object !== undefined);
      await stage.create("v1/resourcequotas", {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few" },
        spec: { hard: { pods: "1", "count/configmaps": "5" } },
      });
      await stage.until("v1/resourcequotas/few", (object) => {
        return (object?.status?.["used"] as Record<string, string> | undefined)?.["pods"] === "0";
      });
      await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 2 }));
      await stage.until(WEB, (object) => {
        const conditions = (object?.status?.["conditions"] ?? []) as { type: string }[];
        const failed = conditions.some(({ type }) => type === "ReplicaFailure");
        return failed && count(object, "readyReplicas") === 1;
      });
    },
  },
  {
    name: "leaving",
    async play(stage) {
      const { namespace } = stage;
      await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 2 }));
      await ready(stage, WEB, 2);
      await stage.remove(`/api/v1/namespaces/${namespace}`);
      await stage.until(`/api/v1/namespaces/${namespace}`, (object) => object === undefined);
    },
  },
  ...FURTHER.filter(({ name }) => TESTED.has(name)),
];

/** The rest; some take a minute, and some 1.20 itself does not always do in time. */
export const SLOW_SCENARIOS: readonly Scenario[] = [
  ...FURTHER.filter(({ name }) => !TESTED.has(name)),
  ...SLOW_JOB_SCENARIOS,
  ...SLICE_SCENARIOS,
];
