import { isNotFound } from "../api/errors.ts";
import { NODES, PODS } from "../api/generated/resources.ts";
import type { Pod, Taint } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { Change, Informer, InformerFactory } from "../client/informer.ts";
import { type Clock, formatTime, type Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { fakePodStatus } from "./fake-pod-status.ts";

const HEARTBEAT_MS = 10_000;
const RETRY_MS = 1_000;

/** A pod with this annotation ends by itself after so many milliseconds. */
export const RUN_MS = "sim.nephos.dev/run-ms";
/** So many pods of one owner fail before one succeeds; with "-1" all fail. */
export const FAILURES = "sim.nephos.dev/failures";

/** What fake nodes speak through. */
export interface FakeNodesOptions {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  logger: Logger;
  /** From binding to Running, and again to Ready; 0 by default. */
  startMs?: number;
  /** From deletion to the end of the containers; 0 by default. */
  stopMs?: number;
}

/** Nodes that run nothing, but tell of their pods as if they did. */
export class FakeNodes implements Disposable {
  readonly #options: FakeNodesOptions;
  readonly #pods: Informer<Pod>;
  readonly #subscription: Disposable;
  readonly #alive = new Map<string, Timer | undefined>();
  /** What is to happen to a pod next, by UID. */
  readonly #due = new Map<string, { step: string; timer: Timer }>();
  /** Pods whose containers run, by UID. */
  readonly #running = new Map<string, Pod>();
  readonly #failures = new Map<string, number>();
  /** Pods that vanished from the API while their containers ran. */
  readonly orphaned: string[] = [];
  #addresses = 0;
  #stopped = false;

  constructor(options: FakeNodesOptions) {
    this.#options = options;
    this.#pods = options.informers.informer(PODS);
    this.#subscription = this.#pods.onChange((change) => this.#changed(change));
  }

  /** Registers a node and keeps its heartbeat going. */
  async add(
    name: string,
    { cpu = "4", memory = "8Gi", labels = {}, taints = [] }: NodeShape = {},
  ): Promise<void> {
    const amounts = { cpu, memory, pods: "110" };
    await this.#options.client.for(NODES).create({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
      ...(taints.length > 0 ? { spec: { taints } } : {}),
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

  /** A silent node comes back, with its containers still running. */
  async resume(name: string): Promise<void> {
    this.#alive.set(name, undefined);
    const status = { conditions: this.#conditions() };
    await this.#options.client
      .for(NODES)
      .patch({ name }, { status }, { type: "strategic", subresource: "status" });
    this.#beatLater(name);
    for (const pod of this.#running.values()) {
      const { uid = "", name: podName = "", namespace } = pod.metadata ?? {};
      const gone = this.#pods.get(namespace, podName)?.metadata?.uid !== uid;
      if (pod.spec?.nodeName === name && gone) this.#running.delete(uid);
    }
    for (const pod of this.#pods.list()) if (pod.spec?.nodeName === name) this.#step(pod);
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    for (const name of this.#alive.keys()) this.silence(name);
    for (const { timer } of this.#due.values()) timer.cancel();
    this.#subscription[Symbol.dispose]();
    this.#pods[Symbol.dispose]();
  }

  #conditions() {
    const lastHeartbeatTime = formatTime(this.#options.clock.now());
    const pressures = ["MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => ({
      type,
      status: "False",
      reason: "KubeletHasSufficient",
      lastHeartbeatTime,
    }));
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime };
    return [...pressures, ready];
  }

  #beatLater(name: string): void {
    const { client, clock } = this.#options;
    const timer = clock.setTimer(HEARTBEAT_MS, () => {
      const status = { conditions: this.#conditions() };
      this.#beatLater(name);
      client
        .for(NODES)
        .patch({ name }, { status }, { type: "strategic", subresource: "status" })
        .catch((error: unknown) => this.#failed(error));
    });
    this.#alive.set(name, timer);
  }

  #changed(change: Change<Pod>): void {
    const { object: pod } = change;
    if (change.type === "deleted") this.#gone(pod);
    else this.#step(pod);
  }

  #gone(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    this.#due.get(uid)?.timer.cancel();
    this.#due.delete(uid);
    if (!this.#running.has(uid) || !this.#alive.has(pod.spec?.nodeName ?? "")) return;
    this.#running.delete(uid);
    this.orphaned.push(`${pod.metadata?.namespace}/${pod.metadata?.name}`);
  }

  /** Plans what the pod's node does next; each step happens once. */
  #step(pod: Pod): void {
    const { deletionTimestamp, annotations = {} } = pod.metadata ?? {};
    if (!this.#alive.has(pod.spec?.nodeName ?? "")) return;
    const { startMs = 0, stopMs = 0 } = this.#options;
    const phase = pod.status?.phase ?? "Pending";
    const ended = phase === "Succeeded" || phase === "Failed";
    if (deletionTimestamp) {
      this.#later(pod, { step: "stop", delayMs: ended ? 0 : stopMs }, () => this.#stop(pod));
    } else if (phase === "Pending") {
      this.#later(pod, { step: "start", delayMs: startMs }, () => this.#start(pod));
    } else if (phase === "Running") {
      const isReady = pod.status?.conditions?.some(
        ({ type, status }) => type === "Ready" && status === "True",
      );
      const runMs = annotations[RUN_MS];
      const ready = () => this.#tell(pod, "ready");
      if (!isReady) this.#later(pod, { step: "ready", delayMs: startMs }, ready);
      else if (runMs)
        this.#later(pod, { step: "end", delayMs: Number(runMs) }, () => this.#end(pod));
    }
  }

  #later(pod: Pod, at: { step: string; delayMs: number }, act: () => void): void {
    const uid = pod.metadata?.uid ?? "";
    const due = this.#due.get(uid);
    if (due?.step === at.step) return;
    due?.timer.cancel();
    const fire = () => {
      if (this.#stopped || !this.#alive.has(pod.spec?.nodeName ?? "")) this.#due.delete(uid);
      else act();
    };
    const idle = { cancel: () => {} };
    this.#due.set(uid, { step: at.step, timer: idle });
    if (at.delayMs === 0) fire();
    else {
      const timer = this.#options.clock.setTimer(at.delayMs, fire);
      this.#due.set(uid, { step: at.step, timer });
    }
  }

  #start(pod: Pod): void {
    this.#running.set(pod.metadata?.uid ?? "", pod);
    const { startMs = 0 } = this.#options;
    this.#addresses++;
    const podIP = `10.244.${this.#addresses >> 8}.${this.#addresses & 255}`;
    this.#tell(pod, startMs === 0 ? "ready" : "running", podIP);
  }

  #end(pod: Pod): void {
    const { uid = "", annotations = {}, ownerReferences } = pod.metadata ?? {};
    this.#running.delete(uid);
    const owner = ownerReferences?.[0]?.uid ?? "";
    const failures = this.#failures.get(owner) ?? 0;
    const wanted = Number(annotations[FAILURES] ?? 0);
    const fails = wanted < 0 || failures < wanted;
    if (fails) this.#failures.set(owner, failures + 1);
    this.#tell(pod, fails ? "failed" : "succeeded");
  }

  #stop(pod: Pod): void {
    const { name = "", namespace, uid = "" } = pod.metadata ?? {};
    const ran = this.#running.delete(uid);
    const pods = this.#options.client.for(PODS);
    const ref = { name, namespace };
    const held = (pod.metadata?.finalizers ?? []).length > 0;
    this.#run(pod, async () => {
      // What has to be counted by others is told to have ended first.
      if (ran && held) await this.#patch(pod, "failed");
      await pods.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid } });
    });
  }

  #tell(pod: Pod, to: "running" | "ready" | "failed" | "succeeded", podIP?: string): void {
    this.#run(pod, () => this.#patch(pod, to, podIP));
  }

  async #patch(pod: Pod, to: Parameters<typeof fakePodStatus>[1]["to"], podIP?: string) {
    const { name = "", namespace, uid = "" } = pod.metadata ?? {};
    const nowMs = this.#options.clock.now();
    const status = fakePodStatus(pod, { to, nowMs, podIP });
    await this.#options.client
      .for(PODS)
      .patch(
        { name, namespace },
        { metadata: { uid }, status },
        { type: "strategic", subresource: "status" },
      );
  }

  /** Does something about a pod, and looks at the pod again when that failed. */
  #run(pod: Pod, work: () => Promise<unknown>): void {
    const { name = "", namespace, uid = "" } = pod.metadata ?? {};
    work().catch((error: unknown) => {
      if (isNotFound(error) || this.#stopped) return;
      this.#failed(error);
      this.#later(pod, { step: "again", delayMs: RETRY_MS }, () => {
        this.#due.delete(uid);
        const now = this.#pods.get(namespace, name);
        if (now?.metadata?.uid === uid) this.#step(now);
      });
    });
  }

  #failed(error: unknown): void {
    if (!this.#stopped) this.#options.logger.debug("fake node failed", { error });
  }
}

/** What a fake node has to give. */
export interface NodeShape {
  cpu?: string;
  memory?: string;
  labels?: Record<string, string>;
  taints?: Taint[];
}
