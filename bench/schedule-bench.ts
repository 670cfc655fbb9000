import { parseArgs } from "node:util";
import type { Node, Pod, PodSpec } from "../src/api/generated/types/core-v1.ts";
import { seededRandom } from "../src/lib/random.ts";
import { defaultPlugins } from "../src/scheduler/framework/default-plugins.ts";
import { Framework } from "../src/scheduler/framework/framework.ts";
import { ProfileTable } from "../src/scheduler/pod/pod-profile.ts";
import { schedule } from "../src/scheduler/schedule.ts";
import { emptyPluginDeps } from "../src/scheduler/scheduler-fixture.ts";
import { ClusterState } from "../src/scheduler/state/cluster-state.ts";

/** Kinds of pods that are decided on, each as upstream's scheduler benchmark has it. */
export type Workload = "basic" | "anti-affinity" | "affinity" | "spread" | "preferred" | "mixed";

export const WORKLOADS: readonly Workload[] = [
  "basic",
  "anti-affinity",
  "affinity",
  "spread",
  "preferred",
  "mixed",
];

/** What one workload cost. CPU time tells more than the clock where others use the machine. */
export interface ScheduleFigures {
  perSecond: number;
  perCpuSecond: number;
}

const ZONES = 10;
const ZONE = "topology.kubernetes.io/zone";
const HOSTNAME = "kubernetes.io/hostname";

/** Decides on pod after pod and places each, without an API server. Cluster size is given. */
export function benchSchedule(of: {
  nodes: number;
  pods: number;
  workload: Workload;
}): ScheduleFigures {
  const state = new ClusterState();
  for (let i = 0; i < of.nodes; i++) state.setNode(nodeOf(i));
  const framework = new Framework(state, {
    schedulerName: "default-scheduler",
    plugins: defaultPlugins(emptyPluginDeps()),
    percentageOfNodesToScore: 0,
  });
  const random = seededRandom(1);
  const profiles = new ProfileTable();
  const place = (pod: Pod) => {
    const record = profiles.recordOf(pod);
    const decision = schedule(record, { framework, random });
    if (decision.node === undefined) throw new Error(`Cannot go on: ${[...decision.reasons]}`);
    state.addPod(record, decision.node);
  };
  const warm = Math.min(500, Math.ceil(of.pods / 10));
  for (let i = 0; i < warm; i++) place(podOf(of.workload, i));
  const pods = Array.from({ length: of.pods }, (_, i) => podOf(of.workload, warm + i));
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  for (const pod of pods) place(pod);
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  framework[Symbol.dispose]();
  return {
    perSecond: Math.round((of.pods * 1e3) / elapsedMs),
    perCpuSecond: Math.round((of.pods * 1e6) / Math.max(1, user + system)),
  };
}

function nodeOf(index: number): Node {
  const name = `node-${index}`;
  return {
    metadata: { name, labels: { [HOSTNAME]: name, [ZONE]: `zone-${index % ZONES}` } },
    spec: {},
    status: { allocatable: { cpu: "4", memory: "32Gi", pods: "110" } },
  };
}

const COLOURS = { matchLabels: { color: "blue" } };

const SPECS: Readonly<Record<Exclude<Workload, "mixed">, Partial<PodSpec>>> = {
  basic: {},
  "anti-affinity": {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { color: "green" } }, topologyKey: HOSTNAME },
        ],
      },
    },
  },
  affinity: {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: COLOURS, topologyKey: ZONE },
        ],
      },
    },
  },
  spread: {
    topologySpreadConstraints: [
      { maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable: "DoNotSchedule", labelSelector: COLOURS },
    ],
  },
  preferred: {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { labelSelector: COLOURS, topologyKey: HOSTNAME } },
        ],
      },
    },
  },
};

function podOf(workload: Workload, index: number): Pod {
  const kinds = Object.keys(SPECS) as (keyof typeof SPECS)[];
  const kind = workload === "mixed" ? (kinds[index % kinds.length] ?? "basic") : workload;
  const name = `pod-${index}`;
  return {
    metadata: {
      name,
      uid: name,
      namespace: `namespace-${kind}`,
      labels: { color: kind === "anti-affinity" ? "green" : "blue" },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: kind, uid: kind, controller: true },
      ],
    },
    spec: {
      schedulerName: "default-scheduler",
      containers: [
        {
          name: "pause",
          image: "registry.k8s.io/pause:3.9",
          resources: { requests: { cpu: "100m", memory: "500Mi" } },
        },
      ],
      ...SPECS[kind],
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "5000" },
      pods: { type: "string", default: "10000" },
      workload: { type: "string" },
    },
  });
  const nodes = Number(values.nodes);
  for (const workload of WORKLOADS) {
    if (values.workload && values.workload !== workload) continue;
    const pods = workload === "anti-affinity" ? Math.min(2000, nodes / 2) : Number(values.pods);
    const { perSecond, perCpuSecond } = benchSchedule({ nodes, pods, workload });
    console.log(`${workload}: ${perSecond} decisions/s (${perCpuSecond} per second of CPU time)`);
  }
}
