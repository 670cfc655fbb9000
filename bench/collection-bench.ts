// Objects that vanish with what they belong to, through a real control plane:
//   node build/bench/collection-bench.js [namespace|owner] [--objects N]
import { parseArgs } from "node:util";
import { CONFIG_MAPS, NAMESPACES } from "../src/api/generated/resources.ts";
import type { ConfigMap } from "../src/api/generated/types/core-v1.ts";
import type { Informer } from "../src/client/informer.ts";
import { BenchCluster, inParallel, NAMESPACE } from "./bench-cluster.ts";
import { interruptible } from "./interruptible.ts";

/** Time by the clock, and CPU time of this process: the latter suffers less from others. */
export interface CollectionFigures {
  seconds: number;
  cpuSeconds: number;
}

/** From the deletion of a namespace to its end, and before it that of all that is in it. */
export async function benchNamespace(objects: number): Promise<CollectionFigures> {
  await using cluster = await BenchCluster.open();
  await cluster.startControllers();
  const { client, informers } = cluster;
  await addMaps(cluster, { objects });
  using namespaces = informers.informer(NAMESPACES);
  await namespaces.synced;
  return await measured(async () => {
    const gone = deletions(namespaces, { of: ({ name }) => name === NAMESPACE, count: 1 });
    await client.for(NAMESPACES).delete({ name: NAMESPACE });
    await gone;
  });
}

/** From the deletion of an owner to the end of all that it owns. */
export async function benchOwner(objects: number): Promise<CollectionFigures> {
  await using cluster = await BenchCluster.open();
  await cluster.startControllers();
  const { client, informers } = cluster;
  const ref = { name: "owner", namespace: NAMESPACE };
  const { metadata } = await client.for(CONFIG_MAPS).create({ metadata: ref });
  await addMaps(cluster, { objects, owner: metadata?.uid ?? "" });
  using maps = informers.informer(CONFIG_MAPS);
  await maps.synced;
  return await measured(async () => {
    const gone = deletions(maps, { of: ({ name }) => name !== ref.name, count: objects });
    await client.for(CONFIG_MAPS).delete(ref, { propagationPolicy: "Background" });
    await gone;
  });
}

async function addMaps(
  { client }: BenchCluster,
  { objects, owner }: { objects: number; owner?: string },
): Promise<void> {
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner ?? "" };
  await inParallel(objects, (i) => {
    const map: ConfigMap = {
      metadata: {
        name: `map-${i}`,
        namespace: NAMESPACE,
        ...(owner ? { ownerReferences: [reference] } : {}),
      },
      data: { key: "value" },
    };
    return client.for(CONFIG_MAPS).create(map);
  });
}

interface Named {
  metadata?: { name?: string; namespace?: string };
}

/** Resolves when so many of the objects in question were deleted, as the watch shows it. */
async function deletions<T extends Named>(
  informer: Informer<T>,
  { of, count }: { of: (metadata: NonNullable<Named["metadata"]>) => boolean; count: number },
): Promise<void> {
  let left = count;
  await new Promise<void>((resolve) => {
    informer.onChange(({ type, object }) => {
      if (type === "deleted" && of(object.metadata ?? {}) && --left === 0) resolve();
    });
  });
}

async function measured(work: () => Promise<void>): Promise<CollectionFigures> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const rounded = (value: number) => Number(value.toFixed(3));
  return { seconds: rounded(seconds), cpuSeconds: rounded((user + system) / 1e6) };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { objects: { type: "string", default: "5000" } },
  });
  const objects = Number(values.objects);
  for (const [name, bench] of Object.entries({ namespace: benchNamespace, owner: benchOwner })) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(name, JSON.stringify(await bench(objects)));
  }
}

if (process.argv[1] === import.meta.filename) {
  // Nothing of an in-process cluster keeps the process alive by itself.
  const alive = setInterval(() => undefined, 1_000);
  await interruptible(main);
  clearInterval(alive);
}
