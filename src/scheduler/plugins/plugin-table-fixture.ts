import type {
  ContainerImage,
  Node,
  NodeSpec,
  Pod,
  PodSpec,
  Taint,
} from "../../api/generated/types/core-v1.ts";
import type { NodeFilter, PluginContext, SchedulerPlugin } from "../framework/contract.ts";
import { type PodRecord, ProfileTable } from "../pod/pod-profile.ts";
import { ClusterState } from "../state/cluster-state.ts";

/** A pod of a table. */
export interface PodShape {
  labels?: Record<string, string>;
  spec?: Partial<PodSpec>;
  namespace?: string;
  terminating?: boolean;
}

/** A node of a table, with the pods that are on it. */
export interface NodeShape {
  labels?: Record<string, string>;
  cpu?: string;
  memory?: string;
  podsMax?: string;
  /** Further resources. */
  more?: Record<string, string>;
  images?: ContainerImage[];
  /** A key alone stands for a preference against it. */
  taints?: (string | Taint)[];
  spec?: NodeSpec;
  pods?: PodShape[];
  /** Filters turned it down: its pods count, it gets no score. */
  failed?: boolean;
}

/** What a plugin is asked about. */
export interface Question {
  pod: PodShape;
  nodes: Record<string, NodeShape>;
  /** What the Services of the pod's namespace select. */
  services?: Record<string, string>[];
  /** Labels of namespaces, where they matter. */
  namespaces?: Record<string, Record<string, string>>;
}

interface Asked extends PluginContext {
  record: PodRecord;
  slotOf: (node: string) => number;
}

/** The pod of a table. */
export function podOf(
  { labels = {}, spec = {}, namespace = "default", ...shape }: PodShape,
  at: number,
): Pod {
  const name = `pod-${at}`;
  const deletionTimestamp = shape.terminating ? "2026-01-01T00:00:00Z" : undefined;
  const metadata = { name, uid: name, namespace, labels };
  return {
    metadata: { ...metadata, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    spec: { containers: [], ...spec },
  };
}

/** The node of a table. */
export function nodeOf(name: string, node: NodeShape): Node {
  const { labels = {}, cpu = "4", memory = "10000", podsMax = "110", images = [] } = node;
  const taints = (node.taints ?? []).map(
    (taint): Taint =>
      typeof taint === "string" ? { key: taint, effect: "PreferNoSchedule" } : taint,
  );
  return {
    metadata: { name, labels },
    spec: { ...node.spec, taints },
    status: { allocatable: { cpu, memory, pods: podsMax, ...node.more }, images },
  };
}

function ask({ pod, nodes, services = [], namespaces = {} }: Question): Asked {
  const state = new ClusterState();
  for (const [at, selector] of services.entries()) {
    state.services.set(`default/${at}`, { namespace: "default", selector });
  }
  for (const [name, labels] of Object.entries(namespaces)) state.setNamespace(name, labels);
  const profiles = new ProfileTable();
  let count = 0;
  for (const [name, node] of Object.entries(nodes)) {
    state.setNode(nodeOf(name, node));
    for (const one of node.pods ?? []) {
      state.addPod(profiles.recordOf(podOf(one, count++)), name);
    }
  }
  const record = profiles.recordOf(podOf(pod, count));
  return { state, record, profile: record.profile, slotOf: (name) => state.slotOf(name) ?? -1 };
}

/** The scores that a plugin gives to the nodes that did not fail. */
export function scoresOf(plugin: SchedulerPlugin, question: Question): number[] {
  const { state, record, profile, slotOf } = ask(question);
  const scorer = plugin.score?.({ state, profile });
  const names = Object.keys(question.nodes).filter((name) => !question.nodes[name]?.failed);
  const slots = Int32Array.from(names, slotOf);
  const totals = new Float64Array(names.length);
  if (scorer && "scoreOf" in scorer) return [...slots].map((slot) => scorer.scoreOf(slot));
  scorer?.addScores(record, slots, { count: names.length, weight: 1, totals });
  return [...totals];
}

function refusalsOf(plugin: SchedulerPlugin, question: Question) {
  const { state, record, profile, slotOf } = ask(question);
  const filter: NodeFilter | undefined = plugin.filter?.({ state, profile });
  const begun = filter?.begin(record) ?? false;
  return Object.keys(question.nodes).map((name) => {
    if (!filter || typeof begun === "boolean") {
      const code = filter && begun ? filter.test(slotOf(name)) : 0;
      return code === 0 ? undefined : filter?.explain(code);
    }
    return begun;
  });
}

/** One sign for each node: + it fits, - pods that leave may help, ! nothing will. */
export function verdictsOf(plugin: SchedulerPlugin, question: Question): string {
  const sign = (refusal: ReturnType<typeof refusalsOf>[number]) =>
    refusal === undefined ? "+" : refusal.unresolvable ? "!" : "-";
  return refusalsOf(plugin, question).map(sign).join("");
}

/** Why the only node is refused; nothing when it is not. */
export function reasonsOf(plugin: SchedulerPlugin, question: Question): readonly string[] {
  const [refusal] = refusalsOf(plugin, question);
  return refusal?.reasons ?? [];
}
