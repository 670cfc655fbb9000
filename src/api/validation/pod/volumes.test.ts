import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const CASES: readonly RuleCase[] = [
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
];

test("rules of volumes and mounts", () => {
  checkNewPods(CASES);
});
