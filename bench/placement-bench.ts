// Pods from their creation to their place, through a real control plane over a durable store:
//   node build/bench/placement-bench.js [bind|http|deployment|memory] [--pods N] [--nodes N]
import { parseArgs } from "node:util";
import { DEPLOYMENTS, SERVICE_ACCOUNTS } from "../src/api/generated/resources.ts";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { runsAsShipped } from "./as-shipped.ts";
import { BenchCluster, NAMESPACE, podOf } from "./bench-cluster.ts";
import { memoryOf } from "./idle-memory.ts";
import { PodLoad } from "./pod-load.ts";
import { interruptible } from "./interruptible.ts";

/** How large a cluster and how many pods. */
export interface PlacementSize {
  nodes: number;
  pods: number;
}

/** So many pods warm up: upstream's scheduler_perf does not count them either. */
const WARM_UP_PODS = 1_000;

/** Rates by the clock, and by the CPU time of this process: the latter suffers less from others. */
export interface PlacementFigures {
  perSecond: number;
  /** The same without the first thousand; absent when there are too few. */
  warmPerSecond?: number;
  perCpuSecond: number;
  seconds: number;
}

/** From the start of the work until so many pods more are bound. */
async function measured(
  cluster: BenchCluster,
  pods: number,
  start: () => unknown,
): Promise<PlacementFigures> {
  const hasWarmUp = pods > 2 * WARM_UP_PODS;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const warm = hasWarmUp && cluster.bound(WARM_UP_PODS).then(() => performance.now());
  const bound = cluster.bound(pods);
  await start();
  await bound;
  const endMs = performance.now();
  const seconds = (endMs - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: Math.round(pods / seconds),
    ...(warm && {
      warmPerSecond: Math.round(((pods - WARM_UP_PODS) * 1_000) / (endMs - (await warm))),
    }),
    perCpuSecond: Math.round((pods * 1e6) / (user + system)),
    seconds: Number(seconds.toFixed(3)),
  };
}

/** Pods that wait already: from the start of the scheduler to all of them bound and durable. */
export async function benchBind({ nodes, pods }: PlacementSize): Promise<PlacementFigures> {
  await using cluster = await BenchCluster.open();
  await cluster.addNodes(nodes);
  await serviceAccount(cluster);
  await cluster.addPods(pods);
  return await measured(cluster, pods, () => cluster.startScheduler());
}

/** Pods created over HTTPS by another process: from the first request to all of them bound. */
export async function benchHttp(
  { nodes, pods }: PlacementSize,
  { connections }: { connections: number },
): Promise<PlacementFigures> {
  await using cluster = await BenchCluster.open();
  await cluster.addNodes(nodes);
  await serviceAccount(cluster);
  cluster.startScheduler();
  const { pki, port } = cluster;
  const target: HttpsTransportOptions = {
    server: `https://127.0.0.1:${port}`,
    caPem: pki.ca.pem.certPem,
    certPem: pki.admin.certPem,
    keyPem: pki.admin.keyPem,
  };
  await using load = await PodLoad.start({ target, pods, connections });
  return await measured(cluster, pods, () => load.go());
}

/** A Deployment: from its creation to all of its pods bound. */
export async function benchDeployment({ nodes, pods }: PlacementSize): Promise<PlacementFigures> {
  await using cluster = await BenchCluster.open();
  await cluster.startControllers();
  await cluster.addNodes(nodes);
  cluster.startScheduler();
  const { metadata, spec } = podOf("bench");
  const labels = { app: "bench" };
  return await measured(cluster, pods, () =>
    cluster.client.for(DEPLOYMENTS).create({
      metadata: { name: "bench", namespace: NAMESPACE },
      spec: {
        replicas: pods,
        selector: { matchLabels: labels },
        template: { metadata: { ...metadata, labels }, spec: spec ?? { containers: [] } },
      },
    }),
  );
}

/** Memory of this process, in MiB, with so many nodes and placed pods and an idle scheduler. */
export async function benchMemory({
  nodes,
  pods,
}: PlacementSize): Promise<ReturnType<typeof memoryOf> & { heapMiB: number }> {
  await using cluster = await BenchCluster.open();
  cluster.startScheduler();
  await cluster.addNodes(nodes);
  await serviceAccount(cluster);
  const bound = cluster.bound(pods);
  await cluster.addPods(pods, { nodes });
  await bound;
  globalThis.gc?.();
  const heapMiB = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  return { ...memoryOf([process.pid]), heapMiB };
}

/** Pods need one; no controller makes it here. */
async function serviceAccount({ client }: BenchCluster): Promise<void> {
  await client
    .for(SERVICE_ACCOUNTS)
    .create({ metadata: { name: "default", namespace: NAMESPACE } });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: "string" },
      pods: { type: "string" },
      connections: { type: "string", default: "32" },
    },
  });
  const size = (nodes: number, pods: number): PlacementSize => ({
    nodes: Number(values.nodes ?? nodes),
    pods: Number(values.pods ?? pods),
  });
  const connections = Number(values.connections);
  const benches: Record<string, () => Promise<object>> = {
    bind: () => benchBind(size(5_000, 20_000)),
    http: () => benchHttp(size(500, 10_000), { connections }),
    deployment: () => benchDeployment(size(100, 1_000)),
    memory: () => benchMemory(size(5_000, 50_000)),
  };
  for (const [name, bench] of Object.entries(benches)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(name, JSON.stringify(await bench()));
  }
}

if (process.argv[1] === import.meta.filename && runsAsShipped()) {
  // Nothing of an in-process cluster keeps the process alive by itself.
  const alive = setInterval(() => undefined, 1_000);
  await interruptible(main);
  clearInterval(alive);
}
