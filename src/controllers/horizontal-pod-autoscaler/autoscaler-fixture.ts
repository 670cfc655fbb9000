import { notFound } from "../../api/errors.ts";
import { HORIZONTAL_POD_AUTOSCALERS, PODS } from "../../api/generated/resources.ts";
import type { HorizontalPodAutoscaler } from "../../api/generated/types/autoscaling-v2.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Transport } from "../../api/transport.ts";
import { runController } from "../../client/controller-runner.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler-controller.ts";

const SCALE = "/apis/apps/v1/namespaces/default/deployments/web/scale";
const DEPLOYMENT = { name: "deployments", kind: "Deployment", namespaced: true };

/** What a pod of the cluster is, where it is not as the others are. */
export interface PodFacts {
  isUnready?: boolean;
  /** It has just been started. */
  isNew?: boolean;
  hasFailed?: boolean;
  isLeaving?: boolean;
  request?: number;
}

/** A cluster of one deployment whose pods use what the test says. */
export class Cluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly memory: MemoryTransport = new MemoryTransport();
  replicas: number = 2;
  /** Of each pod, or pod by pod, in thousandths; undefined: the metrics API does not answer. */
  use: number | readonly number[] | undefined = 100;
  /** Of each pod, in thousandths. */
  request: number = 100;
  selector: string = "app=web";
  /** Nobody may change the size. */
  isFixed: boolean = false;
  /** Nobody can read the size. */
  isLost: boolean = false;
  /** By their number. */
  facts: readonly PodFacts[] = [];
  /** Pods that there are, where that is not the size. */
  podCount: number | undefined;
  lastScaleTime: string | undefined;
  readonly events: string[] = [];
  /** Values that adapters answer with, by the path below the version. */
  readonly adapted: Map<string, string[]> = new Map<string, string[]>();
  /** Of the custom metrics. */
  version: string = "v1beta2";

  get transport(): Transport {
    return {
      request: async (request) => {
        const { path, method } = request;
        if (path === "/apis/apps/v1") return { status: 200, body: { resources: [DEPLOYMENT] } };
        if (path === "/apis/apps") return { status: 200, body: { versions: [{ version: "v1" }] } };
        if (path === "/apis/apps/v1beta1") throw notFound(PODS, path);
        const [, , group = "", version, ...rest] = path.split("/");
        if (group.endsWith("al.metrics.k8s.io") || group.startsWith("custom.metrics")) {
          return { status: 200, body: this.#adapter({ group, version, path: rest.join("/") }) };
        }
        if (path === SCALE && (this.isLost || (method === "PUT" && this.isFixed))) {
          throw new Error("something went wrong");
        }
        if (path === SCALE && method === "PUT") {
          this.replicas = (request.body as { spec: { replicas: number } }).spec.replicas;
          await this.#fill();
        }
        if (path === SCALE) return { status: 200, body: this.#scale() };
        if (path.startsWith("/apis/metrics.k8s.io/")) return { status: 200, body: this.#metrics() };
        return this.memory.request(request);
      },
      watch: (request, sink) => this.memory.watch(request, sink),
    };
  }

  #adapter(of: { group: string; version: string | undefined; path: string }): object {
    if (!of.version) return { preferredVersion: { version: this.version } };
    const custom = of.group.startsWith("custom");
    const values = custom && of.version !== this.version ? undefined : this.adapted.get(of.path);
    if (!values) throw notFound(PODS, of.path);
    const timestamp = new Date(this.clock.now()).toISOString();
    return {
      items: values.map((value, at) => {
        return { timestamp, value, describedObject: { name: `web-${at}` } };
      }),
    };
  }

  #scale(): object {
    const status = { replicas: this.podCount ?? this.replicas, selector: this.selector };
    return { kind: "Scale", spec: { replicas: this.replicas }, status };
  }

  #metrics(): object {
    if (this.use === undefined) throw new Error("the server could not find the requested resource");
    const { use } = this;
    const timestamp = new Date(this.clock.now()).toISOString();
    const uses = typeof use === "number" ? Array.from({ length: this.replicas }, () => use) : use;
    const items = uses.map((milli, at) => ({
      metadata: { name: `web-${at}`, namespace: "default" },
      timestamp,
      window: "10s",
      containers: [{ name: "c", usage: { cpu: `${milli}m` } }],
    }));
    return { kind: "PodMetricsList", items };
  }

  async #fill(): Promise<void> {
    const pods = createClient(this.memory).for(PODS);
    const { items } = await pods.list();
    const wanted = this.podCount ?? Math.max(this.replicas, this.facts.length);
    for (let at = items.length; at < wanted; at++) await pods.create(this.#pod(at));
  }

  #pod(at: number): Pod {
    const { isUnready, isNew, hasFailed, isLeaving, request } = this.facts[at] ?? {};
    const cpu = `${request ?? this.request}m`;
    const day = isNew ? "2025-01-01" : "2024-12-31";
    return {
      metadata: {
        name: `web-${at}`,
        namespace: "default",
        labels: { app: "web" },
        ...(isLeaving ? { deletionTimestamp: `${day}T00:00:30Z` } : {}),
      },
      spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] },
      status: {
        phase: hasFailed ? "Failed" : "Running",
        startTime: `${day}T00:00:00Z`,
        conditions: [
          {
            type: "Ready",
            status: isUnready ? "False" : "True",
            lastTransitionTime: `${day}T00:00:${isNew ? "59" : "01"}Z`,
          },
        ],
      },
    };
  }

  async start(more: Partial<HorizontalPodAutoscaler["spec"]> = {}): Promise<AsyncDisposable> {
    await this.#fill();
    const client = createClient(this.transport);
    await client.for(HORIZONTAL_POD_AUTOSCALERS).create({
      metadata: { name: "web", namespace: "default" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        maxReplicas: 5,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
          },
        ],
        ...more,
      },
      ...(this.lastScaleTime && {
        status: {
          lastScaleTime: this.lastScaleTime,
          currentReplicas: this.replicas,
          desiredReplicas: this.replicas,
        },
      }),
    });
    const shared = { client, clock: this.clock, random: seededRandom(1), logger: silentLogger };
    const informers = createInformerFactory(shared);
    const events = {
      record: ({ reason, message }: { reason: string; message: string }) => {
        this.events.push(`${reason}: ${message}`);
      },
    };
    const running = runController(horizontalPodAutoscalerController(), {
      ...shared,
      informers,
      events,
    });
    await this.clock.advance(16_000);
    return {
      [Symbol.asyncDispose]: async () => {
        await running[Symbol.asyncDispose]();
        await informers[Symbol.asyncDispose]();
      },
    };
  }

  /** The use of CPU that the status tells, in per cent. */
  async utilization(): Promise<number | undefined> {
    const client = createClient(this.memory).for(HORIZONTAL_POD_AUTOSCALERS);
    const { status } = await client.get({ namespace: "default", name: "web" });
    const found = status?.currentMetrics?.find(({ type }) => type === "Resource");
    return found?.resource?.current.averageUtilization;
  }

  async status(): Promise<Record<string, string>> {
    const client = createClient(this.memory).for(HORIZONTAL_POD_AUTOSCALERS);
    const { status } = await client.get({ namespace: "default", name: "web" });
    const conditions = status?.conditions ?? [];
    return Object.fromEntries(
      conditions.map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
    );
  }
}
