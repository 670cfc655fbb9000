import { container, count, seen, workload } from "./scenario-parts.ts";
import type { Observed, Scenario } from "./scenario.ts";

const DB = "apps/v1/statefulsets/db";
const NEXT = { spec: { template: { spec: { containers: [container("app:2")] } } } };

const allReady = (object: Observed | undefined, updated: number) =>
  seen(object) &&
  count(object, "readyReplicas") === 3 &&
  count(object, "updatedReplicas") === updated;

export const STATEFUL_SCENARIOS: readonly Scenario[] = [
  {
    name: "stateful-partition",
    async play(stage) {
      const partition = (ordinal: number) => ({
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: ordinal } },
      });
      const spec = { replicas: 3, serviceName: "db", ...partition(2) };
      await stage.create("apps/v1/statefulsets", workload("StatefulSet", "db", spec));
      await stage.until(DB, (object) => allReady(object, 3));
      await stage.patch(DB, NEXT);
      await stage.until(DB, (object) => allReady(object, 1));
      await stage.patch(DB, { spec: partition(0) });
      await stage.until(DB, (object) => {
        const { currentRevision, updateRevision } = object?.status ?? {};
        return allReady(object, 3) && currentRevision === updateRevision;
      });
    },
  },
  {
    name: "stateful-parallel",
    async play(stage) {
      const spec = {
        replicas: 3,
        serviceName: "db",
        podManagementPolicy: "Parallel",
        updateStrategy: { type: "OnDelete" },
      };
      await stage.create("apps/v1/statefulsets", workload("StatefulSet", "db", spec));
      await stage.until(DB, (object) => allReady(object, 3));
      await stage.patch(DB, NEXT);
      await stage.until(DB, seen);
      await stage.remove("v1/pods/db-1", { gracePeriodSeconds: 0 });
      await stage.until(DB, (object) => allReady(object, 1));
    },
  },
];
