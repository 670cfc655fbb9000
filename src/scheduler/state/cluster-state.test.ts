import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Node, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { scoreFeasible } from "../schedule.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "./cluster-state.ts";

const NAMES = ["n1", "n2", "n3"];
/** Zones mostly stay, so that other changes are seen on their own. */
const USUAL: Readonly<Record<string, string>> = { n1: "a", n2: "a", n3: "b" };
const APPS = ["x", "y"];
const term = (app: string, topologyKey: string, namespaceSelector?: object) => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...(namespaceSelector ? { namespaceSelector } : {}),
});
const spread = (
  whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway",
  more: object = {},
): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable,
      labelSelector: { matchLabels: { app: "x" } },
      ...more,
    },
  ],
});
const team = { matchLabels: { team: "a" } };
const required = "requiredDuringSchedulingIgnoredDuringExecution" as const;
const preferred = "preferredDuringSchedulingIgnoredDuringExecution" as const;

/** What pods ask for; each exercises other counters. */
const SPECS: readonly Partial<PodSpec>[] = [
  {},
  { nodeSelector: { disk: "ssd" } },
  spread("DoNotSchedule"),
  spread("DoNotSchedule", { nodeTaintsPolicy: "Honor", minDomains: 2 }),
  { ...spread("ScheduleAnyway"), nodeSelector: { disk: "ssd" } },
  { affinity: { podAntiAffinity: { [required]: [term("x", "zone")] } } },
  { affinity: { podAntiAffinity: { [required]: [term("y", "host", team)] } } },
  { affinity: { podAffinity: { [required]: [term("x", "zone"), term("x", "host")] } } },
  {
    affinity: {
      podAffinity: { [preferred]: [{ weight: 7, podAffinityTerm: term("y", "zone") }] },
      podAntiAffinity: { [preferred]: [{ weight: 3, podAffinityTerm: term("x", "host") }] },
    },
  },
  { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80 }] }] },
];

type Step =
  | { do: "node"; name: string; zone: string; ssd: boolean; tainted: boolean; cpu: number }
  | { do: "no-node"; name: string }
  | { do: "pod"; uid: number; on: string; app: string; spec: number; ns: string; dying: boolean }
  | { do: "no-pod"; uid: number }
  | { do: "namespace"; name: string; team: string | undefined };

const name = fc.constantFrom(...NAMES);
const ns = fc.constantFrom("default", "other");
const uid = fc.nat({ max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("node" as const),
    name,
    zone: fc.constantFrom("usual", "usual", "usual", "a", "b", ""),
    ssd: fc.boolean(),
    tainted: fc.boolean(),
    cpu: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ do: fc.constant("no-node" as const), name }),
  fc.record({
    do: fc.constant("pod" as const),
    uid,
    on: name,
    app: fc.constantFrom(...APPS),
    spec: fc.nat({ max: SPECS.length - 1 }),
    ns,
    dying: fc.boolean(),
  }),
  fc.record({ do: fc.constant("no-pod" as const), uid }),
  fc.record({
    do: fc.constant("namespace" as const),
    name: ns,
    team: fc.constantFrom("a", "b", undefined),
  }),
);

function nodeOf(of: Extract<Step, { do: "node" }>): Node {
  const labels: Record<string, string> = { host: of.name };
  if (of.zone) labels["zone"] = of.zone === "usual" ? (USUAL[of.name] ?? "a") : of.zone;
  if (of.ssd) labels["disk"] = "ssd";
  return {
    metadata: { name: of.name, labels },
    spec: of.tainted ? { taints: [{ key: "k", effect: "NoSchedule" }] } : {},
    status: { allocatable: { cpu: `${of.cpu}`, memory: "8Gi", pods: "110" } },
  };
}

function podOf(of: { uid: string; app: string; spec: number; ns: string; dying?: boolean }): Pod {
  return {
    metadata: {
      name: of.uid,
      uid: of.uid,
      namespace: of.ns,
      labels: { app: of.app },
      ...(of.dying ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      containers: [{ name: "c", resources: { requests: { cpu: "300m" } } }],
      ...SPECS[of.spec],
    },
  };
}

/** What is there, to build a state from at any time. */
class Model {
  readonly nodes = new Map<string, Node>();
  readonly pods = new Map<string, { pod: Pod; on: string }>();
  readonly namespaces = new Map<string, Record<string, string>>();

  apply(one: Step, state: ClusterState): void {
    const profiles = new ProfileTable();
    switch (one.do) {
      case "node":
        this.nodes.set(one.name, nodeOf(one));
        return state.setNode(nodeOf(one));
      case "no-node":
        this.nodes.delete(one.name);
        return state.removeNode(one.name);
      case "pod": {
        const pod = podOf({ ...one, uid: `${one.uid}` });
        this.pods.set(`${one.uid}`, { pod, on: one.on });
        return state.addPod(profiles.recordOf(pod), one.on);
      }
      case "no-pod":
        this.pods.delete(`${one.uid}`);
        state.removePod(`${one.uid}`);
        return;
      case "namespace": {
        const labels = one.team === undefined ? undefined : { team: one.team };
        if (labels) this.namespaces.set(one.name, labels);
        else this.namespaces.delete(one.name);
        return state.setNamespace(one.name, labels);
      }
    }
  }

  rebuilt(): ClusterState {
    const state = new ClusterState();
    for (const [namespace, labels] of this.namespaces) state.setNamespace(namespace, labels);
    for (const node of this.nodes.values()) state.setNode(node);
    for (const { pod, on } of this.pods.values()) {
      state.addPod(new ProfileTable().recordOf(pod), on);
    }
    return state;
  }
}

const frameworkOver = (state: ClusterState): Framework =>
  new Framework(state, {
    schedulerName: "s",
    plugins: defaultPlugins(emptyPluginDeps()),
    percentageOfNodesToScore: 100,
  });

/** For every kind of pod: which nodes take it, with which total, and why the others do not. */
function opinions(framework: Framework, profiles: ProfileTable): object {
  const { state, scratch } = framework;
  const found: Record<string, unknown> = {};
  for (const [spec] of SPECS.entries()) {
    const pod = profiles.recordOf(podOf({ uid: "new", app: "x", spec, ns: "default" }));
    const plan = framework.planFor(pod.profile);
    assert.equal(plan.begin(pod), undefined);
    scratch.ensure(state.size);
    const slots = [...state.live]
      .filter((slot) => plan.passes(slot))
      .sort((a, b) => ((state.nodes[a]?.name ?? "") < (state.nodes[b]?.name ?? "") ? -1 : 1));
    slots.forEach((slot, at) => (scratch.feasible[at] = slot));
    const totals = scoreFeasible(pod, { framework, plan, count: slots.length });
    const fits = slots.map((slot, at) => [state.nodes[slot]?.name, totals[at]]);
    const refusals = [...state.live]
      .map((slot) => [state.nodes[slot]?.name, plan.refusal(slot)?.reasons])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    found[spec] = { fits, refusals };
  }
  return found;
}

test("property: counters kept by increments equal counters built anew", () => {
  const property = fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
    const state = new ClusterState();
    const model = new Model();
    using framework = frameworkOver(state);
    const profiles = new ProfileTable();
    for (const [at, one] of steps.entries()) {
      model.apply(one, state);
      // Plans made early must follow every later change.
      if (at % 3 !== 1 && at !== steps.length - 1) continue;
      using fresh = frameworkOver(model.rebuilt());
      assert.deepEqual(opinions(framework, profiles), opinions(fresh, new ProfileTable()));
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test("a node that left makes room for another, and takes its counters along", () => {
  const state = new ClusterState();
  const make = (at: string) =>
    nodeOf({ do: "node", name: at, zone: "a", ssd: false, tainted: false, cpu: 4 });
  state.setNode(make("n1"));
  const pod = new ProfileTable().recordOf(podOf({ uid: "p", app: "x", spec: 9, ns: "default" }));
  state.addPod(pod, "n1");
  state.removeNode("n1");
  assert.equal(state.slotOf("n1"), undefined);
  state.setNode(make("n2"));
  assert.equal(state.size, 2);
  state.removePod("p");
  state.setNode(make("n3"));
  assert.equal(state.size, 2);
  assert.deepEqual([state.slotOf("n2"), state.slotOf("n3")], [1, 0]);
  assert.equal(state.resources.requested[0]?.[0], 0);
});

test("many nodes keep their columns when those grow", () => {
  const state = new ClusterState();
  const column = state.column("zone");
  for (let i = 0; i < 100; i++) {
    const zone = i % 2 ? "a" : "b";
    state.setNode(nodeOf({ do: "node", name: `n${i}`, zone, ssd: false, tainted: false, cpu: 1 }));
  }
  assert.equal(column.domains, 2);
  assert.equal(state.live.length, 100);
  assert.ok([...state.live].every((slot) => (column.ids[slot] ?? -1) >= 0));
});

test("a taint that comes later takes a node out of the domains that honour taints", () => {
  const state = new ClusterState();
  const set = (at: string, zone: string, { tainted = false } = {}) =>
    state.setNode(nodeOf({ do: "node", name: at, zone, ssd: false, tainted, cpu: 4 }));
  set("n1", "a");
  set("n2", "a");
  set("n3", "b");
  const profiles = new ProfileTable();
  const pod = (of: string) =>
    profiles.recordOf(podOf({ uid: of, app: "x", spec: 3, ns: "default" }));
  state.addPod(pod("first"), "n1");
  using framework = frameworkOver(state);
  const fits = () => {
    const next = pod("next");
    const plan = framework.planFor(next.profile);
    plan.begin(next);
    return [...state.live]
      .filter((slot) => plan.passes(slot))
      .map((slot) => state.nodes[slot]?.name);
  };
  assert.deepEqual(fits(), ["n3"]);
  set("n1", "a", { tainted: true });
  assert.deepEqual(fits(), ["n2", "n3"]);
});
