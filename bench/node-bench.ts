// How a node carries many pods:
//   node build/bench/node-bench.js --kubeconfig FILE --image REF [--pods 110] [--removals 30]
//     [--failures 5] [--node NAME] [--idle 10] [--pid PID of the process with the agent]
//     [--connections 8]
// The client's connections are open before anything is measured. The image needs a shell.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { PODS } from "../src/api/generated/resources.ts";
import type { Container, Pod } from "../src/api/generated/types/core-v1.ts";
import type { Client } from "../src/client/client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { createClient } from "../src/client/resource-client.ts";
import { runsOnShipped } from "./as-shipped.ts";
import { namespaceOf, withNamespace } from "./bench-namespace.ts";
import { percentile, round } from "./figures.ts";
import { interruptible } from "./interruptible.ts";
import { LeanTransport } from "./lean-transport.ts";

/** How much to do. */
export interface NodeBenchOptions {
  client: Client;
  image: string;
  /** Binds the pods to this node; the scheduler does when undefined. */
  nodeName: string | undefined;
  pods: number;
  /** Pods that are deleted one after another. */
  removals: number;
  /** Containers whose liveness probe is made to fail. */
  failures: number;
  idleSeconds: number;
  /** Process whose CPU use is measured; it must run on this machine. */
  pid: number | undefined;
  patienceMs: number;
}

/** Times in milliseconds. */
export interface NodeBenchFigures {
  /** From the first create until a watcher has seen every container running. */
  allRunningMs: number;
  /** Share of one core while nothing happens. */
  idleCpuPercent: number | undefined;
  /** From the probe that fails until the new process runs, to 10 ms; the longest of all. */
  livenessRestartMs: number;
  livenessRestartP50Ms: number;
  /** From the delete until a watcher sees the pod gone; its process ends at once. */
  goneP50Ms: number;
  goneP90Ms: number;
}

const NAMESPACE = namespaceOf("node-bench");
const ENDS = "trap 'exit 0' TERM";
const IDLE = `${ENDS}; while true; do sleep 3600 & wait; done`;
/** Notes the machine's uptime, in hundredths of a second, where the node finds it at the end. */
const note = (what: string) => `read up _ < /proc/uptime; echo ${what} $up >> /dev/termination-log`;
const SICK = `${ENDS}; ${note("begin")}; ${IDLE}`;
/** Fails the second time that it is asked. */
const PROBE = `[ ! -e /tmp/asked ] && touch /tmp/asked && exit 0; ${note("failing")}; exit 1`;

/** Fills the node, lets it idle, breaks and removes pods; leaves nothing behind. */
export function benchNode(options: NodeBenchOptions): Promise<NodeBenchFigures> {
  return withNamespace(options.client, NAMESPACE, () => measure(options));
}

async function measure(options: NodeBenchOptions): Promise<NodeBenchFigures> {
  using watch = await watchPods(options.client, options.patienceMs);
  // Without its watch it goes no further.
  return await interruptible(() => fillNode(options, watch));
}

async function fillNode(options: NodeBenchOptions, watch: PodWatch): Promise<NodeBenchFigures> {
  const { client, pods, removals } = options;
  const names = Array.from({ length: pods }, (_, at) => `pod-${at}`);
  const startMs = performance.now();
  await Promise.all(
    names.map(async (name) => {
      const running = watch.until(name, isRunning);
      await client.for(PODS).create(podOf(name, options, { command: ["sh", "-c", IDLE] }));
      await running;
    }),
  );
  const allRunningMs = round(performance.now() - startMs);
  const idleCpuPercent = await idleCpu(options);
  const gone: number[] = [];
  for (const name of names.slice(0, removals)) gone.push(await removePod(name, options, watch));
  const restarts: number[] = [];
  for (let at = 0; at < options.failures; at++) {
    restarts.push(await breakPod(`sick-${at}`, options, watch));
  }
  return {
    allRunningMs,
    idleCpuPercent,
    livenessRestartMs: Math.max(...restarts),
    livenessRestartP50Ms: percentile(restarts, 0.5),
    goneP50Ms: percentile(gone, 0.5),
    goneP90Ms: percentile(gone, 0.9),
  };
}

const isRunning = (pod: Pod | undefined): boolean =>
  pod?.status?.containerStatuses?.[0]?.state?.running !== undefined;

function podOf(name: string, { image, nodeName }: NodeBenchOptions, more: Partial<Container>): Pod {
  const container: Container = {
    name: "main",
    image,
    imagePullPolicy: "IfNotPresent",
    ...more,
  };
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      containers: [container],
      // A shell that is asked to end before it listens for that would take the whole of it.
      terminationGracePeriodSeconds: 5,
    },
  };
}

async function removePod(
  name: string,
  { client }: NodeBenchOptions,
  watch: PodWatch,
): Promise<number> {
  const gone = watch.until(name, (pod) => pod === undefined);
  const startMs = performance.now();
  await client.for(PODS).delete({ name, namespace: NAMESPACE });
  return round((await gone) - startMs);
}

/** What both attempts noted tells how long it took from one to the other. */
async function breakPod(name: string, options: NodeBenchOptions, watch: PodWatch): Promise<number> {
  const { client } = options;
  const exec = { command: ["sh", "-c", PROBE] };
  const livenessProbe = { exec, periodSeconds: 1, failureThreshold: 1 };
  const notes = { failing: "", begin: "" };
  const restarted = watch.until(name, (pod) => {
    const [status] = pod?.status?.containerStatuses ?? [];
    notes.failing = status?.lastState?.terminated?.message ?? "";
    return isRunning(pod) && (status?.restartCount ?? 0) > 0;
  });
  const command = ["sh", "-c", SICK];
  await client.for(PODS).create(podOf(name, options, { command, livenessProbe }));
  await restarted;
  const gone = watch.until(name, (pod) => {
    const { terminated } = pod?.status?.containerStatuses?.[0]?.state ?? {};
    notes.begin = terminated?.message ?? notes.begin;
    return pod === undefined;
  });
  await client.for(PODS).delete({ name, namespace: NAMESPACE });
  await gone;
  const secondsOf = (what: "failing" | "begin") =>
    Number(new RegExp(`^${what} (\\S+)`, "m").exec(notes[what])?.[1]);
  return round((secondsOf("begin") - secondsOf("failing")) * 1000);
}

async function idleCpu({ pid, idleSeconds }: NodeBenchOptions): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  // What the start of so many pods left to do is not idleness.
  await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, idleSeconds * 1000)));
  const beforeMs = cpuMs(pid);
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
  return round(((cpuMs(pid) - beforeMs) * 100) / (idleSeconds * 1000));
}

/** User and system time of a process. Source: proc_pid_stat(5), in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Sees every pod of the benchmark; `until` resolves with the moment that it did. */
interface PodWatch extends Disposable {
  until(name: string, done: (pod: Pod | undefined) => boolean): Promise<number>;
}

async function watchPods(client: Client, patienceMs: number): Promise<PodWatch> {
  const pods = client.for(PODS);
  const { metadata } = await pods.list({ namespace: NAMESPACE });
  const waiting = new Map<string, (pod: Pod | undefined) => void>();
  const { resourceVersion } = metadata;
  const watch = await pods.watch(
    { namespace: NAMESPACE, resourceVersion },
    {
      event: (type, object) => {
        const pod = object as Pod;
        waiting.get(pod.metadata?.name ?? "")?.(type === "DELETED" ? undefined : pod);
      },
      closed: (error) => {
        if (error) console.error("the watch ended:", error);
      },
    },
  );
  return {
    until: (name, done) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`Cannot go on: pod ${name} took longer than ${patienceMs} ms`));
        }, patienceMs);
        waiting.set(name, (pod) => {
          if (!done(pod)) return;
          clearTimeout(timer);
          waiting.delete(name);
          resolve(performance.now());
        });
      }),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

if (process.argv[1] === import.meta.filename && runsOnShipped()) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      image: { type: "string" },
      connections: { type: "string", default: "8" },
      node: { type: "string" },
      pods: { type: "string", default: "110" },
      removals: { type: "string", default: "30" },
      failures: { type: "string", default: "5" },
      idle: { type: "string", default: "10" },
      pid: { type: "string" },
    },
  });
  if (!values.image) throw new Error("Cannot start pods: --image names none");
  const directory = path.dirname(values.kubeconfig);
  const target = loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory });
  using transport = await LeanTransport.open(target, Number(values.connections));
  const figures = await benchNode({
    client: createClient(transport),
    image: values.image,
    nodeName: values.node,
    pods: Number(values.pods),
    removals: Number(values.removals),
    failures: Number(values.failures),
    idleSeconds: Number(values.idle),
    pid: values.pid === undefined ? undefined : Number(values.pid),
    patienceMs: 60_000,
  });
  console.log(JSON.stringify(figures, null, 2));
}
