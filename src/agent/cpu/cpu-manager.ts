import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli } from "../../lib/quantity.ts";
import type { CpuManager, TopologyPolicy } from "./contract.ts";
import { takeCpus } from "./cpu-assignment.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import { CpuMetrics } from "./cpu-metrics.ts";
import { readCpuState, writeCpuState } from "./cpu-state.ts";
import type { CpuTopology } from "./cpu-topology.ts";
import { cpuHints, mergeHints, nodesOf } from "./topology-hints.ts";

/** What the static policy works with. */
export interface CpuManagerOptions {
  topology: CpuTopology;
  /** CPUs that nobody gets for itself: a list such as "0-1", or how many. */
  reserved: { list: string; count: number };
  topologyPolicy: TopologyPolicy;
  /** Containers get whole cores, or their pod does not run here. */
  wholeCores: boolean;
  /** Whether the containers of a pod are placed one by one, or together. */
  scope: "container" | "pod";
  /** Survives restarts of the agent. */
  stateFile: string;
}

/**
 * The static policy: containers of Guaranteed pods that ask for whole CPUs get some of their own;
 * all others share the rest. @throws RangeError when no CPU is left to share
 */
export function createStaticCpuManager(options: CpuManagerOptions): CpuManager {
  const { topology, stateFile } = options;
  const reserved = reservedCpus(options);
  const own = readCpuState(stateFile);
  const handlers = new Set<() => void>();
  const metrics = new CpuMetrics();

  const shared = (): Set<number> => {
    const taken = new Set(
      [...own.values()].flatMap((containers) => [...containers.values()].flat()),
    );
    return new Set(topology.map(({ cpu }) => cpu).filter((cpu) => !taken.has(cpu)));
  };
  const assignable = () => new Set([...shared()].filter((cpu) => !reserved.has(cpu)));
  const changed = () => {
    writeCpuState(stateFile, { own, shared: shared() });
    for (const handler of handlers) handler();
  };

  return {
    admit(pod) {
      const uid = pod.metadata?.uid ?? "";
      const wanted = exclusiveContainers(pod);
      if (wanted.length === 0 || own.has(uid)) return undefined;
      const available = assignable();
      const plan =
        brokenCores(wanted, { ...options, reserved, shared: shared() }) ??
        planPod(wanted, { ...options, available });
      metrics.judged(wanted.length, "reason" in plan ? plan.reason : undefined);
      if ("reason" in plan) return plan;
      own.set(uid, plan.cpus);
      changed();
      return undefined;
    },
    cpusOf: ({ metadata }, container) =>
      formatCpuList(own.get(metadata?.uid ?? "")?.get(container) ?? shared()),
    hasOwn: (podUid, container) => own.get(podUid)?.has(container) ?? false,
    release(podUid) {
      if (own.delete(podUid)) changed();
    },
    retain(podUids) {
      const gone = [...own.keys()].filter((uid) => !podUids.has(uid));
      for (const uid of gone) own.delete(uid);
      changed();
    },
    onShared(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    metrics: () => metrics.families({ all: topology.length, shared: shared().size }),
  };
}

function reservedCpus({ topology, reserved }: CpuManagerOptions): ReadonlySet<number> {
  const all = new Set(topology.map(({ cpu }) => cpu));
  const cpus = reserved.list
    ? parseCpuList(reserved.list)
    : takeCpus(topology, { available: all, count: reserved.count });
  if (!cpus || cpus.length === 0 || cpus.some((cpu) => !all.has(cpu))) {
    const what = reserved.list || `${reserved.count}`;
    throw new RangeError(`Cannot reserve CPUs "${what}": the machine has ${formatCpuList(all)}`);
  }
  return new Set(cpus);
}

interface ExclusiveContainer {
  name: string;
  count: number;
  /** It ends before the others begin: they use its CPUs again. */
  isInit: boolean;
}

/** Containers that ask for whole CPUs, in a pod whose requests are its limits. */
export function exclusiveContainers(pod: Pod): ExclusiveContainer[] {
  if (pod.status?.qosClass !== "Guaranteed") return [];
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const of = (container: Container, isInit: boolean): ExclusiveContainer[] => {
    const { requests, limits } = container.resources ?? {};
    const milli = quantityToMilli(requests?.["cpu"] ?? limits?.["cpu"] ?? "0");
    const whole = milli > 0 && milli % 1000 === 0;
    return whole ? [{ name: container.name, count: milli / 1000, isInit }] : [];
  };
  return [
    ...initContainers.flatMap((one) => of(one, one.restartPolicy !== "Always")),
    ...containers.flatMap((one) => of(one, false)),
  ];
}

interface Refusal {
  reason: string;
  message: string;
}

/** Which container cannot have whole cores of those that nobody has, and nothing is reserved of. */
function brokenCores(
  wanted: readonly ExclusiveContainer[],
  of: Pick<CpuManagerOptions, "topology" | "wholeCores"> & {
    reserved: ReadonlySet<number>;
    shared: ReadonlySet<number>;
  },
): Refusal | undefined {
  const { topology, reserved } = of;
  if (!of.wholeCores) return undefined;
  const kept = new Set(topology.flatMap(({ cpu, core }) => (reserved.has(cpu) ? [core] : [])));
  const free = topology.filter(({ cpu, core }) => of.shared.has(cpu) && !kept.has(core)).length;
  const perCore = topology.length / new Set(topology.map(({ core }) => core)).size;
  const refuse = (why: string) => {
    return { reason: "SMTAlignmentError", message: `SMT Alignment Error: ${why}` };
  };
  for (const { count } of wanted) {
    if (count % perCore !== 0) {
      return refuse(`requested ${count} cpus not multiple cpus per core = ${perCore}`);
    }
    if (count > free) {
      const figures = `requested CPUs = ${count}, CPUs per core = ${perCore}`;
      return refuse(`not enough free physical CPUs: available physical CPUs = ${free}, ${figures}`);
    }
  }
  return undefined;
}

type Plan = { cpus: Map<string, number[]> } | Refusal;

function planPod(
  wanted: readonly ExclusiveContainer[],
  options: CpuManagerOptions & { available: Set<number> },
): Plan {
  const { topology, topologyPolicy, scope } = options;
  const free = new Set(options.available);
  /** CPUs of init containers: they may be used again. */
  const reusable = new Set<number>();
  const cpus = new Map<string, number[]>();
  const nodes = nodesOf(topology);
  const align = (count: number) =>
    mergeHints(topologyPolicy, {
      nodes,
      hints: [cpuHints(topology, { available: new Set([...free, ...reusable]), count })],
    });
  const main = wanted.filter(({ isInit }) => !isInit).reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(main, ...wanted.map(({ count }) => count));
  const together = scope === "pod" ? align(most) : undefined;
  for (const { name, count, isInit } of wanted) {
    const { hint, admitted } = together ?? align(count);
    if (!admitted) {
      const message = "Resources cannot be allocated with Topology locality";
      return { reason: "TopologyAffinityError", message };
    }
    const within = topologyPolicy === "none" ? undefined : hint.nodes;
    const taken = takeNear(topology, { free, reusable, count, nodes: within });
    if (!taken) {
      const figures = `requested=${count}, available=${free.size + reusable.size}`;
      const why = `not enough cpus available to satisfy request: ${figures}`;
      const message = `Allocate failed due to ${why}, which is unexpected`;
      return { reason: "UnexpectedAdmissionError", message };
    }
    cpus.set(name, taken);
    for (const cpu of taken) {
      free.delete(cpu);
      if (isInit) reusable.add(cpu);
      else reusable.delete(cpu);
    }
  }
  return { cpus };
}

/** First what can be used again, then CPUs of the wanted nodes, then any. */
function takeNear(
  topology: CpuTopology,
  of: {
    free: ReadonlySet<number>;
    reusable: ReadonlySet<number>;
    count: number;
    nodes: readonly number[] | undefined;
  },
): number[] | undefined {
  const { free, reusable, count, nodes } = of;
  const near = new Set(
    topology.filter(({ node }) => nodes?.includes(node) ?? true).map(({ cpu }) => cpu),
  );
  const steps = [
    [...reusable].filter((cpu) => near.has(cpu)),
    [...free].filter((cpu) => near.has(cpu)),
    [...reusable, ...free].filter((cpu) => !near.has(cpu)),
  ];
  const taken: number[] = [];
  for (const step of steps) {
    const available = new Set(step);
    const most = Math.min(available.size, count - taken.length);
    taken.push(...(takeCpus(topology, { available, count: most }) ?? []));
  }
  return taken.length === count ? taken.sort((a, b) => a - b) : undefined;
}
