import { connect, type Socket } from "node:net";
import { cpus, freemem, totalmem, uptime } from "node:os";
import type { Readable } from "node:stream";
import { StatusError } from "../api/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { PodNetwork } from "./network/contract.ts";
import { metricsText, type NodeUse, type PodStats, statsSummary } from "./node-stats.ts";
import { type LogSource, requireLog, requirePod, requireRunning } from "./pod/container-lookup.ts";
import { identityOf } from "./pod/pod-containers.ts";
import type { PodManager } from "./pod/pod-manager.ts";
import type { ContainerRuntime } from "./runtime/contract.ts";
import type { LogOptions, StreamBackend } from "./stream/contract.ts";

/** What the node's HTTPS endpoint reaches pods through. */
export interface StreamBackendDeps {
  manager: PodManager;
  runtime: ContainerRuntime;
  network: PodNetwork;
  nodeName: string;
  clock: Clock;
  readLog: ReadLog;
}

/** Reads a log in CRI format as `kubectl logs` prints it. */
export type ReadLog = (
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
) => Promise<Readable>;

/** Connects the node's HTTPS endpoint with its pods. */
export function createStreamBackend(deps: StreamBackendDeps): StreamBackend {
  const { manager, runtime, network } = deps;
  return {
    // `async`, so that a refused lookup rejects instead of throwing.
    async exec(target, options) {
      return await runtime.exec(requireRunning(manager, target), options);
    },
    async attach(target, options) {
      return await runtime.attach(requireRunning(manager, target), options);
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
    statsSummary: async () => statsSummary(nodeUse(deps), await readStats(deps)),
    metrics: async () => metricsText(await readStats(deps)),
  };
}

function connectLocally(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** A pod that ends while it is being read is left out. */
async function readStats({ manager, runtime }: StreamBackendDeps): Promise<PodStats[]> {
  const running = manager.pods().filter(({ status }) => status?.phase === "Running");
  const read = running.map(async (pod): Promise<PodStats[]> => {
    try {
      return [{ pod, stats: await runtime.stats(identityOf(pod).uid) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}

function nodeUse({ nodeName, clock }: StreamBackendDeps): NodeUse {
  const nowMs = clock.now();
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice, 0);
  const usedBytes = totalmem() - freemem();
  return {
    name: nodeName,
    nowMs,
    bootMs: nowMs - uptime() * 1000,
    cpuNanoseconds: busyMs * 1e6,
    memoryBytes: usedBytes,
    workingSetBytes: usedBytes,
    availableBytes: freemem(),
  };
}
