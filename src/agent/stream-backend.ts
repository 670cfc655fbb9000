import type { Readable } from "node:stream";
import { StatusError } from "../api/errors.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import { encodeMetrics, type MetricFamily } from "../lib/prometheus.ts";
import type { MachineFacts } from "./metrics/cadvisor-machine.ts";
import { cadvisorMetrics } from "./metrics/cadvisor-metrics.ts";
import type {
  AgentMetrics,
  FileSystemUsage,
  NodeUsage,
  PodStorage,
  PodUsage,
} from "./metrics/contract.ts";
import { resourceMetrics } from "./metrics/resource-metrics.ts";
import { type CpuRate, statsSummary } from "./metrics/stats-summary.ts";
import { volumeMetrics } from "./metrics/volume-metrics.ts";
import type { PodNetwork } from "./network/contract.ts";
import {
  type LogSource,
  notRunning,
  requireLog,
  requirePod,
  requireRunning,
} from "./pod/container-lookup.ts";
import { containersOf, identityOf } from "./pod/pod-containers.ts";
import type { PodManager } from "./pod/pod-manager.ts";
import { type ContainerRuntime, RuntimeError, type StatsAsked } from "./runtime/contract.ts";
import type { LogOptions, StreamBackend } from "./stream/contract.ts";
import { connectLocally } from "./stream/local-connection.ts";

/** What the node's HTTPS endpoint reaches pods through. */
export interface StreamBackendDeps {
  manager: PodManager;
  runtime: ContainerRuntime;
  network: PodNetwork;
  nodeName: string;
  readNode: () => NodeUsage;
  readMachine: () => MachineFacts;
  readStorage: (pod: Pod, node: FileSystemUsage) => Promise<PodStorage>;
  metrics: AgentMetrics;
  /** What the agent tells beside them. */
  otherMetrics: () => MetricFamily[];
  readLog: ReadLog;
  /** The `KubeletConfiguration` in force. */
  configuration: Readonly<Record<string, unknown>>;
}

/** Reads a log in CRI format as `kubectl logs` prints it. */
export type ReadLog = (
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
) => Promise<Readable>;

/** Connects the node's HTTPS endpoint with its pods. */
export function createStreamBackend(deps: StreamBackendDeps): StreamBackend {
  const { manager, runtime, network, metrics, nodeName } = deps;
  const rateOf = createCpuRate();
  return {
    // `async`, so that a refused lookup rejects instead of throwing.
    async exec(target, options) {
      return await runtime.exec(requireRunning(manager, target), options);
    },
    async attach(target, options) {
      const id = requireRunning(manager, target);
      return await runtime.attach(id, options).catch((error: unknown) => {
        // It ended since it was looked up.
        if (error instanceof RuntimeError && error.code === "not-running") {
          throw notRunning(manager, target);
        }
        throw error;
      });
    },
    async portForward(target, port) {
      const { state } = requirePod(manager, target);
      const { uid } = identityOf(state.pod);
      if (state.pod.spec?.hostNetwork) return await connectLocally(port);
      if (!state.sandbox.ready) {
        throw new StatusError("BadRequest", `pod ${target.name} is not running`);
      }
      return await network.connect(uid, { host: "localhost", port });
    },
    async logs(target, options, signal) {
      const { previous = false } = options;
      return await deps.readLog(requireLog(manager, target, { previous }), options, signal);
    },
    pods: () => manager.pods(),
    configuration: () => deps.configuration,
    checkpoint(target) {
      const { namespace, name, container } = target;
      const worker = manager.find(target);
      if (!worker) throw new StatusError("NotFound", "pod does not exist");
      if (!containersOf(worker.state.pod).some((one) => one.container.name === container)) {
        throw new StatusError("NotFound", `container ${container} does not exist`);
      }
      const why = "the runtime has no support for it: CRIU is not part of Nephos";
      const what = `checkpointing of ${namespace}/${name}/${container} failed (${why})`;
      throw new StatusError("InternalError", what);
    },
    async statsSummary() {
      const node = deps.readNode();
      return statsSummary(node, await readStorage(deps, node), rateOf);
    },
    async metrics(of) {
      switch (of) {
        case "agent":
          return encodeMetrics([
            ...metrics.families(nodeName, manager.pods()),
            ...deps.otherMetrics(),
            ...volumeMetrics(await readStorage(deps, deps.readNode())),
          ]);
        case "probes":
          return encodeMetrics(metrics.probeFamilies());
        case "resource":
          return encodeMetrics(resourceMetrics(deps.readNode(), await readUsage(deps)));
        case "cadvisor":
          return encodeMetrics(
            cadvisorMetrics(
              deps.readNode(),
              await readUsage(deps, { details: true }),
              deps.readMachine(),
            ),
          );
        default:
          throw new StatusError("NotFound", "the node has no such metrics");
      }
    },
  };
}

/** A pod that ends while it is being read is left out. */
async function readUsage(
  { manager, runtime, network }: StreamBackendDeps,
  asked: StatsAsked = {},
): Promise<PodUsage[]> {
  const running = manager.pods().filter(({ status }) => status?.phase === "Running");
  const counters = network.counters();
  const read = running.map(async (pod): Promise<PodUsage[]> => {
    const { uid } = identityOf(pod);
    try {
      const stats = await runtime.stats(uid, asked);
      const traffic = counters.get(uid);
      return [{ pod, stats, ...(traffic ? { network: traffic } : {}) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}

async function readStorage(deps: StreamBackendDeps, node: NodeUsage): Promise<PodUsage[]> {
  const usages = await readUsage(deps);
  return await Promise.all(
    usages.map(async (usage) => {
      return { ...usage, storage: await deps.readStorage(usage.pod, node.fileSystem) };
    }),
  );
}

const RATES_MAX = 10_000;

/** Compares each reading with the one before it. */
function createCpuRate(): CpuRate {
  const before = new Map<string, { cpuNanoseconds: number; atMs: number }>();
  return (key, { cpuNanoseconds, atMs }) => {
    const last = before.get(key);
    before.delete(key); // the newest come last, so that the oldest are forgotten first
    before.set(key, { cpuNanoseconds, atMs });
    const [oldest] = before.keys();
    if (before.size > RATES_MAX && oldest !== undefined) before.delete(oldest);
    if (!last || atMs <= last.atMs) return undefined;
    return Math.max(0, ((cpuNanoseconds - last.cpuNanoseconds) * 1000) / (atMs - last.atMs));
  };
}
