import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Node, NodeSpec, Pod, PodSpec } from "../api/generated/types/core-v1.ts";
import { seededRandom } from "../lib/random.ts";
import { defaultPlugins } from "./framework/default-plugins.ts";
import { Framework } from "./framework/framework.ts";
import { type PodRecord, ProfileTable } from "./pod/pod-profile.ts";
import { enoughFeasible, failureMessage, schedule } from "./schedule.ts";
import { emptyPluginDeps } from "./scheduler-fixture.ts";
import { ClusterState } from "./state/cluster-state.ts";

interface NodeShape {
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  spec?: NodeSpec;
  more?: Record<string, string>;
}

function node(name: string, shape: NodeShape = {}): Node {
  const { cpu = "4", memory = "8Gi", pods = "110", labels = {}, spec = {}, more = {} } = shape;
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec,
    status: { allocatable: { cpu, memory, pods, ...more } },
  };
}

interface PodShape {
  requests?: Record<string, string>;
  labels?: Record<string, string>;
  spec?: Partial<PodSpec>;
  owner?: string;
}

let sequence = 0;

function pod(shape: PodShape = {}): Pod {
  const name = `pod-${sequence++}`;
  const { owner } = shape;
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "set", controller: true };
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      labels: shape.labels ?? {},
      ...(owner ? { ownerReferences: [{ ...reference, uid: owner }] } : {}),
    },
    spec: {
      containers: [{ name: "c", image: "i", ...(shape.requests ? { resources: shape } : {}) }],
      ...shape.spec,
    },
  };
}

function cluster(nodes: Node[], placed: [Pod, string][] = []): ClusterState {
  const state = new ClusterState();
  for (const one of nodes) state.setNode(one);
  for (const [one, on] of placed) state.addPod(recordOf(one), on);
  return state;
}

const recordOf = (one: Pod): PodRecord => new ProfileTable().recordOf(one);

function frameworkOver(state: ClusterState): Framework {
  const plugins = defaultPlugins(emptyPluginDeps());
  return new Framework(state, {
    schedulerName: "default-scheduler",
    plugins,
    percentageOfNodesToScore: 0,
  });
}

function decide(state: ClusterState, wanted: Pod): string {
  const framework = frameworkOver(state);
  const decision = schedule(recordOf(wanted), { framework, random: seededRandom(1) });
  return decision.node ?? failureMessage(decision);
}

const taint = (key: string, effect: "NoSchedule" | "PreferNoSchedule" = "NoSchedule") => ({
  spec: { taints: [{ key, value: "v", effect }] },
});
const zone = (value: string) => ({ labels: { zone: value } });
const port = (hostPort: number, more: object = {}): Partial<PodSpec> => ({
  containers: [{ name: "c", ports: [{ containerPort: 1, hostPort, ...more }] }],
});
const app = { matchLabels: { app: "a" } };
const together = { labelSelector: app, topologyKey: "zone" };
const apart = {
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [together] },
};
const beside = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [together] } };
const spread = (whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway") => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable, labelSelector: app },
  ],
});
const zones = [node("n1", zone("a")), node("n2", zone("b"))];
const a = { labels: { app: "a" } };

const CASES: [name: string, state: ClusterState, pod: Pod, expected: string][] = [
  ["no nodes at all", cluster([]), pod(), "no nodes available to schedule pods"],
  [
    "the emptier node wins",
    cluster([node("n1"), node("n2")], [[pod({ requests: { cpu: "2" } }), "n1"]]),
    pod({ requests: { cpu: "1" } }),
    "n2",
  ],
  [
    "every reason is counted, in upstream's words",
    cluster([
      node("n1", { cpu: "1", memory: "1Gi" }),
      node("n2", { spec: { unschedulable: true } }),
      node("n3", taint("k")),
    ]),
    pod({ requests: { cpu: "2", memory: "2Gi" } }),
    "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, " +
      "1 node(s) had untolerated taint {k: v}, 1 node(s) were unschedulable.",
  ],
  [
    "a full node takes no more pods",
    cluster([node("n1", { pods: "1" })], [[pod(), "n1"]]),
    pod(),
    "0/1 nodes are available: 1 Too many pods.",
  ],
  [
    "extended resources must be there",
    cluster([node("n1"), node("n2", { more: { "example.com/gpu": "1" } })]),
    pod({ requests: { "example.com/gpu": "1" } }),
    "n2",
  ],
  [
    "an init container counts at its own moment only",
    cluster([node("n1", { cpu: "2" })]),
    pod({
      requests: { cpu: "1" },
      spec: { initContainers: [{ name: "i", resources: { requests: { cpu: "2" } } }] },
    }),
    "n1",
  ],
  [
    "a sidecar counts beside the containers, and overhead beside all",
    cluster([node("n1", { cpu: "2" })]),
    pod({
      requests: { cpu: "1" },
      spec: {
        overhead: { cpu: "100m" },
        initContainers: [
          { name: "s", restartPolicy: "Always", resources: { requests: { cpu: "1" } } },
        ],
      },
    }),
    "0/1 nodes are available: 1 Insufficient cpu.",
  ],
  [
    "a node selector must match",
    cluster([node("n1"), node("n2", { labels: { disk: "ssd" } })]),
    pod({ spec: { nodeSelector: { disk: "ssd" } } }),
    "n2",
  ],
  [
    "required node affinity understands Gt and field selectors",
    cluster([
      node("n1", { labels: { gen: "3" } }),
      node("n2", { labels: { gen: "5" } }),
      node("n3", { labels: { gen: "6" } }),
    ]),
    pod({
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [{ key: "gen", operator: "Gt", values: ["4"] }],
                  matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["n3"] }],
                },
              ],
            },
          },
        },
      },
    }),
    "n2",
  ],
  [
    "preferred node affinity outweighs free room",
    cluster(
      [node("n1", { labels: { disk: "ssd" } }), node("n2")],
      [[pod({ requests: { cpu: "1" } }), "n1"]],
    ),
    pod({
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                preference: { matchExpressions: [{ key: "disk", operator: "Exists" }] },
              },
            ],
          },
        },
      },
    }),
    "n1",
  ],
  [
    "a tolerated taint is no obstacle",
    cluster([node("n1", taint("k"))]),
    pod({ spec: { tolerations: [{ key: "k", operator: "Equal", value: "v" }] } }),
    "n1",
  ],
  [
    "a cordoned node is open to those who tolerate its taint",
    cluster([node("n1", { spec: { unschedulable: true } })]),
    pod({ spec: { tolerations: [{ operator: "Exists" }] } }),
    "n1",
  ],
  [
    "a preference against a taint is followed",
    cluster([node("n1", taint("k", "PreferNoSchedule")), node("n2")]),
    pod(),
    "n2",
  ],
  [
    "a host port is taken once",
    cluster([node("n1")], [[pod({ spec: port(80) }), "n1"]]),
    pod({ spec: port(80) }),
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
  [
    "a host port is free on another address or protocol",
    cluster(
      [node("n1")],
      [
        [pod({ spec: port(80, { hostIP: "10.0.0.1" }) }), "n1"],
        [pod({ spec: port(80, { protocol: "UDP" }) }), "n1"],
      ],
    ),
    pod({ spec: port(80, { hostIP: "10.0.0.2" }) }),
    "n1",
  ],
  [
    "hard spreading fills the emptier zone",
    cluster(zones, [[pod(a), "n1"]]),
    pod({ ...a, spec: spread("DoNotSchedule") }),
    "n2",
  ],
  [
    "hard spreading refuses to widen the skew",
    cluster(
      [zones[0] as Node, node("n2", { ...zone("b"), spec: { unschedulable: true } })],
      [[pod(a), "n1"]],
    ),
    pod({ ...a, spec: spread("DoNotSchedule") }),
    "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, " +
      "1 node(s) were unschedulable.",
  ],
  [
    "hard spreading needs the topology label",
    cluster([node("n1")]),
    pod({ ...a, spec: spread("DoNotSchedule") }),
    "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints " +
      "(missing required label).",
  ],
  [
    "soft spreading prefers the emptier zone",
    cluster(zones, [[pod(a), "n1"]]),
    pod({ ...a, spec: spread("ScheduleAnyway") }),
    "n2",
  ],
  [
    "pods of one controller spread over nodes by default",
    cluster([node("n1"), node("n2", { cpu: "3900m" })], [[pod({ owner: "set" }), "n1"]]),
    pod({ owner: "set" }),
    "n2",
  ],
  [
    "anti-affinity keeps away",
    cluster(zones, [[pod(a), "n1"]]),
    pod({ spec: { affinity: apart } }),
    "n2",
  ],
  [
    "pods that are there keep others away",
    cluster(zones, [[pod({ spec: { affinity: apart } }), "n1"]]),
    pod(a),
    "n2",
  ],
  [
    "affinity goes where its pods are",
    cluster(zones, [[pod(a), "n2"]]),
    pod({ spec: { affinity: beside } }),
    "n2",
  ],
  [
    "affinity without a partner waits",
    cluster(zones),
    pod({ spec: { affinity: beside } }),
    "0/2 nodes are available: 2 node(s) didn't match pod affinity rules.",
  ],
  [
    "the first pod of a group that wants to be together goes anywhere",
    cluster([node("n1", zone("a"))]),
    pod({ ...a, spec: { affinity: beside } }),
    "n1",
  ],
  [
    "affinity does not look into other namespaces",
    cluster(zones, [[{ ...pod(a), metadata: { ...pod(a).metadata, namespace: "other" } }, "n1"]]),
    pod({ spec: { affinity: beside } }),
    "0/2 nodes are available: 2 node(s) didn't match pod affinity rules.",
  ],
];
for (const [name, state, wanted, expected] of CASES) {
  test(`scheduling: ${name}`, () => assert.equal(decide(state, wanted), expected));
}

test("a removed pod gives back everything it held", () => {
  const state = cluster([node("n1", { cpu: "1", ...zone("a") })]);
  const holder = pod({ ...a, spec: { ...port(80), affinity: apart } });
  state.addPod(recordOf(holder), "n1");
  assert.match(decide(state, pod({ ...a, spec: port(80) })), /free ports/);
  state.removePod(holder.metadata?.uid ?? "");
  assert.equal(decide(state, pod({ ...a, spec: { ...port(80), affinity: apart } })), "n1");
  assert.equal(state.placedTerms.size, 0);
});

test("pods that are known before their node count once it appears", () => {
  const state = cluster([], [[pod({ requests: { cpu: "3" } }), "n1"]]);
  state.setNode(node("n1"));
  assert.match(decide(state, pod({ requests: { cpu: "2" } })), /Insufficient cpu/);
});

const anyPod = fc.record({
  cpu: fc.integer({ min: 0, max: 1500 }),
  memory: fc.integer({ min: 0, max: 3000 }),
  app: fc.constantFrom("a", "b"),
  rule: fc.constantFrom("none", "apart", "beside", "spread", "port", "ssd"),
});

test("property: decisions never break a filter and never over-commit a node", () => {
  const property = fc.property(fc.array(anyPod, { maxLength: 40 }), fc.nat(), (shapes, seed) => {
    const state = cluster([
      node("n1", { cpu: "3", ...zone("a") }),
      node("n2", { cpu: "2", labels: { zone: "b", disk: "ssd" } }),
      node("n3", { cpu: "4", memory: "4Gi", pods: "5", ...zone("b") }),
    ]);
    const random = seededRandom(seed);
    const framework = frameworkOver(state);
    for (const { cpu, memory, app: label, rule } of shapes) {
      const rules: Record<string, Partial<PodSpec>> = {
        none: {},
        apart: { affinity: apart },
        beside: { affinity: beside },
        spread: spread("DoNotSchedule"),
        port: port(80),
        ssd: { nodeSelector: { disk: "ssd" } },
      };
      const requests = { cpu: `${cpu}m`, memory: `${memory}Mi` };
      const profile = recordOf(pod({ requests, labels: { app: label }, spec: rules[rule] ?? {} }));
      const decision = schedule(profile, { framework, random });
      const fresh = frameworkOver(state).planFor(profile.profile);
      fresh.begin(profile);
      const names = [...state.live]
        .filter((slot) => fresh.passes(slot))
        .map((slot) => state.nodes[slot]?.name);
      if (decision.node === undefined) assert.deepEqual(names, []);
      else assert.ok(names.includes(decision.node));
      if (decision.node !== undefined) state.addPod(profile, decision.node);
      for (const slot of state.live) {
        for (const [id, name] of state.resources.names.entries()) {
          const requested = state.resources.requested[id]?.[slot] ?? 0;
          assert.ok(requested <= (state.resources.allocatable[id]?.[slot] ?? 0), name);
        }
      }
    }
  });
  fc.assert(property, { numRuns: 100 });
});

// Facts of upstream's tests, Kubernetes 1.32, Apache-2.0: how many nodes are enough.
const ENOUGH: [percentage: number, nodes: number, enough: number][] = [
  [0, 10, 10],
  [40, 10, 10],
  [0, 1000, 420],
  [40, 1000, 400],
  [0, 6000, 300],
  [40, 6000, 2400],
  [100, 6000, 6000],
];
for (const [percentage, nodes, enough] of ENOUGH) {
  test(`of ${nodes} nodes ${enough} are enough at ${percentage} percent`, () => {
    assert.equal(enoughFeasible(nodes, percentage), enough);
  });
}
