import assert from "node:assert/strict";
import { test } from "node:test";
import { readSchedulerConfiguration } from "./scheduler-configuration.ts";

// Facts of upstream's tests of plugin arguments, Kubernetes 1.32, Apache-2.0: what is accepted,
// and which field of what is refused.

function read(name: string, args: object): unknown {
  const { profiles } = readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    profiles: [{ pluginConfig: [{ name, args }] }],
  });
  return profiles[0]?.pluginConfig.get(name);
}

const point = (utilization: number, score: number) => ({ utilization, score });
const ratio = (...shape: object[]) => ({
  scoringStrategy: {
    type: "RequestedToCapacityRatio",
    resources: [{ name: "cpu", weight: 5 }],
    requestedToCapacityRatio: { shape },
  },
});
const weighing = (weight: number) => ({
  scoringStrategy: { type: "LeastAllocated", resources: [{ name: "cpu", weight }] },
});
const spread = (...defaultConstraints: object[]) => ({
  defaultingType: "List",
  defaultConstraints,
});
const node = { maxSkew: 1, topologyKey: "node", whenUnsatisfiable: "DoNotSchedule" };
const zone = { maxSkew: 2, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" };
const HARD = "requiredDuringSchedulingIgnoredDuringExecution";
const required = (...matchExpressions: object[]) => ({
  addedAffinity: { [HARD]: { nodeSelectorTerms: [{ matchExpressions }] } },
});
const isBar = { key: "foo", operator: "In", values: ["bar"] };

const ACCEPTED: [name: string, args: object][] = [
  ["DefaultPreemption", {}],
  ["DefaultPreemption", { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 1 }],
  ["InterPodAffinity", { hardPodAffinityWeight: 10, ignorePreferredTermsOfExistingPods: true }],
  ["InterPodAffinity", { kind: "InterPodAffinityArgs" }],
  ["PodTopologySpread", spread(node, zone)],
  ["PodTopologySpread", spread({ ...node, maxSkew: 2 }, { ...zone, topologyKey: "node" })],
  ["PodTopologySpread", { defaultingType: "System" }],
  ["NodeResourcesFit", { scoringStrategy: { type: "MostAllocated" } }],
  ["NodeResourcesFit", weighing(100)],
  ["NodeResourcesFit", ratio(point(20, 5), point(30, 3), point(50, 2))],
  ["NodeResourcesFit", { ignoredResources: ["example.com/a"], ignoredResourceGroups: ["b.com"] }],
  ["NodeResourcesBalancedAllocation", { resources: [{ name: "cpu", weight: 1 }] }],
  ["NodeResourcesBalancedAllocation", { resources: [{ name: "cpu" }, { name: "scalar0" }] }],
  ["NodeAffinity", {}],
  ["NodeAffinity", required(isBar)],
  ["VolumeBinding", { bindTimeoutSeconds: 0 }],
  ["Custom", { anything: ["goes"] }],
];
for (const [name, args] of ACCEPTED) {
  test(`arguments of ${name} are accepted: ${JSON.stringify(args)}`, () => {
    assert.notEqual(read(name, args), undefined);
  });
}

const REFUSED: [name: string, args: object, field: RegExp][] = [
  ["DefaultPreemption", { minCandidateNodesPercentage: -1 }, /Percentage must be a whole number/],
  ["DefaultPreemption", { minCandidateNodesPercentage: 900 }, /Percentage must be a whole number/],
  ["DefaultPreemption", { minCandidateNodesAbsolute: -1 }, /Absolute must be a whole number/],
  [
    "DefaultPreemption",
    { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 },
    /Percentage must not be zero at the same time/,
  ],
  ["InterPodAffinity", { hardPodAffinityWeight: -1 }, /hardPodAffinityWeight must be .* 0 to 100/],
  ["InterPodAffinity", { hardPodAffinityWeight: 101 }, /hardPodAffinityWeight must be .* 0 to 100/],
  ["PodTopologySpread", spread({ ...node, maxSkew: -1 }), /Constraints\[0\].maxSkew must be/],
  ["PodTopologySpread", spread({ ...node, maxSkew: undefined }), /\[0\].maxSkew must be set/],
  ["PodTopologySpread", spread({ ...node, topologyKey: "" }), /\[0\].topologyKey must be set/],
  [
    "PodTopologySpread",
    spread({ ...node, topologyKey: "in valid" }),
    /\[0\].topologyKey name part/,
  ],
  [
    "PodTopologySpread",
    spread({ ...node, whenUnsatisfiable: "" }),
    /whenUnsatisfiable must be set/,
  ],
  [
    "PodTopologySpread",
    spread({ ...node, whenUnsatisfiable: "unknown" }),
    /whenUnsatisfiable must be one of/,
  ],
  [
    "PodTopologySpread",
    spread(node, { ...node, maxSkew: 2 }),
    /\[1\].topologyKey .* there already/,
  ],
  [
    "PodTopologySpread",
    spread({ ...node, labelSelector: { matchLabels: { foo: "bar" } } }),
    /labelSelector must not be set/,
  ],
  [
    "PodTopologySpread",
    { defaultingType: "System", defaultConstraints: [node] },
    /defaultingType must be List/,
  ],
  ["PodTopologySpread", { defaultConstraints: [node] }, /defaultingType must be List/],
  ["PodTopologySpread", { defaultingType: "Other" }, /defaultingType must be one of/],
  ["NodeResourcesFit", ratio(), /Ratio.shape must have at least one point/],
  ["NodeResourcesFit", ratio(point(30, 3), point(20, 5)), /shape\[1\].utilization must be more/],
  ["NodeResourcesFit", ratio(point(10, 3), point(10, 5)), /shape\[1\].utilization must be more/],
  ["NodeResourcesFit", ratio(point(-10, 3)), /shape\[0\].utilization must be a whole number/],
  ["NodeResourcesFit", ratio(point(120, 3)), /shape\[0\].utilization must be a whole number/],
  [
    "NodeResourcesFit",
    ratio(point(10, -3)),
    /shape\[0\].score must be a whole number from 0 to 10/,
  ],
  [
    "NodeResourcesFit",
    ratio(point(10, 13)),
    /shape\[0\].score must be a whole number from 0 to 10/,
  ],
  ["NodeResourcesFit", weighing(-10), /resources\[0\].weight must be a whole number/],
  ["NodeResourcesFit", weighing(101), /resources\[0\].weight must be a whole number/],
  [
    "NodeResourcesFit",
    { scoringStrategy: { type: "RequestedToCapacityRatio" } },
    /requestedToCapacityRatio must be set when/,
  ],
  [
    "NodeResourcesFit",
    { scoringStrategy: { type: "Invalid" } },
    /scoringStrategy.type must be one/,
  ],
  ["NodeResourcesFit", { ignoredResources: ["longvalue{}"] }, /ignoredResources\[0\] name part/],
  ["NodeResourcesFit", { ignoredResourceGroups: ["a/b"] }, /ignoredResourceGroups\[0\] must not/],
  ["NodeResourcesFit", { ignoredResourceGroups: ["a b"] }, /ignoredResourceGroups\[0\] name part/],
  [
    "NodeResourcesBalancedAllocation",
    { resources: [{ name: "cpu", weight: 2 }] },
    /resources\[0\].weight must be 1/,
  ],
  [
    "NodeResourcesBalancedAllocation",
    { resources: [{ name: "cpu" }, { name: "cpu" }] },
    /resources\[1\].name "cpu" is there already/,
  ],
  ["NodeAffinity", required({ ...isBar, key: "ba bar" }), /matchExpressions\[0\].key name part/],
  ["NodeAffinity", required({ ...isBar, values: [] }), /values must not be empty for In/],
  ["NodeAffinity", required({ ...isBar, operator: "Gt" }), /values must be one whole number/],
  ["NodeAffinity", { addedAffinity: { [HARD]: {} } }, /nodeSelectorTerms must have a term/],
  [
    "NodeAffinity",
    {
      addedAffinity: {
        [HARD]: { nodeSelectorTerms: [{ matchFields: [{ ...isBar, key: "metadata.uid" }] }] },
      },
    },
    /matchFields\[0\].key must be "metadata.name"/,
  ],
  [
    "NodeAffinity",
    {
      addedAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
      },
    },
    /\[0\].weight must be a whole number from 1/,
  ],
  ["VolumeBinding", { bindTimeoutSeconds: -10 }, /bindTimeoutSeconds must be a whole number/],
  ["VolumeBinding", { shape: [point(1, 1)] }, /shape must not be set/],
  ["VolumeBinding", { kind: "NodeAffinityArgs" }, /args.kind must be "VolumeBindingArgs"/],
  ["VolumeBinding", { apiVersion: "v1" }, /args.apiVersion must be/],
  ["VolumeBinding", { bindTimeoutSecond: 1 }, /bindTimeoutSecond is no argument of the plugin/],
];
for (const [name, args, field] of REFUSED) {
  test(`arguments of ${name} are refused: ${JSON.stringify(args)}`, () => {
    assert.throws(() => read(name, args), field);
  });
}
