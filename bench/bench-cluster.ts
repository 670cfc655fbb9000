import path from "node:path";
import { makeScratchDirectory } from "../scripts/scratch-directory.ts";
import { NAMESPACES, NODES, PODS } from "../src/api/generated/resources.ts";
import type { Pod } from "../src/api/generated/types/core-v1.ts";
import { ensurePki, type Pki } from "../src/apiserver/pki/pki.ts";
import type { Client } from "../src/client/client.ts";
import { createInformerFactory } from "../src/client/informer-factory.ts";
import type { Informer, InformerFactory } from "../src/client/informer.ts";
import { createClient } from "../src/client/resource-client.ts";
import { type ApiPart, startApiPart } from "../src/cmd/api-part.ts";
import { planClusterNetwork } from "../src/cmd/cluster-network.ts";
import { controllerRoles, controllerUser } from "../src/cmd/controller-identity.ts";
import { startControllersPart, startSchedulerPart } from "../src/cmd/controllers-part.ts";
import { builtInControllers } from "../src/controllers/built-in.ts";
import { Cleanup } from "../src/lib/cleanup.ts";
import { silentLogger } from "../src/lib/logger.ts";
import { openLmdbStore } from "../src/store/lmdb/lmdb-store.ts";
import { systemClock } from "../src/sys/clock.ts";
import { systemRandom } from "../src/sys/random.ts";

/** Namespace of everything that a benchmark creates. */
export const NAMESPACE = "bench";

const sources = { clock: systemClock, random: systemRandom };
const logger = silentLogger;
/** Requests under way at once while a cluster is filled. */
const WRITERS = 256;

/** A real control plane over a durable store in a directory of its own; its nodes are data. */
export class BenchCluster implements AsyncDisposable {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly pki: Pki;
  readonly port: number;
  readonly pods: Informer<Pod>;
  readonly #api: ApiPart;
  readonly #running: Cleanup;

  private constructor(of: {
    api: ApiPart;
    pki: Pki;
    port: number;
    informers: InformerFactory;
    running: Cleanup;
  }) {
    this.#api = of.api;
    this.client = of.api.client;
    this.pki = of.pki;
    this.port = of.port;
    this.informers = of.informers;
    this.#running = of.running;
    this.pods = of.informers.informer(PODS);
  }

  static async open(): Promise<BenchCluster> {
    const running = new Cleanup();
    const { path: directory } = running.use(makeScratchDirectory("nephos-bench"));
    const network = planClusterNetwork({
      clusterCidr: "10.244.0.0/16",
      serviceCidr: "10.96.0.0/16",
      clusterDomain: "cluster.local",
    });
    const pki = await ensurePki(path.join(directory, "pki"), {
      ...sources,
      addresses: { server: ["127.0.0.1"], serviceIp: network.apiServerIp, nodes: [] },
    });
    const store = running.use(
      await openLmdbStore({ directory: path.join(directory, "store"), clock: systemClock }),
    );
    const listeners: { host: string; port: number; flag: string }[] = [];
    const parts = { store, pki, network, podSecurity: "privileged", listeners, logger } as const;
    const api = running.use(await startApiPart(parts));
    const { certPem: cert, keyPem: key } = pki.server;
    const clientCa = pki.ca.pem.certPem;
    const { port } = await api.server.listen({ host: "127.0.0.1", port: 0, cert, key, clientCa });
    const informers = createInformerFactory({ ...sources, client: api.client, logger });
    running.use(informers);
    const cluster = new BenchCluster({ api, pki, port, informers, running });
    await cluster.pods.synced;
    await cluster.client.for(NAMESPACES).create({ metadata: { name: NAMESPACE } });
    return cluster;
  }

  startScheduler(): void {
    const { client, informers } = this;
    this.#running.use(startSchedulerPart({ client, informers, logger }));
  }

  async startControllers(): Promise<void> {
    const { client, informers } = this;
    const definitions = builtInControllers({ client, caPem: this.pki.ca.pem.certPem });
    await this.#api.bootstrap(controllerRoles(definitions));
    const clientOf = (name: string) => createClient(this.#api.transport(controllerUser(name)));
    this.#running.use(startControllersPart(definitions, { client, informers, logger, clientOf }));
  }

  addNodes(count: number): Promise<void> {
    return addNodes(this.client, count);
  }

  async addPods(count: number, more: { nodes?: number } = {}): Promise<void> {
    const { nodes } = more;
    await inParallel(count, (i) => {
      const pod = podOf(`pod-${i}`);
      if (nodes) pod.spec = { ...pod.spec, nodeName: `node-${i % nodes}` } as Pod["spec"] & {};
      return this.client.for(PODS).create(pod);
    });
  }

  /** Resolves when so many pods are on a node, as the watch shows it. */
  bound(count: number): Promise<void> {
    return untilBound(this.pods, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}

/** Creates nodes that are ready for pods. */
export async function addNodes(client: Client, count: number): Promise<void> {
  const lastHeartbeatTime = new Date().toISOString().replace(/\.\d+/, "");
  const amounts = { cpu: "32", memory: "256Gi", pods: "110" };
  const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime }];
  const status = { capacity: amounts, allocatable: amounts, conditions };
  const nodes = client.for(NODES);
  await inParallel(count, async (i) => {
    const name = `node-${i}`;
    const labels = {
      "kubernetes.io/hostname": name,
      "topology.kubernetes.io/zone": `zone-${i % 10}`,
    };
    await nodes.create({ metadata: { name, labels } });
    await nodes.patch({ name }, { status }, { type: "strategic", subresource: "status" });
    // What the node controller does to a node that got ready.
    await nodes.patch({ name }, { spec: { taints: null } });
  });
}

/** Resolves when so many pods more are on a node, as the informer shows it. */
export function untilBound(pods: Informer<Pod>, count: number): Promise<void> {
  let left = count;
  const { promise, resolve } = deferred();
  const subscription = pods.onChange((change) => {
    const { object } = change;
    if (change.type === "deleted" || !object.spec?.nodeName) return;
    if (change.type === "updated" && change.previous.spec?.nodeName) return;
    if (--left === 0) resolve();
  });
  return promise.finally(() => subscription[Symbol.dispose]());
}

/** A pod of about 1.4 KB once it is stored. */
export function podOf(name: string): Pod {
  return {
    metadata: { name, namespace: NAMESPACE, labels: { app: "bench" } },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: "pause",
          image: "registry.k8s.io/pause:3.9",
          resources: { requests: { cpu: "100m", memory: "100Mi" } },
        },
      ],
    },
  };
}

/** Runs `work` so many times, some at once. */
export async function inParallel(
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: Math.min(WRITERS, count) }, worker));
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
