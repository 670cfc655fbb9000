import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Node, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import type { ClusterEvent } from "../framework/contract.ts";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import { type PodRecord, ProfileTable } from "../pod/pod-profile.ts";
import { schedule } from "../schedule.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "../state/cluster-state.ts";

interface NodeShape {
  name: string;
  zone: string | undefined;
  cpu: number;
  ssd: boolean;
  cordoned: boolean;
  tainted: boolean;
}

interface PodShape {
  uid: string;
  app: string;
  cpu: number;
  rule: keyof typeof RULES;
  terminating: boolean;
}

const app = (value: string) => ({ matchLabels: { app: value } });
const alone = { labelSelector: app("a"), topologyKey: "zone" };
const required = <T>(term: T) => ({ requiredDuringSchedulingIgnoredDuringExecution: [term] });
const RULES = {
  none: {},
  apart: { affinity: { podAntiAffinity: required(alone) } },
  beside: { affinity: { podAffinity: required(alone) } },
  both: {
    affinity: {
      podAffinity: required({ ...alone, labelSelector: app("b") }),
      podAntiAffinity: required({ ...alone, topologyKey: "kubernetes.io/hostname" }),
    },
  },
  spread: {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: app("a"),
      },
    ],
  },
  evenly: {
    nodeSelector: { disk: "ssd" },
    topologySpreadConstraints: ["zone", "kubernetes.io/hostname"].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "DoNotSchedule" as const,
      nodeTaintsPolicy: "Honor" as const,
      labelSelector: app("a"),
    })),
  },
  disk: { volumes: [{ name: "v", gcePersistentDisk: { pdName: "disk" } }] },
  port: { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80 }] }] },
  ssd: { nodeSelector: { disk: "ssd" } },
  named: { nodeName: "" },
} satisfies Record<string, Partial<PodSpec>>;

function nodeOf({ name, zone, cpu, ssd, cordoned, tainted }: NodeShape): Node {
  const labels = {
    "kubernetes.io/hostname": name,
    ...(zone ? { zone } : {}),
    ...(ssd ? { disk: "ssd" } : {}),
  };
  const taints = tainted ? [{ key: "k", effect: "NoSchedule" as const }] : [];
  return {
    metadata: { name, labels },
    spec: { unschedulable: cordoned, taints },
    status: { allocatable: { cpu: `${cpu}`, memory: "8Gi", pods: "5" } },
  };
}

function podOf({ uid, app: label, cpu, rule, terminating }: PodShape): Pod {
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  const spec: Partial<PodSpec> = RULES[rule];
  const [container = { name: "c" }] = spec.containers ?? [];
  const containers = [{ ...container, resources: { requests: { cpu: `${cpu}` } } }];
  return {
    metadata: {
      name: uid,
      uid,
      namespace: "default",
      labels: { app: label },
      ...(terminating ? { deletionTimestamp } : {}),
    },
    spec: { ...spec, containers },
  };
}

/** The same cases each time; another seed looks at others. */
const SEED = 1;
const RUNS = 1_000;

const NAMES = ["n1", "n2", "n3"];
const seldom = fc.nat(5).map((one) => one === 0);
const anyNode = fc.record({
  zone: fc.constantFrom("x", "y", undefined),
  cpu: fc.integer({ min: 1, max: 3 }),
  ssd: fc.boolean(),
  cordoned: seldom,
  tainted: seldom,
});
const anyPod = fc.record({
  app: fc.constantFrom("a", "b"),
  cpu: fc.integer({ min: 0, max: 2 }),
  rule: fc.constantFrom(...(Object.keys(RULES) as (keyof typeof RULES)[])),
  terminating: seldom,
});
const placed = fc.record({ pod: anyPod, on: fc.constantFrom(...NAMES) });
const change = fc.record({
  what: fc.constantFrom(
    "node-added",
    "node-changed",
    "node-removed",
    "pod-added",
    "pod-changed",
    "pod-removed",
  ),
  node: anyNode,
  pod: anyPod,
  at: fc.nat(),
});

interface World {
  state: ClusterState;
  records: Map<string, PodRecord>;
  profiles: ProfileTable;
  nodes: string[];
}

function worldOf(
  nodes: readonly Omit<NodeShape, "name">[],
  pods: readonly { pod: Omit<PodShape, "uid">; on: string }[],
): World {
  const profiles = new ProfileTable();
  const world: World = { state: new ClusterState(), records: new Map(), profiles, nodes: [] };
  nodes.forEach((shape, at) => {
    const name = NAMES[at] ?? "";
    world.nodes.push(name);
    world.state.setNode(nodeOf({ name, ...shape }));
  });
  pods.forEach(({ pod, on }, at) => {
    const uid = `p${at}`;
    const record = profiles.recordOf(podOf({ uid, ...pod }));
    world.records.set(uid, record);
    world.state.addPod(record, on);
  });
  return world;
}

/** Makes one change, and says what the scheduler is told of it. */
function happen(
  { state, records, profiles, nodes }: World,
  of: {
    what: ClusterEvent["kind"];
    node: Omit<NodeShape, "name">;
    pod: Omit<PodShape, "uid">;
    at: number;
  },
): ClusterEvent | undefined {
  const name = nodes[of.at % Math.max(1, nodes.length)] ?? "n1";
  const [uid, before] = [...records][of.at % Math.max(1, records.size)] ?? [];
  const node = state.nodes[state.slotOf(name) ?? -1]?.node;
  switch (of.what) {
    case "node-added":
      state.setNode(nodeOf({ name: "n4", ...of.node }));
      return { kind: "node-added", slot: state.slotOf("n4") ?? -1 };
    case "node-changed":
      if (!node) return undefined;
      state.setNode(nodeOf({ name, ...of.node }));
      return { kind: "node-changed", slot: state.slotOf(name) ?? -1, before: node };
    case "node-removed":
      if (!node) return undefined;
      state.removeNode(name);
      return { kind: "node-removed", before: node };
    case "pod-added": {
      const pod = profiles.recordOf(podOf({ uid: "new", ...of.pod }));
      state.addPod(pod, name);
      return { kind: "pod-added", pod, slot: state.slotOfPod("new") };
    }
    case "pod-changed": {
      if (!uid || !before) return undefined;
      const slot = state.slotOfPod(uid);
      const on = slot === undefined ? name : (state.nodes[slot]?.name ?? name);
      // Rules never change, labels and requests may.
      const { app: label, cpu, terminating } = of.pod;
      const old = podOf({ uid, app: label, cpu, rule: "none", terminating });
      const [container = { name: "c" }] = before.pod.spec?.containers ?? [];
      const containers = [{ ...container, ...old.spec?.containers[0] }];
      const spec = { ...before.pod.spec, containers };
      const pod = profiles.recordOf({ ...before.pod, metadata: old.metadata ?? {}, spec });
      state.addPod(pod, on);
      return { kind: "pod-changed", pod, before, slot: state.slotOfPod(uid) };
    }
    case "pod-removed": {
      if (!uid) return undefined;
      const slot = state.slotOfPod(uid);
      const pod = state.removePod(uid);
      return pod && { kind: "pod-removed", pod, slot };
    }
    default:
      return undefined;
  }
}

test("property: no pod sleeps through a change that lets it be placed", () => {
  let helped = 0;
  const nodes = fc.array(anyNode, { minLength: 1, maxLength: 3 });
  const pods = fc.array(placed, { maxLength: 8 });
  const property = fc.property(
    nodes,
    pods,
    anyPod,
    change,
    (nodeShapes, podShapes, shape, what) => {
      const world = worldOf(nodeShapes, podShapes);
      const plugins = defaultPlugins(emptyPluginDeps());
      const decide = (pod: PodRecord) => {
        const options = { schedulerName: "s", plugins, percentageOfNodesToScore: 0 };
        const framework = new Framework(world.state, options);
        return schedule(pod, { framework, random: seededRandom(1) });
      };
      const pod = world.profiles.recordOf(podOf({ ...shape, uid: "waiting", terminating: false }));
      const refused = decide(pod);
      if (refused.node !== undefined) return;
      const event = happen(world, what);
      if (!event || decide(pod).node === undefined) return;
      helped++;
      const wakes = plugins
        .filter(({ plugin }) => refused.rejectedBy.has(plugin.name))
        .some(({ plugin: { hint } }) => !hint || hint(event, pod, world.state));
      assert.ok(wakes || refused.rejectedBy.size === 0, [...refused.rejectedBy].join(", "));
    },
  );
  fc.assert(property, { numRuns: RUNS, seed: SEED });
  assert.ok(helped > RUNS / 50, `only ${helped} changes helped`);
});
