import {
  CERTIFICATE_SIGNING_REQUESTS,
  CONFIG_MAPS,
  EVENTS,
  LEASES,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  SECRETS,
  STORAGE_CLASSES,
  VOLUME_ATTACHMENTS,
} from "../../../api/generated/resources.ts";
import type { PersistentVolumeClaimSpec } from "../../../api/generated/types/core-v1.ts";
import type { ObjectRef } from "../../../client/client.ts";
import type { Scenario, Stage } from "../scenario.ts";

/** Whose volumes the control plane grows itself. */
const DRIVER = "local.nephos.dev";

/** Broken watches are opened anew after up to 45 seconds, one after the other. */
const TRIES = 800;

/** What the driver's attacher does: waits until it is asked and says that it is done. */
async function attach({ client, wait }: Stage, volume: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { items } = await client.for(VOLUME_ATTACHMENTS).list();
    const asked = items.find(({ spec }) => spec.source.persistentVolumeName === volume);
    if (asked) {
      const ref = { name: asked.metadata?.name ?? "" };
      const status = { status: { attached: true } };
      await client.for(VOLUME_ATTACHMENTS).patch(ref, status, { subresource: "status" });
      return;
    }
    await wait(250);
  }
  throw new Error(`Cannot go on: nobody asks to attach ${volume}`);
}

/** The binder may die between its last two writes; a claim that is not Bound may not grow. */
async function untilBound({ client, wait }: Stage, claim: ObjectRef): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { status } = await client.for(PERSISTENT_VOLUME_CLAIMS).get(claim);
    if (status?.phase === "Bound") return;
    await wait(250);
  }
  throw new Error(`Cannot go on: ${claim.name} is never bound`);
}

const attached: Scenario = {
  name: "volumes of a driver are attached to where their pods are, and grow",
  namespace: "attached",
  parts: [
    "volume-attachment",
    "volumes-attached",
    "volume-expand",
    "ephemeral-volume-controller",
    "persistentvolume-binder",
  ],
  async play(stage) {
    const { client, wait, untilReady, namespace } = stage;
    await client.for(STORAGE_CLASSES).create({
      metadata: { name: namespace },
      provisioner: "kubernetes.io/no-provisioner",
      allowVolumeExpansion: true,
    });
    for (const [name, storage] of [
      ["small", "1Gi"],
      ["large", "4Gi"],
    ] as const) {
      await client.for(PERSISTENT_VOLUMES).create({
        metadata: { name: `${namespace}-${name}` },
        spec: {
          capacity: { storage },
          accessModes: ["ReadWriteOnce"],
          persistentVolumeReclaimPolicy: "Retain",
          storageClassName: namespace,
          csi: { driver: DRIVER, volumeHandle: `${namespace}-${name}` },
        },
      });
    }
    const asking = (storage: string): PersistentVolumeClaimSpec => ({
      accessModes: ["ReadWriteOnce"],
      storageClassName: namespace,
      resources: { requests: { storage } },
    });
    const data = { name: "data", namespace };
    await client.for(PERSISTENT_VOLUME_CLAIMS).create({ metadata: data, spec: asking("1Gi") });
    await client.for(PODS).create({
      metadata: { name: "user", namespace },
      spec: {
        containers: [{ name: "c", image: "i" }],
        terminationGracePeriodSeconds: 1,
        volumes: [
          { name: "data", persistentVolumeClaim: { claimName: "data" } },
          { name: "own", ephemeral: { volumeClaimTemplate: { spec: asking("3Gi") } } },
        ],
      },
    });
    await attach(stage, `${namespace}-small`);
    await attach(stage, `${namespace}-large`);
    await untilReady(1);
    await untilBound(stage, data);
    const resources = { requests: { storage: "2Gi" } };
    await client.for(PERSISTENT_VOLUME_CLAIMS).patch(data, { spec: { resources } });
    await wait(3_000);
    await client.for(PODS).delete({ name: "user", namespace });
    await wait(3_000);
  },
  async end({ client, namespace }, breach) {
    const { items } = await client.for(VOLUME_ATTACHMENTS).list();
    for (const { metadata } of items) breach(`${metadata?.name} is still there`);
    const claim = await client.for(PERSISTENT_VOLUME_CLAIMS).get({ name: "data", namespace });
    const size = claim.status?.capacity?.["storage"];
    if (size !== "2Gi") breach(`the claim has ${size}`);
  },
};

/** Of the node n1, made with openssl. */
const REQUEST =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIck1JR1NBZ0VBTURBeEZUQVRCZ05WQkFvTURI" +
  "TjVjM1JsYlRwdWIyUmxjekVYTUJVR0ExVUVBd3dPYzNsegpkR1Z0T201dlpHVTZiakV3V1RBVEJnY3Foa2pPUFFJ" +
  "QkJnZ3Foa2pPUFFNQkJ3TkNBQVRDWm10Z2hjU2FqR1lOCk4wSFgxR3BNbUNVZjFvMGlqVjAvSHQ4N1MvQVNCNHQ4" +
  "UmdDRnJBMGlGUXBUUnFkdTNudEs1RGsydVZTRmhHWm8KRUltTXZWT0dvQUF3Q2dZSUtvWkl6ajBFQXdJRFNBQXdS" +
  "UUlnY0NaRGkyNys5blRqMzVzZWpaQ09TVDkvd1dlMwpVNk12aEhDc1EyVyt1RFVDSVFEajdSZHpmcXNOOUFYN3Vo" +
  "ZkI1bWExem1kNUQ3ODIwM0QzbVNCcW5QY2Z6Zz09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

const base64 = (text: string) => Buffer.from(text).toString("base64");

const kept: Scenario = {
  name: "certificates are signed, and what has had its time goes",
  namespace: "kept",
  parts: [
    "certificate-approving",
    "certificate-signing",
    "certificate-cleaner",
    "bootstrap-signer",
    "bootstrap-token-cleaner",
    "lease-cleaning",
    "event-ttl",
  ],
  async play({ client, wait, namespace }) {
    for (const usage of ["client auth", "server auth"] as const) {
      await client.for(CERTIFICATE_SIGNING_REQUESTS).create({
        metadata: { name: `${namespace}-${usage.slice(0, 6)}` },
        spec: {
          request: REQUEST,
          signerName: "kubernetes.io/kube-apiserver-client-kubelet",
          usages: ["digital signature", usage],
        },
      });
    }
    await client.for(NAMESPACES).create({ metadata: { name: "kube-public" } });
    await client.for(CONFIG_MAPS).create({
      metadata: { name: "cluster-info", namespace: "kube-public" },
      data: { kubeconfig: "{}" },
    });
    for (const [id, expiration] of [
      ["abcdef", "2025-01-01T00:00:40Z"],
      ["fedcba", "2035-01-01T00:00:00Z"],
    ] as const) {
      await client.for(SECRETS).create({
        metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
        type: "bootstrap.kubernetes.io/token",
        data: {
          "token-id": base64(id),
          "token-secret": base64("0123456789abcdef"),
          "usage-bootstrap-signing": base64("true"),
          expiration: base64(expiration),
        },
      });
    }
    await client.for(LEASES).create({
      metadata: {
        name: namespace,
        namespace: "kube-system",
        labels: { "apiserver.kubernetes.io/identity": "kube-apiserver" },
      },
      spec: { renewTime: "2025-01-01T00:00:20.000000Z", leaseDurationSeconds: 10 },
    });
    await client.for(EVENTS).create({
      metadata: { name: "old", namespace },
      involvedObject: { kind: "Namespace", name: namespace, namespace },
      lastTimestamp: "2025-01-01T00:00:10Z",
    });
    // Certificates and events are kept for an hour.
    await wait(3_800_000);
  },
  async end({ client, namespace }, breach) {
    const { items: events } = await client.for(EVENTS).list({ namespace });
    for (const { metadata } of events) breach(`event ${metadata?.name} is still there`);
    const { items: leases } = await client.for(LEASES).list({ namespace: "kube-system" });
    for (const { metadata } of leases) breach(`lease ${metadata?.name} is still there`);
  },
};

/** What goes on beside workloads and users. */
export const UPKEEP_SCENARIOS: readonly Scenario[] = [attached, kept];
