import { test } from "node:test";
import { POD_TEMPLATES } from "../../generated/resources.ts";
import { checkRuleCases, type RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER, SAMPLE_POD } from "./sample-pod.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const TARGET = { iqn: "iqn.2024-01.example.com:disk", lun: 0, targetPortal: "192.0.2.1" };
const CLAIM = {
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

const CASES: readonly RuleCase[] = [
  [
    { "spec.volumes": [{ name: "v", hostPath: { path: "", type: "Hole" } }] },
    "spec.volumes[0].hostPath.path: Required value",
  ],
  [
    { "spec.volumes": [{ name: "v", azureDisk: { diskName: "a", diskURI: "", kind: "Shared" } }] },
    "spec.volumes[0].azureDisk.diskURI: Required value",
    'spec.volumes[0].azureDisk.diskURI: Unsupported value: "": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
  ],
  [
    { [`${CONTAINER}.volumeMounts`]: [{ name: "x", mountPath: "/x" }] },
    `${CONTAINER}.volumeMounts[0].name: Not found: "x"`,
  ],
  [
    { "spec.volumes": [{ name: "v" }] },
    "spec.volumes[0]: Required value: must specify a volume type",
  ],
  [
    { "spec.volumes": [{ name: "v", hostPath: { path: "/x" }, emptyDir: {} }] },
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
  ],
  [
    { "spec.volumes": [{ name: "v", emptyDir: {}, cephfs: { monitors: ["a"] } }] },
    "spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type",
  ],
  [
    {
      "spec.volumes": [
        { name: "v", emptyDir: {} },
        { name: "v", emptyDir: {} },
      ],
    },
    'spec.volumes[1].name: Duplicate value: "v"',
  ],
  [
    { "spec.volumes": [{ name: "v", hostPath: { path: "a/..", type: "Hole" } }] },
    "spec.volumes[0].hostPath.path: Invalid value: \"a/..\": must not contain '..'",
    'spec.volumes[0].hostPath.type: Unsupported value: "Hole": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
  ],
  [
    { "spec.volumes": [{ name: "v", configMap: { name: "c", defaultMode: 512 } }] },
    "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
  ],
  [
    {
      "spec.volumes": [
        { name: "v", secret: { secretName: "s", items: [{ key: "k", path: "/a" }] } },
      ],
    },
    'spec.volumes[0].secret.items[0].path: Invalid value: "/a": must be a relative path',
  ],
  [
    { "spec.volumes": [{ name: "v", nfs: { server: "s", path: "a" } }] },
    'spec.volumes[0].nfs.path: Invalid value: "a": must be an absolute path',
  ],
  [
    { "spec.volumes": [{ name: "v", iscsi: { targetPortal: "p", iqn: "x", lun: 300 } }] },
    'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
    "spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive",
  ],
  [
    { "spec.volumes": [{ name: "v", downwardAPI: { items: [{ path: "a" }] } }] },
    "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: {
            sources: [
              { secret: { name: "a", items: [{ key: "k", path: "p" }] } },
              { configMap: { name: "b", items: [{ key: "k", path: "p" }] } },
            ],
          },
        },
      ],
    },
    'spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths',
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: {
            sources: [
              { secret: { name: "a", items: [{ key: "k", path: "p" }] } },
              { serviceAccountToken: { path: "p", expirationSeconds: 3600 } },
            ],
          },
        },
      ],
    },
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 9 } }] },
        },
      ],
    },
    "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 9: may not specify a duration less than 10 minutes",
  ],
  [
    { "spec.volumes": [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
    "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
    "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
  ],
  [
    {
      "spec.volumes": [{ name: "v", emptyDir: {} }],
      [`${CONTAINER}.volumeMounts`]: [
        { name: "v", mountPath: "/v", mountPropagation: "Bidirectional" },
      ],
    },
    `${CONTAINER}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
  ],
  [
    {
      "spec.volumes": [{ name: "v", emptyDir: {} }],
      [`${CONTAINER}.volumeDevices`]: [{ name: "v", devicePath: "/dev/x" }],
    },
    `${CONTAINER}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
  ],
  [
    { "spec.volumes": [{ name: "v", gcePersistentDisk: { pdName: "", partition: 300 } }] },
    "spec.volumes[0].persistentDisk.pdName: Required value",
    "spec.volumes[0].persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive",
  ],
  [
    {
      "spec.volumes": [{ name: "v", emptyDir: {} }],
      [`${CONTAINER}.volumeMounts`]: [{ name: "v", mountPath: "/v", subPath: "/a" }],
    },
    `${CONTAINER}.volumeMounts.subPath: Invalid value: "/a": must be a relative path`,
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: {
            sources: [
              { downwardAPI: { items: [{ path: "a" }] } },
              { serviceAccountToken: { path: "../t", expirationSeconds: 600 } },
              { serviceAccountToken: { path: "", expirationSeconds: 600 } },
              { secret: { name: "a" }, configMap: { name: "b" } },
            ],
          },
        },
      ],
    },
    "spec.volumes[0].projected.sources[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    "spec.volumes[0].projected.path: Invalid value: \"../t\": must not contain '..'",
    "spec.volumes[0].projected.path: Required value",
    "spec.volumes[0].projected.sources[3]: Forbidden: may not specify more than 1 volume type per source",
  ],
  [
    { "spec.volumes": [{ name: "v", storageos: { volumeName: "A", volumeNamespace: "b.c" } }] },
    `spec.volumes[0].storageos.volumeName: Invalid value: "A": ${LABEL}`,
    'spec.volumes[0].storageos.volumeNamespace: Invalid value: "b.c": must not contain dots',
  ],
  [
    {
      "spec.volumes": [
        { name: "v", flexVolume: { driver: "d", options: { "A.K8S.io/x": "1", "b.io/x": "1" } } },
      ],
    },
    'spec.volumes[0].flexVolume.options[A.K8S.io/x]: Invalid value: "A.K8S.io/x": kubernetes.io and k8s.io namespaces are reserved',
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          iscsi: { ...TARGET, targetPortal: "p".repeat(63), initiatorName: TARGET.iqn },
        },
        { name: "w", iscsi: { ...TARGET, targetPortal: "p".repeat(63) } },
      ],
    },
    'spec.volumes[0].name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
  ],
  [
    {
      "spec.volumes": [
        { name: "v", ephemeral: { volumeClaimTemplate: CLAIM } },
        { name: "w", persistentVolumeClaim: { claimName: "web-v" } },
      ],
    },
    'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-v": must not reference a PVC that gets created for an ephemeral volume',
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          ephemeral: { volumeClaimTemplate: { ...CLAIM, metadata: { name: "a", labels: {} } } },
        },
      ],
    },
    "spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
  ],
  [
    { "spec.volumes": [{ name: "v", image: { pullPolicy: "Always" } }] },
    "spec.volumes[0].image.reference: Required value",
  ],
];

/** What only nodes can tell to be wrong. */
const FINE: readonly RuleCase[] = [
  [
    {
      "spec.volumes": [
        { name: "a", configMap: { name: "C", items: [{ key: "not a key", path: "p" }] } },
        { name: "b", secret: { secretName: "S", items: [{ key: "/", path: "p" }] } },
        {
          name: "c",
          projected: { sources: [{ secret: { name: "S" } }, { configMap: { name: "C" } }] },
        },
      ],
    },
  ],
];

test("rules of volumes and mounts", () => {
  checkNewPods(CASES);
  checkNewPods(FINE);
});

test("a template may leave the image of a volume to whoever fills it in", () => {
  const volumes = [{ name: "v", image: { pullPolicy: "Always" } }];
  checkRuleCases(POD_TEMPLATES, {
    base: { template: SAMPLE_POD },
    create: [[{ "template.spec.volumes": volumes }]],
  });
});
