import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STATEFUL_SETS,
} from "../../../api/generated/resources.ts";
import type { StatefulSet } from "../../../api/generated/types/apps-v1.ts";
import type { PersistentVolumeClaim } from "../../../api/generated/types/core-v1.ts";
import type { Scenario, Stage } from "../scenario.ts";

const labels = { app: "db" };
const templateOf = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image }], terminationGracePeriodSeconds: 1 },
});

function statefulSet(namespace: string, more: Partial<StatefulSet["spec"]> = {}): StatefulSet {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace },
    spec: {
      serviceName: "db",
      replicas: 3,
      selector: { matchLabels: labels },
      template: templateOf("v1"),
      ...more,
    },
  };
}

async function createVolumes({ client, namespace }: Stage, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await client.for(PERSISTENT_VOLUMES).create({
      metadata: { name: `${namespace}-${at}` },
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: namespace,
        hostPath: { path: `/volumes/${at}` },
      },
    });
  }
}

function claim(namespace: string, name: string): PersistentVolumeClaim {
  return {
    metadata: { name, namespace },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: namespace,
      resources: { requests: { storage: "1Gi" } },
    },
  };
}

async function untilClaims({ client, namespace, wait }: Stage, count: number): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    const { items } = await client.for(PERSISTENT_VOLUME_CLAIMS).list({ namespace });
    if (items.length === count) return;
    await wait(250);
  }
  throw new Error(`Cannot go on in ${namespace}: there never are ${count} claims`);
}

const ordered: Scenario = {
  name: "a stateful set with claims rolls to a partition, on, and is scaled",
  namespace: "ordered",
  parts: [
    "stateful-set",
    "persistentvolume-binder",
    "persistentvolume-reclaimer",
    "scheduler",
    "garbage-collector",
  ],
  async play(stage) {
    const { client, wait, untilReady, namespace } = stage;
    const db = { name: "db", namespace };
    await createVolumes(stage, 4);
    const sets = client.for(STATEFUL_SETS);
    const { metadata: _, ...template } = claim(namespace, "data");
    const volumeClaimTemplates = [{ ...template, metadata: { name: "data" } }];
    const partition = (at: number) => ({
      updateStrategy: { type: "RollingUpdate" as const, rollingUpdate: { partition: at } },
    });
    await sets.create(statefulSet(namespace, { volumeClaimTemplates, ...partition(2) }));
    await wait(2_000);
    await sets.patch(db, { spec: { template: templateOf("v2") } });
    await wait(3_000);
    await sets.patch(db, { spec: { replicas: 4, ...partition(1) } });
    await wait(4_000);
    await sets.patch(db, { spec: partition(0) });
    await untilReady(4);
    await sets.patch(db, { spec: { replicas: 2 } });
    await wait(2_000);
  },
};

const parallel: Scenario = {
  name: "a parallel stateful set gives way to another of its name",
  namespace: "parallel",
  parts: ["stateful-set", "scheduler", "garbage-collector"],
  async play({ client, wait, untilReady, namespace }) {
    const db = { name: "db", namespace };
    const sets = client.for(STATEFUL_SETS);
    const podManagementPolicy = "Parallel" as const;
    const updateStrategy = { type: "OnDelete" as const };
    await sets.create(statefulSet(namespace, { podManagementPolicy, updateStrategy }));
    await untilReady(3);
    await sets.patch(db, { spec: { template: templateOf("v2") } });
    await client.for(PODS).delete({ name: "db-1", namespace });
    await wait(2_000);
    await sets.delete(db, { propagationPolicy: "Background" });
    await sets.create(statefulSet(namespace, { replicas: 2 }));
    await wait(1_000);
  },
};

const retained: Scenario = {
  name: "claims of a stateful set go when it is scaled and when it goes",
  namespace: "retained",
  parts: ["stateful-set", "garbage-collector", "pvc-protection-controller", "scheduler"],
  async play(stage) {
    const { client, wait, untilReady, namespace } = stage;
    const db = { name: "db", namespace };
    await createVolumes(stage, 6);
    const sets = client.for(STATEFUL_SETS);
    const { metadata: _, ...template } = claim(namespace, "data");
    await sets.create(
      statefulSet(namespace, {
        volumeClaimTemplates: [{ ...template, metadata: { name: "data" } }],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
      }),
    );
    await untilReady(3);
    await sets.patch(db, { spec: { replicas: 1 } });
    await untilClaims(stage, 1);
    await sets.patch(db, { spec: { replicas: 2 } });
    await untilReady(2);
    await sets.delete(db, { propagationPolicy: "Background" });
    await wait(3_000);
  },
  async end({ client, namespace }, breach) {
    const { items } = await client.for(PERSISTENT_VOLUME_CLAIMS).list({ namespace });
    for (const { metadata } of items) breach(`claim ${metadata?.name} is still there`);
  },
};

const claimed: Scenario = {
  name: "claims are bound, kept while in use, and their volumes are released",
  namespace: "claimed",
  parts: [
    "persistentvolume-binder",
    "persistentvolume-reclaimer",
    "pvc-protection-controller",
    "pv-protection-controller",
    "scheduler",
  ],
  async play(stage) {
    const { client, wait, untilReady, namespace } = stage;
    const claims = client.for(PERSISTENT_VOLUME_CLAIMS);
    for (const name of ["one", "two"]) await claims.create(claim(namespace, name));
    await wait(1_000);
    await createVolumes(stage, 2);
    for (const name of ["one", "two"]) {
      await client.for(PODS).create({
        metadata: { name, namespace },
        spec: {
          containers: [{ name: "c", image: "i" }],
          terminationGracePeriodSeconds: 1,
          volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
        },
      });
    }
    await untilReady(2);
    await claims.delete({ name: "one", namespace });
    await wait(2_000);
    await client.for(PODS).delete({ name: "one", namespace });
    await wait(3_000);
    await client.for(PERSISTENT_VOLUMES).delete({ name: `${namespace}-0` });
    await client.for(PERSISTENT_VOLUMES).delete({ name: `${namespace}-1` });
    await wait(2_000);
    await client.for(PODS).delete({ name: "two", namespace });
    await claims.delete({ name: "two", namespace });
  },
};

/** Pods with an identity, and what they keep. */
export const STATEFUL_SCENARIOS: readonly Scenario[] = [ordered, parallel, retained, claimed];
