import { isNotFound } from "../api/errors.ts";
import { NODES, PODS } from "../api/generated/resources.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { Change, Informer, InformerFactory } from "../client/informer.ts";
import { type Clock, formatTime, type Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";

const HEARTBEAT_MS = 10_000;

/** What fake nodes speak through. */
export interface FakeNodesOptions {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  logger: Logger;
}

/** Nodes that run nothing: a bound pod is Running and Ready at once, a deleted one gone at once. */
export class FakeNodes implements Disposable {
  readonly #options: FakeNodesOptions;
  readonly #pods: Informer<Pod>;
  readonly #subscription: Disposable;
  readonly #alive = new Map<string, Timer | undefined>();
  #addresses = 0;
  #stopped = false;

  constructor(options: FakeNodesOptions) {
    this.#options = options;
    this.#pods = options.informers.informer(PODS);
    this.#subscription = this.#pods.onChange((change) => this.#changed(change));
  }

  /** Registers a node and keeps its heartbeat going. */
  async add(name: string, capacity: { cpu?: string; memory?: string } = {}): Promise<void> {
    const { cpu = "4", memory = "8Gi" } = capacity;
    const amounts = { cpu, memory, pods: "110" };
    await this.#options.client.for(NODES).create({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name } },
    });
    this.#alive.set(name, undefined);
    const conditions = this.#conditions();
    const status = { capacity: amounts, allocatable: amounts, conditions };
    await this.#options.client
      .for(NODES)
      .patch({ name }, { status }, { type: "strategic", subresource: "status" });
    this.#beatLater(name);
  }

  /** The node falls silent: no heartbeat, no pod of it changes any more. */
  silence(name: string): void {
    this.#alive.get(name)?.cancel();
    this.#alive.delete(name);
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    for (const name of this.#alive.keys()) this.silence(name);
    this.#subscription[Symbol.dispose]();
    this.#pods[Symbol.dispose]();
  }

  #conditions() {
    const lastHeartbeatTime = formatTime(this.#options.clock.now());
    return [{ type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime }];
  }

  #beatLater(name: string): void {
    const { client, clock } = this.#options;
    const timer = clock.setTimer(HEARTBEAT_MS, () => {
      const status = { conditions: this.#conditions() };
      this.#beatLater(name);
      this.#run(() =>
        client.for(NODES).patch({ name }, { status }, { type: "strategic", subresource: "status" }),
      );
    });
    this.#alive.set(name, timer);
  }

  #changed(change: Change<Pod>): void {
    const { object: pod } = change;
    const { name = "", namespace, deletionTimestamp, uid = "" } = pod.metadata ?? {};
    if (change.type === "deleted" || !this.#alive.has(pod.spec?.nodeName ?? "")) return;
    const pods = this.#options.client.for(PODS);
    const ref = { name, namespace };
    if (deletionTimestamp) {
      this.#run(() => pods.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid } }));
    } else if ((pod.status?.phase ?? "Pending") === "Pending") {
      const status = this.#running();
      this.#run(() =>
        pods.patch(
          ref,
          { metadata: { uid }, status },
          { type: "strategic", subresource: "status" },
        ),
      );
    }
  }

  #running(): object {
    const podIP = `10.244.0.${++this.#addresses}`;
    const lastTransitionTime = formatTime(this.#options.clock.now());
    const condition = (type: string) => ({ type, status: "True", lastTransitionTime });
    const conditions = ["Ready", "ContainersReady", "PodScheduled"].map(condition);
    return { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
  }

  #run(work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      if (!isNotFound(error) && !this.#stopped) {
        this.#options.logger.warn("fake node failed", { error });
      }
    });
  }
}
