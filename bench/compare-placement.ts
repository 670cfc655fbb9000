// Pods created over HTTPS and bound: Nephos, then kube-apiserver and kube-scheduler 1.20 with etcd,
// without their rate limits, in one run:
//   node build/bench/compare-placement.js [--pods 5000] [--nodes 500] [--connections 32]
import { parseArgs } from "node:util";
import { NAMESPACES, PODS, SERVICE_ACCOUNTS } from "../src/api/generated/resources.ts";
import { createHttpsTransport } from "../src/client/https-transport.ts";
import { createInformerFactory } from "../src/client/informer-factory.ts";
import { createClient } from "../src/client/resource-client.ts";
import { silentLogger } from "../src/lib/logger.ts";
import { systemClock } from "../src/sys/clock.ts";
import { systemRandom } from "../src/sys/random.ts";
import {
  kubeApiServerSkip,
  startKubeApiServer,
  WITHOUT_RATE_LIMITS,
} from "../test/peers/kube-apiserver.ts";
import { kubeControllersSkip, startKubeScheduler } from "../test/peers/kube-controllers.ts";
import { runsAsShipped } from "./as-shipped.ts";
import { addNodes, NAMESPACE, untilBound } from "./bench-cluster.ts";
import { comparisonTable } from "./compare-table.ts";
import { benchHttp, type PlacementSize } from "./placement-bench.ts";
import { PodLoad } from "./pod-load.ts";
import { interruptible } from "./interruptible.ts";

const ROW = { name: "created and bound", unit: "pods per s", better: "more", bar: 5 } as const;

/** Upstream's servers under the same load. Resolves with pods per second. */
async function benchKubernetes(
  { nodes, pods }: PlacementSize,
  { connections }: { connections: number },
): Promise<number> {
  await using server = await startKubeApiServer({ flags: WITHOUT_RATE_LIMITS });
  const { target } = server;
  using transport = createHttpsTransport(target);
  const client = createClient(transport);
  await client.for(NAMESPACES).create({ metadata: { name: NAMESPACE } });
  await client
    .for(SERVICE_ACCOUNTS)
    .create({ metadata: { name: "default", namespace: NAMESPACE } });
  await addNodes(client, nodes);
  // The last of a flag counts.
  const unlimited = ["--kube-api-qps=100000", "--kube-api-burst=100000"];
  await using _scheduler = await startKubeScheduler(server, unlimited);
  const sources = { clock: systemClock, random: systemRandom, logger: silentLogger };
  await using informers = createInformerFactory({ ...sources, client });
  const informer = informers.informer(PODS, { namespace: NAMESPACE });
  await informer.synced;
  await using load = await PodLoad.start({ target, pods, connections });
  const startMs = performance.now();
  const bound = untilBound(informer, pods);
  load.go();
  await bound;
  return Math.round((pods * 1_000) / (performance.now() - startMs));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "500" },
      pods: { type: "string", default: "5000" },
      connections: { type: "string", default: "32" },
    },
  });
  const skip = kubeApiServerSkip() || kubeControllersSkip();
  if (skip) {
    console.error(`Cannot compare: ${skip}`);
    return 1;
  }
  const size = { nodes: Number(values.nodes), pods: Number(values.pods) };
  const load = { connections: Number(values.connections) };
  const { perSecond } = await benchHttp(size, load);
  const theirs = await benchKubernetes(size, load);
  console.log(
    comparisonTable(
      [ROW],
      [
        { name: "Nephos", figures: { [ROW.name]: perSecond } },
        { name: "Kubernetes 1.20", figures: { [ROW.name]: theirs } },
      ],
    ),
  );
  return 0;
}

if (runsAsShipped()) {
  // Nothing of an in-process cluster keeps the process alive by itself.
  const alive = setInterval(() => undefined, 1_000);
  process.exitCode = await interruptible(main);
  clearInterval(alive);
}
