import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPLOYMENTS, PODS, REPLICA_SETS } from "../api/generated/resources.ts";
import type { Deployment } from "../api/generated/types/apps-v1.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import type { Client } from "../client/client.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { runController } from "../client/controller-runner.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { refOf } from "./ownership.ts";
import { replicaSetController } from "./replica-set/replica-set-controller.ts";

/** Delivers watch events late, as a busy server or a slow connection would. */
class LaggingTransport implements Transport {
  readonly #inner: Transport;
  readonly #clock: VirtualClock;
  readonly #lagMs: number;

  constructor(inner: Transport, clock: VirtualClock, lagMs: number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    return this.#inner.request(request);
  }

  watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
    return this.#inner.watch(request, {
      event: (type, object) => {
        this.#clock.setTimer(this.#lagMs, () => sink.event(type, object));
      },
      closed: (error) => sink.closed(error),
    });
  }
}

interface Bench extends AsyncDisposable {
  clock: VirtualClock;
  client: Client;
  memory: MemoryTransport;
  pods(): Promise<Pod[]>;
  /** Marks every pod Running and Ready, as a node would. */
  runPods(): Promise<void>;
}

function bench(definitions: ControllerDefinition[], lagMs = 0): Bench {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const client = createClient(memory);
  const seen = createClient(lagMs > 0 ? new LaggingTransport(memory, clock, lagMs) : memory);
  const random = seededRandom(3);
  const shared = { client: seen, clock, random, logger: silentLogger };
  const informers = createInformerFactory(shared);
  const deps = { ...shared, informers, events: { record: () => {} } };
  const running = definitions.map((definition) => runController(definition, deps));
  const pods = async () => (await client.for(PODS).list()).items;
  return {
    clock,
    client,
    memory,
    pods,
    async runPods() {
      for (const pod of await pods()) {
        if (pod.status?.phase === "Running") continue;
        const lastTransitionTime = new Date(clock.now()).toISOString();
        const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
        await client
          .for(PODS)
          .patch(
            refOf(pod),
            { status: { phase: "Running", conditions } },
            { subresource: "status" },
          );
      }
    },
    async [Symbol.asyncDispose]() {
      for (const one of running) await one[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}

function deployment(image: string, replicas: number): Deployment {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image }] } },
    },
  };
}

const images = (pods: Pod[]) => pods.map(({ spec }) => spec?.containers[0]?.image);
const web = { name: "web", namespace: "default" };

async function rollOut(at: Bench, wanted: string, limit = 60): Promise<number> {
  let most = 0;
  for (let round = 0; round < limit; round++) {
    await at.clock.advance(2000);
    await at.runPods();
    const pods = await at.pods();
    most = Math.max(most, pods.length);
    if (pods.length === 3 && images(pods).every((image) => image === wanted)) break;
  }
  await at.clock.advance(5000);
  return most;
}

for (const lagMs of [0, 300]) {
  test(`a deployment of three rolls out and back with watches ${lagMs} ms late`, async () => {
    await using at = bench([deploymentController(), replicaSetController()], lagMs);
    await at.client.for(DEPLOYMENTS).create(deployment("v1", 3));
    await at.clock.advance(5000);
    assert.deepEqual(images(await at.pods()), ["v1", "v1", "v1"]);
    await rollOut(at, "v1");
    await at.client
      .for(DEPLOYMENTS)
      .patch(web, { spec: { template: deployment("v2", 3).spec?.template } });
    const most = await rollOut(at, "v2");
    assert.deepEqual(images(await at.pods()), ["v2", "v2", "v2"]);
    assert.ok(most <= 4, `at most one pod of surge, saw ${most} pods`);
    const done = await at.client.for(DEPLOYMENTS).get(web);
    assert.equal(done.metadata?.annotations?.["deployment.kubernetes.io/revision"], "2");
    assert.deepEqual(
      [done.status?.replicas, done.status?.updatedReplicas, done.status?.availableReplicas],
      [3, 3, 3],
    );
    assert.equal(
      done.status?.conditions?.find(({ type }) => type === "Progressing")?.reason,
      "NewReplicaSetAvailable",
    );
    const sets = (await at.client.for(REPLICA_SETS).list()).items;
    assert.deepEqual(
      sets.map(({ spec }) => spec?.replicas ?? 0).toSorted((a, b) => a - b),
      [0, 3],
    );
  });

  test(`a settled deployment writes nothing, with watches ${lagMs} ms late`, async () => {
    await using at = bench([deploymentController(), replicaSetController()], lagMs);
    await at.client.for(DEPLOYMENTS).create(deployment("v1", 3));
    await rollOut(at, "v1");
    const writes = () => at.memory.requests.filter(({ method }) => method !== "GET").length;
    const before = writes();
    await at.clock.advance(700_000);
    assert.equal(writes(), before);
  });

  test(`exactly as many pods are created as are missing, ${lagMs} ms late`, async () => {
    await using at = bench([deploymentController(), replicaSetController()], lagMs);
    await at.client.for(DEPLOYMENTS).create(deployment("v1", 30));
    await at.clock.advance(20_000);
    const created = at.memory.requests.filter(
      ({ method, path }) => method === "POST" && path.endsWith("/pods"),
    );
    assert.equal(created.length, 30);
    await at.client.for(DEPLOYMENTS).patch(web, { spec: { replicas: 2 } });
    await at.clock.advance(20_000);
    assert.equal((await at.pods()).length, 2);
  });
}

test("a deleted pod is replaced without any delay", async () => {
  await using at = bench([deploymentController(), replicaSetController()]);
  await at.client.for(DEPLOYMENTS).create(deployment("v1", 2));
  await at.clock.advance(1000);
  const [first] = await at.pods();
  await at.client.for(PODS).delete(refOf(first as Pod));
  await at.clock.advance(0);
  assert.equal((await at.pods()).length, 2);
});
