import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, PODS } from "../api/generated/resources.ts";
import type { HorizontalPodAutoscalerSpec } from "../api/generated/types/autoscaling-v2.ts";
import {
  addService,
  type AggregatedWorld,
  startAggregated,
  until,
} from "../apiserver/aggregation/extension-fixture.ts";
import { runController } from "../client/controller-runner.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { createClient } from "../client/resource-client.ts";
import { horizontalPodAutoscalerController } from "../controllers/horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";

const CUSTOM = "/apis/custom.metrics.k8s.io/v1beta1";
const EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1";
const WEB = { name: "web", namespace: "default" };
const REPLICAS = 2;

/** What a metrics adapter answers; the values may be changed at any time. */
class Adapter {
  perPod = "300m";
  hits = "40";
  queues = ["20", "15"];
  readonly asked: string[] = [];

  page(url: string): object | undefined {
    if (url === CUSTOM || url === EXTERNAL) {
      const groupVersion = url.slice("/apis/".length);
      return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: [] };
    }
    const { pathname } = new URL(url, "http://adapter");
    const items = this.#items(pathname);
    if (items) this.asked.push(decodeURIComponent(url));
    return items && { items };
  }

  #items(path: string): object[] | undefined {
    const timestamp = new Date().toISOString();
    const value = (name: string, text: string) => {
      return { describedObject: { name, namespace: "default" }, timestamp, value: text };
    };
    const inNamespace = `${CUSTOM}/namespaces/default`;
    switch (path) {
      case `${inNamespace}/pods/*/requests`:
        return Array.from({ length: REPLICAS }, (_, at) => value(`web-${at}`, this.perPod));
      case `${inNamespace}/services/web/hits`:
        return [value("web", this.hits)];
      case `${EXTERNAL}/namespaces/default/queue`:
        return this.queues.map((text) => ({ metricName: "queue", timestamp, value: text }));
      default:
        return undefined;
    }
  }
}

async function register({ api, extension }: AggregatedWorld, group: string): Promise<void> {
  const name = `v1beta1.${group}`;
  const path = "/apis/apiregistration.k8s.io/v1/apiservices";
  await api.ask("POST", path, {
    metadata: { name },
    spec: {
      group,
      version: "v1beta1",
      service: { name: "api", namespace: "default" },
      caBundle: extension.caBundle,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  });
  await until(async () => {
    const { status } = await api.ask("GET", `${path}/${name}`);
    const { conditions = [] } = status as { conditions?: { status: string }[] };
    return conditions.some((condition) => condition.status === "True") || undefined;
  });
}

interface Scaled extends AsyncDisposable {
  adapter: Adapter;
  /** Lets the autoscaler look again, until the Deployment wants as many. */
  untilReplicas(wanted: number): Promise<void>;
  advance(forMs: number): Promise<void>;
}

/** A Deployment of two pods on a real API server, and an autoscaler for it. */
async function start(
  metrics: HorizontalPodAutoscalerSpec["metrics"],
  behavior: HorizontalPodAutoscalerSpec["behavior"] = {},
): Promise<Scaled> {
  await using cleanup = new Cleanup();
  const adapter = new Adapter();
  const world = cleanup.use(await startAggregated((url) => adapter.page(url), Date.now()));
  const { clock, transport } = world.api;
  await addService(world);
  for (const kind of ["custom", "external"]) await register(world, `${kind}.metrics.k8s.io`);
  const client = createClient(transport);
  const labels = { app: "web" };
  const containers = [{ name: "c", image: "app" }];
  await client.for(DEPLOYMENTS).create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: WEB,
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  });
  const status = { replicas: REPLICAS };
  await client.for(DEPLOYMENTS).patch(WEB, { status }, { subresource: "status" });
  for (let at = 0; at < REPLICAS; at++) {
    const metadata = { name: `web-${at}`, namespace: "default", labels };
    await client
      .for(PODS)
      .create({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers } });
    const lastTransitionTime = "2024-12-31T00:00:01Z";
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
    const running = { phase: "Running", startTime: "2024-12-31T00:00:00Z", conditions };
    await client.for(PODS).patch(metadata, { status: running }, { subresource: "status" });
  }
  await client.for(HORIZONTAL_POD_AUTOSCALERS).create({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: WEB,
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 10,
      metrics: metrics ?? [],
      behavior,
    },
  });
  const shared = { client, clock, random: seededRandom(1), logger: silentLogger };
  const informers = cleanup.use(createInformerFactory(shared));
  const deps = { ...shared, informers, events: { record: () => {} } };
  cleanup.use(runController(horizontalPodAutoscalerController(), deps));
  await Promise.all([
    informers.informer(HORIZONTAL_POD_AUTOSCALERS).synced,
    informers.informer(PODS).synced,
  ]);
  await clock.advance(16_000);
  const running = cleanup.move();
  const replicas = async () => (await client.for(DEPLOYMENTS).get(WEB)).spec?.replicas ?? 0;
  return {
    adapter,
    advance: (forMs) => clock.advance(forMs),
    untilReplicas: (wanted) =>
      until(async () => ((await replicas()) === wanted ? true : undefined)).then(() => {}),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

const average = (averageValue: string) => ({ type: "AverageValue", averageValue });

test("a metric of the pods comes from the adapter of custom metrics", async () => {
  const metric = { name: "requests", selector: { matchLabels: { verb: "GET" } } };
  await using at = await start([{ type: "Pods", pods: { metric, target: average("100m") } }]);
  await at.untilReplicas(6);
  assert.match(at.adapter.asked[0] ?? "", /labelSelector=app=web&metricLabelSelector=verb=GET$/);
});

test("of several metrics the greatest wish counts: of an object, from outside", async () => {
  const describedObject = { apiVersion: "v1", kind: "Service", name: "web" };
  const metric = { name: "hits" };
  await using at = await start([
    { type: "Object", object: { describedObject, metric, target: average("10") } },
    { type: "External", external: { metric: { name: "queue" }, target: average("7") } },
  ]);
  await at.untilReplicas(5);
  at.adapter.hits = "80";
  await at.advance(15_000);
  await at.untilReplicas(8);
});

test("policies of the behaviour slow the growth", async () => {
  const metric = { name: "requests" };
  const policies = [{ type: "Pods", value: 1, periodSeconds: 60 }];
  const behavior = { scaleUp: { stabilizationWindowSeconds: 0, policies } };
  const metrics = [{ type: "Pods", pods: { metric, target: average("100m") } }];
  await using at = await start(metrics, behavior);
  await at.untilReplicas(3);
  await at.advance(61_000);
  await at.untilReplicas(4);
});
