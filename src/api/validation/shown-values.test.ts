import { test } from "node:test";
import {
  CONTROLLER_REVISIONS,
  CSI_NODES,
  DAEMON_SETS,
  DEPLOYMENTS,
  LIMIT_RANGES,
  NODES,
  PERSISTENT_VOLUMES,
  RESOURCE_QUOTAS,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from "../generated/resources.ts";
import { SAMPLE_POD } from "./pod/sample-pod.ts";
import { checkRuleCases } from "./rule-cases.ts";

const WORKLOAD = {
  selector: { matchLabels: { a: "b" } },
  template: { metadata: { labels: { a: "b" } }, spec: SAMPLE_POD.spec },
};
const quantity = (value: number, scale: number, text: string) =>
  `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, ` +
  `d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"${text}", Format:"DecimalSI"}`;

test("strategies of workloads are shown as structures", () => {
  checkRuleCases(DEPLOYMENTS, {
    base: { spec: WORKLOAD },
    create: [
      [
        { "spec.strategy": { type: "x" } },
        'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"x", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: "Recreate", "RollingUpdate"',
      ],
    ],
  });
  checkRuleCases(DAEMON_SETS, {
    base: { spec: WORKLOAD },
    create: [
      [
        { "spec.updateStrategy": { type: "x" } },
        'spec.updateStrategy: Unsupported value: apps.DaemonSetUpdateStrategy{Type:"x", RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: supported values: "RollingUpdate", "OnDelete"',
      ],
    ],
  });
  checkRuleCases(STATEFUL_SETS, {
    base: { spec: WORKLOAD },
    create: [
      [
        { "spec.updateStrategy": { type: "x" } },
        "spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:\"x\", RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be 'RollingUpdate' or 'OnDelete'",
      ],
      [
        { "spec.updateStrategy": { type: "OnDelete", rollingUpdate: { partition: 1 } } },
        "spec.updateStrategy.rollingUpdate: Invalid value: apps.RollingUpdateStatefulSetStrategy{Partition:1, MaxUnavailable:(*intstr.IntOrString)(nil)}: only allowed for updateStrategy 'RollingUpdate'",
      ],
    ],
  });
});

test("bounds are shown as quantities; the larger one where a default is too much", () => {
  const L = "spec.limits";
  checkRuleCases(LIMIT_RANGES, {
    base: { spec: { limits: [{ type: "Container" }] } },
    create: [
      [
        { [L]: [{ type: "Pod", min: { cpu: "100m" }, max: { cpu: "10m" } }] },
        `${L}[0].min[cpu]: Invalid value: ${quantity(100, -3, "100m")}: min value 100m is greater than max value 10m`,
      ],
      [
        { [L]: [{ type: "Container", default: { cpu: "2" }, max: { cpu: "1" } }] },
        `${L}[0].default[cpu]: Invalid value: ${quantity(1, 0, "1")}: default value 2 is greater than max value 1`,
      ],
      [
        { [L]: [{ type: "Pod", maxLimitRequestRatio: { cpu: "800m" } }] },
        `${L}[0].maxLimitRequestRatio[cpu]: Invalid value: ${quantity(800, -3, "800m")}: ratio 800m is less than 1`,
      ],
    ],
  });
  checkRuleCases(RESOURCE_QUOTAS, {
    base: { spec: { hard: { pods: "1" } } },
    create: [
      [
        { "spec.hard": { pods: "100m" } },
        `spec.hard[pods]: Invalid value: ${quantity(100, -3, "100m")}: must be an integer`,
      ],
      [
        { "spec.hard": { storage: "1Gi" } },
        "spec.hard[storage]: Invalid value: storage: must be a standard resource for quota",
      ],
      [
        { "spec.scopes": ["BestEffort", "NotBestEffort"] },
        'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: conflicting scopes',
      ],
    ],
  });
});

test("what repeats or may not change is shown as a structure", () => {
  const taint = { key: "a", value: "b", effect: "NoSchedule" };
  checkRuleCases(NODES, {
    base: {},
    create: [
      [
        { "spec.taints": [taint, taint] },
        'metadata.taints[1]: Duplicate value: core.Taint{Key:"a", Value:"b", Effect:"NoSchedule", TimeAdded:<nil>}: taints must be unique by key and effect pair',
      ],
    ],
  });
  checkRuleCases(CSI_NODES, {
    base: { spec: { drivers: [{ name: "d", nodeID: "n" }] } },
    update: [
      [
        { "spec.drivers": [{ name: "d", nodeID: "m", topologyKeys: ["k"] }] },
        'CSINodeDriver: Invalid value: storage.CSINodeDriver{Name:"d", NodeID:"m", TopologyKeys:[]string{"k"}, Allocatable:(*storage.VolumeNodeResources)(nil)}: field is immutable',
      ],
    ],
  });
});

test("the root of a host is not recycled by whatever path", () => {
  const detail = "Forbidden: may not be 'recycle' for a hostPath mount of '/'";
  const P = "spec.persistentVolumeReclaimPolicy";
  checkRuleCases(PERSISTENT_VOLUMES, {
    base: {
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        hostPath: { path: "/data" },
      },
    },
    create: [
      [{ [P]: "Recycle" }],
      [{ [P]: "Recycle", "spec.hostPath.path": "/" }, `${P}: ${detail}`],
      [
        { [P]: "Recycle", "spec.hostPath.path": "/a/.." },
        "spec.hostPath.path: Invalid value: \"/a/..\": must not contain '..'",
        `${P}: ${detail}`,
      ],
      [
        { "spec.capacity": undefined },
        "spec.capacity: Required value",
        'spec.capacity: Unsupported value: core.ResourceList(nil): supported values: "storage"',
      ],
    ],
  });
});

test("revisions hold objects, and provisioners are told in lower case", () => {
  const wanted = "data: Required value: data must be a valid JSON object";
  checkRuleCases(CONTROLLER_REVISIONS, {
    base: { data: {}, revision: 1 },
    create: [
      [{ data: 0 }, wanted],
      [{ data: "x" }, wanted],
      [{ data: [] }, wanted],
    ],
  });
  checkRuleCases(STORAGE_CLASSES, {
    base: { provisioner: "example.com/p", reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
    create: [
      [
        { provisioner: "A/" },
        'provisioner: Invalid value: "a/": name part must be non-empty',
        "provisioner: Invalid value: \"a/\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
  });
});
