// Memory and latency over the size of the cluster, each size in a process of its own:
//   node build/bench/scale-bench.js [--write]     (writes docs/scale.json and docs/scale.svg)
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { PODS, SERVICE_ACCOUNTS } from "../src/api/generated/resources.ts";
import { BenchCluster, NAMESPACE, podOf } from "./bench-cluster.ts";
import { memoryOf } from "./idle-memory.ts";
import { drawScale, type ScalePoint } from "./scale-chart.ts";
import { interruptible } from "./interruptible.ts";

const SIZES: readonly { nodes: number; pods: number }[] = [
  { nodes: 100, pods: 1_000 },
  { nodes: 500, pods: 5_000 },
  { nodes: 1_000, pods: 10_000 },
  { nodes: 2_500, pods: 25_000 },
  { nodes: 5_000, pods: 50_000 },
];
const SAMPLES = 200;

/** Fills a cluster with placed pods, then creates some one after another. */
export async function benchScale(
  { nodes, pods }: { nodes: number; pods: number },
  samples: number = SAMPLES,
): Promise<ScalePoint> {
  await using cluster = await BenchCluster.open();
  cluster.startScheduler();
  await cluster.addNodes(nodes);
  await cluster.client
    .for(SERVICE_ACCOUNTS)
    .create({ metadata: { name: "default", namespace: NAMESPACE } });
  const filled = cluster.bound(pods);
  await cluster.addPods(pods, { nodes });
  await filled;
  const { pssMiB } = memoryOf([process.pid]);
  const latenciesMs: number[] = [];
  let sampled: { name: string; resolve: () => void } | undefined;
  using _ = cluster.pods.onChange(({ type, object }) => {
    const { metadata, spec } = object;
    if (type === "updated" && spec?.nodeName && metadata?.name === sampled?.name)
      sampled?.resolve();
  });
  const cpu = process.cpuUsage();
  for (let i = 0; i < samples; i++) {
    const name = `sample-${i}`;
    const bound = new Promise<void>((resolve) => (sampled = { name, resolve }));
    const startMs = performance.now();
    await cluster.client.for(PODS).create(podOf(name));
    await bound;
    latenciesMs.push(performance.now() - startMs);
  }
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = Number(((user + system) / 1e3 / samples).toFixed(2));
  latenciesMs.sort((a, b) => a - b);
  const quantile = (share: number) =>
    Number((latenciesMs[Math.floor(share * (samples - 1))] ?? 0).toFixed(2));
  return { nodes, pods, pssMiB, boundP50Ms: quantile(0.5), boundP99Ms: quantile(0.99), cpuMs };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
  const points: ScalePoint[] = [];
  for (const size of SIZES) {
    const child = fork(import.meta.filename, [JSON.stringify(size)]);
    const [point] = (await once(child, "message")) as [ScalePoint];
    child.kill();
    console.log(JSON.stringify(point));
    points.push(point);
  }
  if (!values.write) return;
  writeFileSync("docs/scale.json", `${JSON.stringify(points, null, 2)}\n`);
  writeFileSync("docs/scale.svg", drawScale(points));
}

if (process.argv[1] === import.meta.filename) {
  const [size] = process.argv.slice(2);
  if (size?.startsWith("{")) {
    const alive = setInterval(() => undefined, 1_000);
    // Without the process that asked, nobody wants to know.
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
    const asked = JSON.parse(size) as { nodes: number; pods: number };
    process.send?.(await interruptible(() => benchScale(asked)));
    clearInterval(alive);
  } else await main();
}
