import { test } from "node:test";
import {
  CSI_DRIVERS,
  CSI_NODES,
  CSI_STORAGE_CAPACITIES,
  STORAGE_CLASSES,
  VOLUME_ATTACHMENTS,
} from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const FIXED = "field is immutable";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for " +
  "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const DOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
  "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test("rules of classes of volumes", () => {
  const zone = { key: "zone", values: ["a", "b"] };
  const many = Object.fromEntries(Array.from({ length: 513 }, (_, at) => [`k${at}`, "v"]));
  const L = "allowedTopologies[0].matchLabelExpressions";
  const terms = (...list: object[][]) => ({
    allowedTopologies: list.map((matchLabelExpressions) => ({ matchLabelExpressions })),
  });
  checkRuleCases(STORAGE_CLASSES, {
    base: {
      provisioner: "Example.com/Disk",
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
      parameters: { type: "fast" },
    },
    create: [
      [{ reclaimPolicy: "Retain" }],
      [{ reclaimPolicy: "" }],
      [terms([zone])],
      [terms([zone], [{ ...zone, key: "other" }])],
      [{ provisioner: "" }, "provisioner: Required value"],
      [
        { provisioner: "bad provisioner" },
        `provisioner: Invalid value: "bad provisioner": ${QUALIFIED}`,
      ],
      [{ parameters: many }, "parameters: Too long: may not be more than 512 bytes"],
      [
        { parameters: { a: "x".repeat(256 * 1024) } },
        "parameters: Too long: may not be more than 262144 bytes",
      ],
      [{ parameters: { "": "x" } }, 'parameters: Invalid value: "": field can not be empty.'],
      [
        { reclaimPolicy: "Recycle" },
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      ],
      [
        { volumeBindingMode: "x" },
        'volumeBindingMode: Unsupported value: "x": supported values: "Immediate", "WaitForFirstConsumer"',
      ],
      [terms([{ key: "zone", values: [] }]), `${L}[0].values: Required value`],
      [terms([{ key: "zone", values: ["a", "a"] }]), `${L}[0].values[1]: Duplicate value: "a"`],
      [terms([zone, zone]), `${L}[1].key: Duplicate value: "zone"`],
      [
        terms([zone], [{ key: "zone", values: ["b", "a"] }]),
        'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
      ],
      [terms([]), `${L}: Duplicate value: ""`],
      [terms([], [zone]), `${L}: Duplicate value: ""`, `${L}: Duplicate value: ""`],
    ],
    update: [
      [
        { parameters: { type: "slow" } },
        "parameters: Forbidden: updates to parameters are forbidden.",
      ],
      [{ provisioner: "other" }, "provisioner: Forbidden: updates to provisioner are forbidden."],
      [
        { reclaimPolicy: "Retain" },
        "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
      ],
      [
        { volumeBindingMode: "WaitForFirstConsumer" },
        `volumeBindingMode: Invalid value: "WaitForFirstConsumer": ${FIXED}`,
      ],
    ],
  });
});

test("rules of attachments of volumes", () => {
  const csi = { driver: "example.com", volumeHandle: "v" };
  const inline = (spec: object) => ({
    "spec.source": { inlineVolumeSpec: { accessModes: ["ReadWriteOnce"], csi, ...spec } },
  });
  const I = "spec.source.inlineVolumeSpec";
  const only = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const context = "in the context of inline volumes";
  const large = "x".repeat(256 * 1024 + 1);
  checkRuleCases(VOLUME_ATTACHMENTS, {
    base: {
      spec: { attacher: "example.com", nodeName: "n1", source: { persistentVolumeName: "v" } },
    },
    create: [
      [inline({})],
      [inline({ persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" })],
      [{ "spec.source": {} }, `spec.source: Required value: ${only}`],
      [{ "spec.source.inlineVolumeSpec": { csi } }, `spec.source: Forbidden: ${only}`],
      [
        { "spec.source.persistentVolumeName": "" },
        "spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName",
        `spec.source.persistentVolumeName: Invalid value: "": ${DOMAIN}`,
      ],
      [
        { "spec.attacher": "" },
        "spec.attacher: Required value",
        "spec.attacher: Required value",
        `spec.attacher: Invalid value: "": ${DOMAIN}`,
      ],
      [{ "spec.nodeName": "" }, `spec.nodeName: Invalid value: "": ${DOMAIN}`],
      [
        inline({ claimRef: { name: "a" } }),
        `${I}.claimRef: Forbidden: may not be specified ${context}`,
      ],
      [
        inline({ capacity: { storage: "1Gi" } }),
        `${I}.capacity: Forbidden: may not be specified ${context}`,
      ],
      [
        inline({ csi: undefined, hostPath: { path: "/a" } }),
        `${I}.csi: Required value: has to be specified ${context}`,
      ],
      [inline({ accessModes: [] }), `${I}.accessModes: Required value`],
      [
        inline({ persistentVolumeReclaimPolicy: "Delete" }),
        `${I}.persistentVolumeReclaimPolicy: Forbidden: may only be Retain ${context}`,
      ],
      [
        inline({ nodeAffinity: {} }),
        `${I}.nodeAffinity: Forbidden: may not be specified ${context}`,
      ],
      [
        inline({ storageClassName: "a" }),
        `${I}.storageClassName: Forbidden: may not be specified ${context}`,
      ],
      [
        inline({ volumeMode: "Block" }),
        `${I}.volumeMode: Forbidden: may not specify volumeMode other than Filesystem ${context}`,
      ],
      [inline({ csi: { driver: "example.com" } }), `${I}.csi.volumeHandle: Required value`],
    ],
    subresources: {
      status: [
        [{ status: { attached: true, attachError: { message: "x".repeat(1024) } } }],
        [
          { "status.attachError.message": "x".repeat(1025) },
          "status.attachError.message: Too long: may not be more than 262144 bytes",
        ],
        [
          { "status.detachError.message": "x".repeat(1025) },
          "status.detachError.message: Too long: may not be more than 262144 bytes",
        ],
        [
          { "status.attachmentMetadata": { a: large } },
          "status.attachmentMetadata: Too long: may not be more than 262144 bytes",
        ],
      ],
    },
  });
});

test("rules of CSI drivers", () => {
  const tokens = (...tokenRequests: object[]) => ({ "spec.tokenRequests": tokenRequests });
  checkRuleCases(CSI_DRIVERS, {
    base: {
      metadata: { name: "example.com" },
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        storageCapacity: true,
        fsGroupPolicy: "File",
        volumeLifecycleModes: ["Persistent"],
      },
    },
    create: [
      [{ "spec.volumeLifecycleModes": ["Ephemeral", "Persistent"] }],
      [tokens({ audience: "" }, { audience: "a", expirationSeconds: 600 })],
      [{ "metadata.name": "_bad" }, `metadata.name: Invalid value: "_bad": ${DOMAIN}`],
      [
        { "spec.volumeLifecycleModes": ["no"] },
        'spec.volumeLifecycleModes: Unsupported value: "no": supported values: "Persistent", "Ephemeral"',
      ],
      [
        { "spec.fsGroupPolicy": "no" },
        'spec.fsGroupPolicy: Unsupported value: "no": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      ],
      [
        tokens({ audience: "a" }, { audience: "a", expirationSeconds: 1 }),
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
      ],
      [
        tokens({ audience: "a", expirationSeconds: 599 }),
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
      ],
      [
        tokens({ audience: "a", expirationSeconds: 4294967297 }),
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
      ],
    ],
    update: [
      [{ "spec.podInfoOnMount": false, "spec.fsGroupPolicy": "None" }],
      [{ "spec.attachRequired": false }, `spec.attachedRequired: Invalid value: false: ${FIXED}`],
      [
        { "spec.volumeLifecycleModes": ["Ephemeral"] },
        `spec.volumeLifecycleModes: Invalid value: []storage.VolumeLifecycleMode{"Ephemeral"}: ${FIXED}`,
      ],
    ],
  });
});

test("rules of what a node's drivers say", () => {
  const driver = { name: "example.com", nodeID: "n1", topologyKeys: ["example.com/zone"] };
  const D = "spec.drivers[0]";
  const EMPTY = `name part must be non-empty`;
  checkRuleCases(CSI_NODES, {
    base: { metadata: { name: "n1" }, spec: { drivers: [driver] } },
    create: [
      [{ "spec.drivers[0].nodeID": "x".repeat(256) }],
      [{ "spec.drivers[0].allocatable": { count: 0 } }],
      [
        { "spec.drivers[0].nodeID": "x".repeat(257) },
        `${D}.nodeID: Invalid value: "${"x".repeat(257)}": must be 256 characters or less`,
      ],
      [{ "spec.drivers[0].nodeID": "" }, `${D}.nodeID: Required value`],
      [
        { "spec.drivers[0].name": "" },
        `${D}.name: Required value`,
        `${D}.name: Invalid value: "": ${DOMAIN}`,
      ],
      [
        { "spec.drivers[0].name": "a".repeat(64) },
        `${D}.name: Too long: may not be more than 63 bytes`,
      ],
      [
        { "spec.drivers[0].allocatable": { count: -1 } },
        `${D}.allocatable.count: Invalid value: -1: must be greater than or equal to 0`,
      ],
      [
        { "spec.drivers": [driver, driver] },
        'spec.drivers[1].name: Duplicate value: "example.com"',
      ],
      [
        { "spec.drivers[0].topologyKeys": ["", "a", "a"] },
        `${D}: Required value`,
        `${D}: Invalid value: "": ${EMPTY}`,
        `${D}: Invalid value: "": ${QUALIFIED}`,
        `${D}: Duplicate value: "a"`,
      ],
      [{ "spec.drivers[0].topologyKeys": ["_bad"] }, `${D}: Invalid value: "_bad": ${QUALIFIED}`],
    ],
    update: [
      [{ "spec.drivers": [] }],
      [{ "spec.drivers": [driver, { name: "b.com", nodeID: "n" }] }],
    ],
  });
});

test("rules of how much storage a class has where", () => {
  checkRuleCases(CSI_STORAGE_CAPACITIES, {
    base: {
      storageClassName: "fast",
      capacity: "1Gi",
      nodeTopology: { matchLabels: { zone: "a" } },
    },
    create: [
      [{ capacity: undefined }],
      [{ maximumVolumeSize: "-1" }],
      [{ storageClassName: "" }, `storageClassName: Invalid value: "": ${DOMAIN}`],
      [{ capacity: "-1" }, 'capacity: Invalid value: "-1": must be greater than or equal to 0'],
      [
        { "nodeTopology.matchExpressions": [{ key: "zone", operator: "In", values: [] }] },
        "nodeTopology.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      ],
    ],
    update: [
      [{ capacity: "2Gi" }],
      [{ storageClassName: "slow" }, `storageClassName: Invalid value: "slow": ${FIXED}`],
      [
        { "nodeTopology.matchLabels": { zone: "b" } },
        'nodeTopology: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"zone":"b"}, ' +
          `MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: ${FIXED}`,
      ],
    ],
  });
});
