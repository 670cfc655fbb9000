import { container, count, ready, template, WEB, workload } from "./scenario-parts.ts";
import type { Observed, Scenario } from "./scenario.ts";

const budget = (spec: object) => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "web" },
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
});

const quota = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name },
  spec,
});

const uses = (name: string, amount: string) => (object: Observed | undefined) =>
  (object?.status?.["used"] as Record<string, string> | undefined)?.[name] === amount;

const TOO_OLD =
  "the admission of 1.20 counts in the status of a quota what its controller leaves out";

const BUDGETS = [
  { name: "budget-least", spec: { minAvailable: 2 }, allowed: 1 },
  { name: "budget-most", spec: { maxUnavailable: "50%" }, allowed: 2 },
  { name: "budget-all", spec: { minAvailable: "100%" }, allowed: 0 },
];

export const BUDGET_AND_QUOTA_SCENARIOS: readonly Scenario[] = [
  ...BUDGETS.map(
    ({ name, spec, allowed }): Scenario => ({
      name,
      async play(stage) {
        await stage.create("policy/v1/poddisruptionbudgets", budget(spec));
        await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 3 }));
        await ready(stage, WEB, 3);
        await stage.until("policy/v1/poddisruptionbudgets/web", (object) => {
          const isCurrent = count(object, "currentHealthy") === 3;
          return isCurrent && count(object, "disruptionsAllowed") === allowed;
        });
      },
    }),
  ),
  {
    name: "quota-scopes",
    tooOld: TOO_OLD,
    async play(stage) {
      await stage.until("v1/configmaps/kube-root-ca.crt", (object) => object !== undefined);
      for (const scope of ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort"]) {
        const name = scope.toLowerCase();
        const spec = { hard: { pods: "5" }, scopes: [scope] };
        await stage.create("v1/resourcequotas", quota(name, spec));
        await stage.until(`v1/resourcequotas/${name}`, uses("pods", "0"));
      }
      const pod = (name: string, spec: object) => ({
        apiVersion: "v1",
        kind: "Pod",
        ...template(name, spec),
        metadata: { name },
      });
      const resources = { requests: { cpu: "100m" } };
      await stage.create("v1/pods", pod("free", {}));
      await stage.create("v1/pods", pod("late", { activeDeadlineSeconds: 600 }));
      await stage.create("v1/pods", pod("sized", { containers: [{ ...container(), resources }] }));
      await stage.until("v1/resourcequotas/besteffort", uses("pods", "2"));
      await stage.until("v1/resourcequotas/notterminating", uses("pods", "2"));
      await stage.until("v1/resourcequotas/terminating", uses("pods", "1"));
    },
  },
  {
    name: "quota-amounts",
    tooOld: TOO_OLD,
    async play(stage) {
      await stage.until("v1/configmaps/kube-root-ca.crt", (object) => object !== undefined);
      const hard = {
        "requests.cpu": "1",
        "limits.memory": "1Gi",
        "count/deployments.apps": "3",
        services: "3",
        "services.nodeports": "1",
        persistentvolumeclaims: "2",
        "requests.storage": "5Gi",
      };
      await stage.create("v1/limitranges", {
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: { name: "sizes" },
        spec: {
          limits: [
            {
              type: "Container",
              default: { memory: "128Mi" },
              defaultRequest: { cpu: "250m", memory: "64Mi" },
            },
          ],
        },
      });
      await stage.create("v1/resourcequotas", quota("all", { hard }));
      await stage.until("v1/resourcequotas/all", uses("services", "0"));
      const ports = [{ port: 80 }];
      await stage.create("v1/services", {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web" },
        spec: { type: "NodePort", selector: { app: "none" }, ports },
      });
      await stage.create("v1/persistentvolumeclaims", {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "nobody",
          resources: { requests: { storage: "2Gi" } },
        },
      });
      await stage.create("apps/v1/deployments", workload("Deployment", "web", { replicas: 2 }));
      await ready(stage, WEB, 2);
      await stage.until("v1/resourcequotas/all", uses("requests.cpu", "500m"));
      await stage.until("v1/resourcequotas/all", uses("requests.storage", "2Gi"));
      await stage.patch(WEB, { spec: { replicas: 1 } });
      await stage.until("v1/resourcequotas/all", uses("requests.cpu", "250m"));
    },
  },
];
