import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const OLD_ZONE = "failure-domain.beta.kubernetes.io/zone";
const ZONE = "topology.kubernetes.io/zone";
const KEY = "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key";
const VOLUME = {
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "1Gi" },
    csi: { driver: "d.example.com", volumeHandle: "a" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: OLD_ZONE, operator: "In", values: ["no label/"] }] },
        ],
      },
    },
  },
};
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const affinityWith = (key: string) =>
  JSON.stringify(VOLUME.spec.nodeAffinity).replace(OLD_ZONE, key);

test("options of mounts are annotated only where volumes take them", () => {
  const annotations = { "volume.beta.kubernetes.io/mount-options": "ro" };
  checkRuleCases(PERSISTENT_VOLUMES, {
    base: VOLUME,
    create: [
      [
        {
          "metadata.annotations": annotations,
          "spec.csi": undefined,
          "spec.nfs": { server: "a", path: "/" },
        },
      ],
      [
        { "metadata.annotations": annotations },
        "metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type",
      ],
    ],
  });
});

test("rules of persistent volumes", () => {
  checkRuleCases(PERSISTENT_VOLUMES, {
    base: VOLUME,
    create: [
      [
        { "spec.capacity.storage": "-500m" },
        "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
        'spec.capacity[storage]: Invalid value: "-500m": must be greater than zero',
      ],
      [
        { "spec.csi.nodePublishSecretRef": { name: "a", namespace: "B" } },
        `spec.csi.nodePublishSecretRef.namespace: Invalid value: "B": ${LABEL}`,
      ],
      [
        {
          "spec.csi": undefined,
          "spec.gcePersistentDisk": { pdName: "" },
        },
        "spec.persistentDisk.pdName: Required value",
      ],
      [
        {
          "spec.csi": undefined,
          "spec.iscsi": {
            targetPortal: "192.0.2.1",
            iqn: "disk",
            lun: 0,
            secretRef: {},
          },
        },
        "spec.iscsi.secretRef.name: Required value",
        'spec.iscsi.iqn: Invalid value: "disk": must be valid format',
      ],
      [
        {
          "spec.csi": undefined,
          "spec.hostPath": { path: "//." },
          "spec.persistentVolumeReclaimPolicy": "Recycle",
        },
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      ],
    ],
    update: [
      [{ "spec.csi.controllerExpandSecretRef": { name: "a", namespace: "b" } }],
      [
        { "spec.csi.nodeExpandSecretRef": { name: "a", namespace: "b" } },
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation",
      ],
      [{ [KEY]: ZONE }],
      [
        { [KEY]: "other" },
        `nodeAffinity: Invalid value: ${affinityWith("other")}: field is immutable, except for updating from beta label to GA`,
      ],
    ],
  });
});

const ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const CLAIM = {
  metadata: { annotations: { [ANNOTATION]: "fast" } },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
  status: { phase: "Bound" },
};

test("rules of claims that change", () => {
  checkRuleCases(PERSISTENT_VOLUME_CLAIMS, {
    base: CLAIM,
    create: [
      [
        { "spec.resources.requests.storage": "-1" },
        'spec.resources[storage]: Invalid value: "-1": must be greater than zero',
      ],
    ],
    update: [
      [{ "metadata.annotations": undefined, "spec.storageClassName": "fast" }],
      [{ "spec.storageClassName": "fast" }],
      [
        { "metadata.annotations": undefined, "spec.storageClassName": "slow" },
        `metadata.annotations.${ANNOTATION}: Invalid value: "": field is immutable`,
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
      ],
      [{ "spec.resources.requests.storage": "1Gi" }],
    ],
  });
  checkRuleCases(PERSISTENT_VOLUME_CLAIMS, {
    base: { ...CLAIM, status: { phase: "Bound", capacity: { storage: "1Gi" } } },
    update: [
      [{ "spec.resources.requests.storage": "1500Mi" }],
      [
        { "spec.resources.requests.storage": "1Gi" },
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
      ],
    ],
  });
});
