// Time from the request that creates a pod until a watcher sees its container running:
//   node build/bench/pod-start-bench.js --kubeconfig FILE --image REF [--command "sleep 1d"]
//     [--sequential 30] [--burst 30] [--handler runsc] [--pid PID of the process with the agent]
//     [--connections 8]
// The client's connections are open before anything is measured.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { PODS, RUNTIME_CLASSES } from "../src/api/generated/resources.ts";
import type { Pod } from "../src/api/generated/types/core-v1.ts";
import type { Client } from "../src/client/client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { createClient } from "../src/client/resource-client.ts";
import { runsOnShipped } from "./as-shipped.ts";
import { namespaceOf, withNamespace } from "./bench-namespace.ts";
import { percentile, round } from "./figures.ts";
import { interruptible } from "./interruptible.ts";
import { LeanTransport } from "./lean-transport.ts";

/** What to start, and how often. */
export interface PodStartOptions {
  client: Client;
  image: string;
  /** The image's own when empty. */
  command: readonly string[];
  sequential: number;
  burst: number;
  /** What runs the pods, as a RuntimeClass names it; the node's default when undefined. */
  handler: string | undefined;
  /** A pod that takes longer ends the benchmark with an error. */
  patienceMs: number;
  /** Process whose CPU time is told; it must run on this machine. */
  pid?: number | undefined;
}

/** Times in milliseconds, from sending the create to seeing "running". */
export interface PodStartFigures {
  sequentialP50Ms: number;
  sequentialP90Ms: number;
  /** The longest of fewer than a hundred. */
  sequentialP99Ms: number;
  burstP50Ms: number;
  /** Until the last one of the burst ran. */
  burstAllMs: number;
  burstPerSecond: number;
  /** CPU time of the process per pod, of which `main` is its first thread's. */
  sequentialCpu?: CpuTime;
  burstCpu?: CpuTime;
}

/** Milliseconds. Comparable beside other work, where the times above are not. */
export interface CpuTime {
  main: number;
  all: number;
}

const NAMESPACE = namespaceOf("pod-bench");

/** Starts pods one after another, then many at once; leaves nothing behind. */
export async function benchPodStart(options: PodStartOptions): Promise<PodStartFigures> {
  const { client, handler } = options;
  const runtimeClass = { metadata: { name: NAMESPACE }, handler: handler ?? "" };
  if (handler) await client.for(RUNTIME_CLASSES).create(runtimeClass);
  try {
    return await withNamespace(client, NAMESPACE, () => measure(options));
  } finally {
    if (handler) await client.for(RUNTIME_CLASSES).delete({ name: NAMESPACE });
  }
}

async function measure(options: PodStartOptions): Promise<PodStartFigures> {
  using watch = await watchPods(options.client);
  // Without its watch it starts no more pods.
  return await interruptible(() => startPods(options, watch));
}

async function startPods(options: PodStartOptions, watch: PodWatch): Promise<PodStartFigures> {
  const { sequential, burst } = options;
  const lone: number[] = [];
  const cpu = [cpuOf(options.pid)];
  for (let i = 0; i < sequential; i++) lone.push(await startPod(`lone-${i}`, options, watch));
  cpu.push(cpuOf(options.pid));
  const startMs = performance.now();
  const many = await Promise.all(
    Array.from({ length: burst }, (_, i) => startPod(`burst-${i}`, options, watch)),
  );
  const burstAllMs = round(performance.now() - startMs);
  cpu.push(cpuOf(options.pid));
  return {
    sequentialP50Ms: percentile(lone, 0.5),
    sequentialP90Ms: percentile(lone, 0.9),
    sequentialP99Ms: percentile(lone, 0.99),
    burstP50Ms: percentile(many, 0.5),
    burstAllMs,
    burstPerSecond: round((burst * 1000) / burstAllMs),
    ...(options.pid !== undefined && {
      sequentialCpu: perPod(sequential, cpu[0], cpu[1]),
      burstCpu: perPod(burst, cpu[1], cpu[2]),
    }),
  };
}

/** Calls back when a pod's container is seen running. */
interface PodWatch extends Disposable {
  whenRunning(name: string): Promise<number>;
}

async function watchPods(client: Client): Promise<PodWatch> {
  const pods = client.for(PODS);
  const { metadata } = await pods.list({ namespace: NAMESPACE });
  const waiting = new Map<string, (seenMs: number) => void>();
  const { resourceVersion } = metadata;
  const watch = await pods.watch(
    { namespace: NAMESPACE, resourceVersion },
    {
      event: (_type, object) => {
        const pod = object as Pod;
        if (!pod.status?.containerStatuses?.[0]?.state?.running) return;
        waiting.get(pod.metadata?.name ?? "")?.(performance.now());
      },
      closed: (error) => {
        if (error) console.error("the watch ended:", error);
      },
    },
  );
  return {
    whenRunning: (name) => new Promise((resolve) => waiting.set(name, resolve)),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

async function startPod(
  name: string,
  { client, image, command, handler, patienceMs }: PodStartOptions,
  watch: PodWatch,
): Promise<number> {
  const running = watch.whenRunning(name);
  const startMs = performance.now();
  await client.for(PODS).create({
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...(handler ? { runtimeClassName: NAMESPACE } : {}),
      containers: [
        { name: "main", image, ...(command.length > 0 ? { command: [...command] } : {}) },
      ],
      terminationGracePeriodSeconds: 0,
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `Cannot go on: pod ${name} does not run after ${patienceMs} ms`;
    timer = setTimeout(() => reject(new Error(message)), patienceMs);
  });
  try {
    return round((await Promise.race([running, late])) - startMs);
  } finally {
    clearTimeout(timer);
  }
}

/** A thread that ends takes its time along. Source: sched-stats.rst of the kernel. */
function cpuOf(pid: number | undefined): CpuTime {
  if (pid === undefined) return { main: 0, all: 0 };
  const of = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  const threads = readdirSync(`/proc/${pid}/task`);
  return { main: of(`${pid}`), all: threads.map(of).reduce((sum, ms) => sum + ms, 0) };
}

function perPod(pods: number, before: CpuTime | undefined, after: CpuTime | undefined): CpuTime {
  const share = (of: "main" | "all") => round(((after?.[of] ?? 0) - (before?.[of] ?? 0)) / pods);
  return { main: share("main"), all: share("all") };
}

if (process.argv[1] === import.meta.filename && runsOnShipped()) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      image: { type: "string" },
      connections: { type: "string", default: "8" },
      command: { type: "string", default: "" },
      sequential: { type: "string", default: "30" },
      burst: { type: "string", default: "30" },
      handler: { type: "string" },
      pid: { type: "string" },
    },
  });
  if (!values.image) throw new Error("Cannot start pods: --image names none");
  const directory = path.dirname(values.kubeconfig);
  const target = loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory });
  using transport = await LeanTransport.open(target, Number(values.connections));
  const figures = await benchPodStart({
    client: createClient(transport),
    image: values.image,
    command: values.command.split(" ").filter(Boolean),
    sequential: Number(values.sequential),
    burst: Number(values.burst),
    handler: values.handler,
    patienceMs: 30_000,
    pid: values.pid === undefined ? undefined : Number(values.pid),
  });
  console.log(JSON.stringify(figures, null, 2));
}
