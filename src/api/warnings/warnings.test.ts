import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSI_STORAGE_CAPACITIES,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  INGRESSES,
  JOBS,
  NODES,
  PERSISTENT_VOLUMES,
  PODS,
  RUNTIME_CLASSES,
  SECRETS,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from "../generated/resources.ts";
import type { Resource } from "../resource.ts";
import { changed } from "../validation/rule-cases.ts";
import { warningsOf } from "./warnings.ts";

const POD = { metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "nginx" }] } };
const C = "spec.containers[0]";
const NO_SELECTOR = "a null labelSelector results in matching no pod";

test("what is likely not meant is warned of, in the words of Kubernetes", () => {
  const cases: [Resource, object, Record<string, unknown>, string[]][] = [
    [PODS, POD, {}, []],
    [
      PODS,
      POD,
      { "metadata.name": "a.b" },
      [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      ],
    ],
    [
      PODS,
      POD,
      { "spec.nodeSelector": { "beta.kubernetes.io/os": "linux" } },
      [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      ],
    ],
    [
      PODS,
      POD,
      { [`${C}.env`]: [{ name: "A", value: "1" }, { name: "A", value: "$(A)2" }, { name: "A" }] },
      [`${C}.env[2]: hides previous definition of "A", which may be dropped when using apply`],
    ],
    [
      PODS,
      POD,
      { [`${C}.ports`]: [{ containerPort: 80 }, { containerPort: 80, name: "b" }] },
      [`${C}.ports[1]: duplicate port definition with ${C}.ports[0]`],
    ],
    [
      PODS,
      POD,
      { [`${C}.resources`]: { limits: { memory: "100m" } } },
      [
        `${C}.resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer`,
      ],
    ],
    [
      PODS,
      POD,
      { "spec.volumes": [{ name: "v", gitRepo: { repository: "r" } }] },
      ["spec.volumes[0].gitRepo: deprecated in v1.11"],
    ],
    [
      PODS,
      POD,
      { "spec.topologySpreadConstraints": [{ maxSkew: 1, topologyKey: "zone" }] },
      [`spec.topologySpreadConstraints[0].labelSelector: ${NO_SELECTOR}`],
    ],
    [
      PODS,
      POD,
      { "spec.imagePullSecrets": [{ name: "a" }, { name: "a" }] },
      ['spec.imagePullSecrets[1].name: duplicate name "a"'],
    ],
    [
      PODS,
      POD,
      { "spec.terminationGracePeriodSeconds": -1 },
      [
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
      ],
    ],
    [
      DEPLOYMENTS,
      { metadata: { name: "web" }, spec: { template: POD } },
      { "spec.template.spec.hostAliases": [{ ip: "10.0.0.1" }, { ip: "10.0.0.1" }] },
      ['spec.template.spec.hostAliases[1].ip: duplicate ip "10.0.0.1"'],
    ],
    [
      STATEFUL_SETS,
      { metadata: { name: "web" }, spec: {} },
      { "spec.revisionHistoryLimit": -1 },
      [
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
      ],
    ],
    [
      INGRESSES,
      { metadata: { name: "web" } },
      { "metadata.annotations": { "kubernetes.io/ingress.class": "x" } },
      [
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead",
      ],
    ],
    [
      JOBS,
      { metadata: { name: "web" }, spec: { completionMode: "Indexed", completions: 100_001 } },
      { "spec.parallelism": 10_001 },
      [
        "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail",
      ],
    ],
    [
      STORAGE_CLASSES,
      { metadata: { name: "fast" } },
      {
        "allowedTopologies[0].matchLabelExpressions": [
          { key: "zone" },
          { key: "failure-domain.beta.kubernetes.io/zone" },
        ],
      },
      [
        'allowedTopologies[0].matchLabelExpressions[1].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
      ],
    ],
    [
      CSI_STORAGE_CAPACITIES,
      { metadata: { name: "fast" } },
      {
        nodeTopology: {
          matchLabels: { "beta.kubernetes.io/os": "linux" },
          matchExpressions: [{ key: "beta.kubernetes.io/arch", operator: "Exists" }],
        },
      },
      [
        'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
        'nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use "kubernetes.io/os" instead',
      ],
    ],
    [
      NODES,
      { spec: {} },
      { "spec.externalID": "a", "spec.configSource": {} },
      [
        "spec.configSource: the feature is removed",
        "spec.externalID: this field is deprecated, and is unused by Kubernetes",
      ],
    ],
    [
      RUNTIME_CLASSES,
      { metadata: { name: "small" }, handler: "small" },
      { scheduling: { nodeSelector: { "beta.kubernetes.io/os": "linux" } } },
      ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      ENDPOINT_SLICES,
      { metadata: { name: "web" } },
      { addressType: "FQDN" },
      ["spec.addressType: FQDN endpoints are deprecated"],
    ],
    [
      PERSISTENT_VOLUMES,
      { metadata: { name: "v" }, spec: {} },
      { "spec.persistentVolumeReclaimPolicy": "Recycle" },
      [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      ],
    ],
    [
      SECRETS,
      { metadata: { name: "s" }, type: "kubernetes.io/tls", data: {} },
      { "data.x": "" },
      ["tls: failed to find any PEM data in certificate input"],
    ],
  ];
  for (const [resource, base, changes, wanted] of cases) {
    assert.deepEqual(warningsOf(resource, changed(base, changes)), wanted);
  }
});

test("a change is warned of only where it changes something", () => {
  const old = { metadata: { name: "a.b" }, spec: { replicas: 1, template: POD } };
  const template = changed(POD, { "spec.imagePullSecrets": [{ name: "" }] });
  const bad = { ...old, spec: { replicas: 1, template } };
  assert.deepEqual(
    warningsOf(DEPLOYMENTS, { ...bad, spec: { ...bad.spec, replicas: 2 } }, { old: bad }),
    [],
  );
  assert.deepEqual(warningsOf(DEPLOYMENTS, bad, { old }), [
    'spec.template.spec.imagePullSecrets[0].name: invalid empty name ""',
  ]);
});
