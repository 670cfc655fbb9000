import {
  CLUSTER_ROLES,
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINTS,
  HORIZONTAL_POD_AUTOSCALERS,
  NAMESPACES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  RESOURCE_QUOTAS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "../../../api/generated/resources.ts";
import { isNotFound } from "../../../api/errors.ts";
import type { Deployment } from "../../../api/generated/types/apps-v1.ts";
import type { PodSpec } from "../../../api/generated/types/core-v1.ts";
import type { Scenario } from "../scenario.ts";
import { DISTURBED } from "../workload-invariants.ts";

const labels = { app: "web" };

function deployment(
  namespace: string,
  { replicas = 2, spec = {} }: { replicas?: number; spec?: Partial<PodSpec> } = {},
): Deployment {
  const containers = [{ name: "c", image: "i" }];
  const template = {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 1, ...spec, containers },
  };
  return {
    metadata: { name: "web", namespace, annotations: { [DISTURBED]: "yes" } },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

const daemons: Scenario = {
  name: "daemons roll with surge, then without, and come to new nodes",
  namespace: "daemons",
  parts: ["daemon-set", "scheduler", "garbage-collector"],
  async play({ client, wait, untilReady, namespace }) {
    const agent = { name: "agent", namespace };
    const templateOf = (image: string) => ({
      metadata: { labels },
      spec: { containers: [{ name: "c", image }], terminationGracePeriodSeconds: 1 },
    });
    const sets = client.for(DAEMON_SETS);
    await sets.create({
      metadata: agent,
      spec: {
        selector: { matchLabels: labels },
        template: templateOf("v1"),
        updateStrategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
        },
      },
    });
    await untilReady(2);
    await sets.patch(agent, { spec: { template: templateOf("v2") } });
    await wait(1_000);
    await sets.patch(agent, { spec: { template: templateOf("v3") } });
    await wait(4_000);
    const rollingUpdate = { maxSurge: 0, maxUnavailable: 1 };
    await sets.patch(agent, {
      spec: { updateStrategy: { rollingUpdate }, template: templateOf("v4") },
    });
    await wait(2_000);
  },
};

const emptied: Scenario = {
  name: "a namespace goes with all that is in it",
  namespace: "emptied",
  parts: ["namespace", "garbage-collector", "replica-set", "service-account", "root-ca"],
  async play({ client, untilReady, wait, namespace }) {
    await client.for(DEPLOYMENTS).create(deployment(namespace));
    const metadata = { name: "kept", namespace, finalizers: ["example.com/kept"] };
    await client.for(CONFIG_MAPS).create({ metadata });
    await untilReady(2);
    await client.for(NAMESPACES).delete({ name: namespace });
    await wait(8_000);
    await client.for(CONFIG_MAPS).patch(metadata, { metadata: { finalizers: [] } });
  },
  async end({ client, namespace }, breach) {
    const read = client.for(NAMESPACES).get({ name: namespace });
    const isGone = await read.then(() => false, isNotFound);
    if (!isGone) breach(`namespace ${namespace} is still there`);
  },
};

const limited: Scenario = {
  name: "a quota limits a deployment, and lets it on when it is raised",
  namespace: "limited",
  parts: ["replica-set", "resource-quota", "deployment"],
  async play({ client, wait, namespace }) {
    const quotas = client.for(RESOURCE_QUOTAS);
    const quota = { name: "few", namespace };
    await quotas.create({ metadata: quota, spec: { hard: { pods: "2" } } });
    await wait(500);
    await client.for(DEPLOYMENTS).create(deployment(namespace, { replicas: 4 }));
    await wait(6_000);
    await quotas.patch(quota, { spec: { hard: { pods: "3" } } });
    await wait(6_000);
    await client.for(DEPLOYMENTS).patch({ name: "web", namespace }, { spec: { replicas: 3 } });
    await wait(2_000);
  },
};

const spared: Scenario = {
  name: "evictions spare what a disruption budget protects",
  namespace: "spared",
  parts: ["disruption", "replica-set", "scheduler"],
  async play({ client, wait, untilReady, namespace }) {
    await client.for(POD_DISRUPTION_BUDGETS).create({
      metadata: { name: "two", namespace },
      spec: { minAvailable: 2, selector: { matchLabels: labels } },
    });
    await client.for(DEPLOYMENTS).create(deployment(namespace, { replicas: 3 }));
    await untilReady(3);
    for (let tries = 0; tries < 12; tries++) {
      const { items } = await client.for(PODS).list({ namespace });
      for (const { metadata = {} } of items) {
        const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata };
        // Whoever may not go stays; that is what budgets are for.
        const { name = "" } = metadata;
        const pods = client.for(PODS);
        await pods.post({ name, namespace }, "eviction", eviction).catch(() => undefined);
      }
      await wait(700);
    }
    await untilReady(3);
  },
};

const scaled: Scenario = {
  name: "an autoscaler keeps a deployment within its bounds",
  namespace: "scaled",
  parts: ["horizontal-pod-autoscaler", "deployment", "replica-set"],
  async play({ client, wait, namespace }) {
    const web = { name: "web", namespace };
    await client.for(DEPLOYMENTS).create(deployment(namespace, { replicas: 1 }));
    await client.for(HORIZONTAL_POD_AUTOSCALERS).create({
      metadata: web,
      spec: {
        minReplicas: 2,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      },
    });
    await wait(40_000);
    await client.for(DEPLOYMENTS).patch(web, { spec: { replicas: 5 } });
    await wait(40_000);
  },
};

const served: Scenario = {
  name: "services follow their pods and get their addresses",
  namespace: "served",
  parts: ["endpoint-slice", "endpoints", "endpoint-slice-mirroring", "service-load-balancer"],
  async play({ client, wait, namespace }) {
    const web = { name: "web", namespace };
    const services = client.for(SERVICES);
    const ports = [{ port: 80 }];
    await client.for(DEPLOYMENTS).create(deployment(namespace));
    await services.create({
      metadata: web,
      spec: { type: "LoadBalancer", selector: labels, ports },
    });
    await services.create({ metadata: { name: "doomed", namespace }, spec: { ports } });
    const manual = { name: "manual", namespace };
    await services.create({ metadata: manual, spec: { ports } });
    const subsetOf = (ip: string) => ({ addresses: [{ ip }], ports });
    const endpoints = client.for(ENDPOINTS);
    await endpoints.create({ metadata: manual, subsets: [subsetOf("192.0.2.200")] });
    await wait(3_000);
    const subsets = [subsetOf("192.0.2.200"), subsetOf("192.0.2.201")];
    await endpoints.patch(manual, { subsets });
    await client.for(DEPLOYMENTS).patch(web, { spec: { replicas: 3 } });
    await services.delete({ name: "doomed", namespace });
    const more = { ...web, name: "more" };
    await services.create({
      metadata: more,
      spec: { type: "LoadBalancer", selector: labels, ports },
    });
    await wait(2_000);
    await services.patch(more, { spec: { selector: { app: "none" } } });
    await client.for(DEPLOYMENTS).patch(web, { spec: { replicas: 1 } });
    await wait(2_000);
  },
};

const fallen: Scenario = {
  name: "pods leave a silent node, and one that is gone",
  namespace: "fallen",
  parts: ["node-lifecycle", "taint-eviction", "pod-gc", "node-address", "replica-set"],
  async play({ client, nodes, wait, untilReady, namespace }) {
    const labelled = { labels: { pool: namespace } };
    const taints = [{ key: "pool", effect: "NoSchedule" as const }];
    for (const name of ["f1", "f2"]) await nodes.add(name, { ...labelled, taints });
    const key = "node.kubernetes.io/unreachable";
    const effect = "NoExecute" as const;
    const tolerations = [
      { key, operator: "Exists" as const, effect, tolerationSeconds: 5 },
      { key: "pool", operator: "Exists" as const },
    ];
    const spec = { nodeSelector: { pool: namespace }, tolerations };
    await client.for(DEPLOYMENTS).create(deployment(namespace, { spec }));
    await untilReady(2);
    nodes.silence("f1");
    await wait(120_000);
    await nodes.resume("f1");
    await wait(20_000);
    nodes.silence("f2");
    await client.for(NODES).delete({ name: "f2" });
    await wait(60_000);
  },
};

const credentials: Scenario = {
  name: "tokens come and go with their accounts, and roles add up",
  namespace: "accounts",
  parts: ["token-secret", "token-cleaner", "service-account", "cluster-role-aggregation"],
  async play({ client, wait, namespace }) {
    const accounts = client.for(SERVICE_ACCOUNTS);
    await accounts.create({ metadata: { name: "robot", namespace } });
    const annotations = { "kubernetes.io/service-account.name": "robot" };
    for (const name of ["one", "two"]) {
      await client.for(SECRETS).create({
        metadata: { name, namespace, annotations },
        type: "kubernetes.io/service-account-token",
      });
    }
    const roles = client.for(CLUSTER_ROLES);
    const matchLabels = { [namespace]: "yes" };
    const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
    await roles.create({
      metadata: { name: `${namespace}-sum` },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
      rules: [],
    });
    for (const name of ["pods", "nodes"]) {
      const metadata = { name: `${namespace}-${name}`, labels: matchLabels };
      await roles.create({ metadata, rules: [rule(name)] });
    }
    await wait(2_000);
    await roles.delete({ name: `${namespace}-nodes` });
    await client.for(SECRETS).delete({ name: "two", namespace });
    await wait(1_000);
    await accounts.delete({ name: "robot", namespace });
    await accounts.delete({ name: "default", namespace });
    await wait(1_000);
  },
};

const circles: Scenario = {
  name: "objects that own each other go together",
  namespace: "circles",
  parts: ["garbage-collector"],
  async play({ client, wait, namespace }) {
    const maps = client.for(CONFIG_MAPS);
    const own = async (name: string, owner: string) => {
      const { metadata } = await maps.get({ name: owner, namespace });
      const reference = {
        apiVersion: "v1",
        kind: "ConfigMap",
        name: owner,
        uid: metadata?.uid ?? "",
        blockOwnerDeletion: true,
      };
      await maps.patch({ name, namespace }, { metadata: { ownerReferences: [reference] } });
    };
    for (const name of ["a", "b", "c", "d", "e"]) {
      await maps.create({ metadata: { name, namespace } });
    }
    await own("a", "b");
    await own("b", "a");
    await own("c", "d");
    await own("d", "c");
    await own("e", "d");
    await wait(1_000);
    await maps.delete({ name: "a", namespace }, { propagationPolicy: "Background" });
    await maps.delete({ name: "c", namespace }, { propagationPolicy: "Foreground" });
    await wait(2_000);
  },
  async end({ client, namespace }, breach) {
    const { items } = await client.for(CONFIG_MAPS).list({ namespace });
    for (const { metadata } of items) {
      if (metadata?.ownerReferences) breach(`${metadata.name} is still there`);
    }
  },
};

/** What a cluster does beside workloads. */
export const CLUSTER_SCENARIOS: readonly Scenario[] = [
  daemons,
  emptied,
  limited,
  spared,
  scaled,
  served,
  fallen,
  credentials,
  circles,
];
