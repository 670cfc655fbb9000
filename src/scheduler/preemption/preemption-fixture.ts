import assert from "node:assert/strict";
import type { Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import type { PostFilterResult } from "../framework/contract.ts";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { schedule } from "../schedule.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { Nominations } from "../state/nominations.ts";
import { VolumeCatalog } from "../volumes/volume-catalog.ts";
import { type DefaultPreemptionArgs, defaultPreemption } from "./default-preemption.ts";
import { DisruptionBudgets } from "./disruption-budgets.ts";

export const HOST = "kubernetes.io/hostname";

/** A pod of a table. */
export interface Placed {
  name: string;
  priority: number;
  cpu?: number;
  start?: number;
  app?: string;
  /** "preempted": for another pod's sake. */
  terminating?: boolean | "preempted";
  spec?: Partial<PodSpec>;
}

const PREEMPTED = {
  type: "DisruptionTarget" as const,
  status: "True" as const,
  reason: "PreemptionByScheduler",
};

function podOf(placed: Placed): Pod {
  const { name, priority, cpu = 1, start = 5, app, terminating, spec = {} } = placed;
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      labels: app ? { app } : {},
      ...(terminating ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      priority,
      containers: [{ name: "c", resources: { requests: { cpu: `${cpu}` } } }],
      ...spec,
    },
    status: {
      startTime: `2026-01-01T00:00:0${start}Z`,
      ...(terminating === "preempted" ? { conditions: [PREEMPTED] } : {}),
    },
  };
}

/** Nodes, a pod that none takes as it is, and what preemption makes of it. */
export interface Case {
  name: string;
  /** Nodes of four CPUs, each with its pods: two in one zone, the others in another. */
  nodes: Record<string, Placed[]>;
  pod: Placed;
  /** Disruptions that are allowed to the pods of an app. */
  budgets?: Record<string, number>;
  /** Names of pods whose disruption was allowed already. */
  disrupted?: string[];
  expected: { node: string; victims: string[] } | string;
}

/** How far preemption looks, and where the pod is expected already. */
interface Search {
  args?: DefaultPreemptionArgs;
  nominated?: string;
  /** What is known of claims and volumes. */
  catalog?: VolumeCatalog;
}

/** Lets the pod be turned down, and preemption have its turn. The state stays as it was. */
export function preempt(
  { nodes, pod, budgets = {}, disrupted = [] }: Omit<Case, "name" | "expected">,
  { args = {}, nominated, catalog = new VolumeCatalog() }: Search = {},
): PostFilterResult | undefined {
  const state = new ClusterState();
  const profiles = new ProfileTable();
  for (const [name, pods] of Object.entries(nodes)) {
    const labels = { [HOST]: name, zone: name < "n3" ? "1" : "2" };
    state.setNode({
      metadata: { name, labels },
      status: { allocatable: { cpu: "4", pods: "10" } },
    });
    for (const one of pods) state.addPod(profiles.recordOf(podOf(one)), name);
  }
  const guards = new DisruptionBudgets();
  for (const [app, disruptionsAllowed] of Object.entries(budgets)) {
    guards.set({
      metadata: { name: app, namespace: "default" },
      spec: { selector: { matchLabels: { app } } },
      status: {
        disruptionsAllowed,
        disruptedPods: Object.fromEntries(disrupted.map((one) => [one, "2026-01-01T00:00:00Z"])),
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
      },
    });
  }
  const deps = emptyPluginDeps();
  const framework = new Framework(state, {
    schedulerName: "s",
    plugins: defaultPlugins({ ...deps, budgets: guards, volumes: { ...deps.volumes, catalog } }),
    percentageOfNodesToScore: 0,
  });
  const record = profiles.recordOf(podOf(pod));
  const nominations = new Nominations();
  if (nominated) nominations.set(record, nominated);
  const input = { framework, random: seededRandom(1), nominations };
  const decision = schedule(record, input);
  assert.equal(decision.node, undefined);
  const before = JSON.stringify(state.resources);
  const result = defaultPreemption(guards, args).postFilter?.(record, { decision, input });
  const versionless = (text: string) => text.replace(/"versions":\{[^}]*\}/, "");
  assert.equal(versionless(JSON.stringify(state.resources)), versionless(before));
  return result;
}
