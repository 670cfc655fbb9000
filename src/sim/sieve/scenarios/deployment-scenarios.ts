import {
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
} from "../../../api/generated/resources.ts";
import type { Deployment } from "../../../api/generated/types/apps-v1.ts";
import type { Scenario } from "../scenario.ts";

const labels = { app: "web" };
const containers = (image: string) => [{ name: "c", image }];
const templateOf = (image: string) => ({
  metadata: { labels },
  spec: { containers: containers(image), terminationGracePeriodSeconds: 1 },
});

function deployment(namespace: string, more: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
    spec: { replicas: 4, selector: { matchLabels: labels }, template: templateOf("v1"), ...more },
  };
}

const PARTS = ["deployment", "replica-set", "scheduler", "garbage-collector"];

const rolling: Scenario = {
  name: "a deployment rolls, is scaled on its way, and rolls back",
  namespace: "rolling",
  parts: PARTS,
  async play({ client, wait, namespace }) {
    const web = { name: "web", namespace };
    const deployments = client.for(DEPLOYMENTS);
    await deployments.create(deployment(namespace));
    await wait(4_000);
    await deployments.patch(web, { spec: { template: templateOf("v2") } });
    await wait(900);
    await deployments.patch(web, { spec: { replicas: 6 } });
    await wait(1_500);
    await deployments.patch(web, { spec: { template: templateOf("v1") } });
    await wait(6_000);
    await deployments.patch(web, { spec: { replicas: 3 } });
    await wait(2_000);
  },
};

const rolledBack: Scenario = {
  name: "a deployment of four rolls and rolls back with its pods ready",
  namespace: "back",
  parts: PARTS.slice(0, 3),
  async play({ client, wait, untilReady, namespace }) {
    const web = { name: "web", namespace };
    const deployments = client.for(DEPLOYMENTS);
    await deployments.create(deployment(namespace));
    await untilReady(4);
    await deployments.patch(web, { spec: { template: templateOf("v2") } });
    await wait(1_700);
    await deployments.patch(web, { spec: { template: templateOf("v1") } });
    await wait(1_300);
    await deployments.patch(web, { spec: { template: templateOf("v3") } });
  },
};

const recreate: Scenario = {
  name: "a deployment is recreated",
  namespace: "recreated",
  parts: PARTS.slice(0, 3),
  async play({ client, wait, namespace }) {
    const web = { name: "web", namespace };
    const deployments = client.for(DEPLOYMENTS);
    await deployments.create(
      deployment(namespace, { replicas: 2, strategy: { type: "Recreate" } }),
    );
    await wait(3_000);
    await deployments.patch(web, { spec: { template: templateOf("v2") } });
    await wait(4_000);
  },
};

const collected: Scenario = {
  name: "deployments go in the background, in the foreground, and leave their pods behind",
  namespace: "collected",
  parts: ["garbage-collector", "replica-set", "deployment"],
  async play({ client, wait, untilReady, namespace }) {
    const web = { name: "web", namespace };
    const deployments = client.for(DEPLOYMENTS);
    const named = (name: string) => {
      const own = { app: name };
      const template = { ...templateOf("v1"), metadata: { labels: own } };
      const spec = { replicas: 2, selector: { matchLabels: own }, template };
      return { ...deployment(namespace), metadata: { ...web, name }, spec };
    };
    for (const name of ["back", "fore", "left"]) await deployments.create(named(name));
    await untilReady(6);
    await deployments.delete({ ...web, name: "back" }, { propagationPolicy: "Background" });
    await deployments.delete({ ...web, name: "fore" }, { propagationPolicy: "Foreground" });
    await deployments.delete({ ...web, name: "left" }, { propagationPolicy: "Orphan" });
    await wait(3_000);
  },
  async end({ client, namespace }, breach) {
    const sets = (await client.for(REPLICA_SETS).list({ namespace })).items.length;
    const pods = (await client.for(PODS).list({ namespace })).items.length;
    if (sets !== 1 || pods !== 2) breach(`${sets} sets and ${pods} pods are left of 1 and 2`);
  },
};

const adopted: Scenario = {
  name: "a controller adopts what fits and lets go what no longer does",
  namespace: "adopted",
  parts: ["replication-controller", "scheduler", "garbage-collector"],
  async play({ client, wait, namespace }) {
    const web = { name: "web", namespace };
    const pods = client.for(PODS);
    const metadata = { name: "stray", namespace, labels };
    await pods.create({ metadata, spec: { containers: containers("v1") } });
    await wait(500);
    await client.for(REPLICATION_CONTROLLERS).create({
      metadata: web,
      spec: { replicas: 3, selector: labels, template: templateOf("v1") },
    });
    await wait(2_500);
    const [one] = (await pods.list({ namespace, labelSelector: "app=web" })).items;
    const name = one?.metadata?.name ?? "stray";
    await pods.patch({ ...web, name }, { metadata: { labels: { app: "other" } } });
    await wait(20_000);
    await pods.deleteCollection({ namespace, labelSelector: "app=other" });
    await wait(20_000);
    await pods.deleteCollection({ namespace, labelSelector: "app=web" });
    await wait(1_000);
  },
};

/** Deployments, their sets, and what is left of them. */
export const DEPLOYMENT_SCENARIOS: readonly Scenario[] = [
  rolling,
  rolledBack,
  recreate,
  collected,
  adopted,
];
