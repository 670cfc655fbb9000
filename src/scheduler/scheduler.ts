import { isConflict, isNotFound } from "../api/errors.ts";
import { NAMESPACES, NODES, PODS } from "../api/generated/resources.ts";
import type { Node, Pod } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { Change, InformerFactory } from "../client/informer.ts";
import { type Clock, formatTime, type Timer } from "../lib/clock.ts";
import { deepEqual } from "../lib/deep-equal.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { ClusterState } from "./cluster-state.ts";
import { type PodProfile, profileOf } from "./pod-profile.ts";
import { type Decision, failureMessage, schedule } from "./schedule.ts";
import { SchedulingQueue, type WakeUp } from "./scheduling-queue.ts";

/** Decisions run for at most this long before other work gets a turn. */
const TURN_MS = 5;

/** What the scheduler speaks through; everything is injected. */
export interface SchedulerOptions {
  client: Client;
  informers: InformerFactory;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Pods that name another scheduler are left alone. Defaults to "default-scheduler". */
  name?: string;
}

/**
 * Binds pods to nodes until disposed. Decides on a pod in the same turn in which the informer
 * shows it; binds concurrently, with every decision assumed at once, so that a burst of pods never
 * shares a place twice. Writes only through `pods/binding` and the PodScheduled condition.
 */
export function runScheduler(options: SchedulerOptions): Disposable {
  const loop = new SchedulerLoop(options);
  loop.start();
  return loop;
}

class SchedulerLoop implements Disposable {
  readonly #options: SchedulerOptions;
  readonly #state = new ClusterState();
  readonly #queue = new SchedulingQueue();
  /** Last seen pods that wait, for events and conditions. */
  readonly #waiting = new Map<string, Pod>();
  /** UIDs whose binding is on its way or accepted but not yet shown by the informer. */
  readonly #assumed = new Set<string>();
  readonly #subscriptions: Disposable[] = [];
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #turnPlanned = false;
  #synced = false;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  start(): void {
    const { informers, logger } = this.#options;
    const nodes = informers.informer(NODES);
    const pods = informers.informer(PODS);
    const namespaces = informers.informer(NAMESPACES);
    this.#subscriptions.push(
      nodes,
      pods,
      namespaces,
      namespaces.onChange(({ type, object }) => {
        const labels = type === "deleted" ? undefined : (object.metadata?.labels ?? {});
        this.#state.setNamespace(object.metadata?.name ?? "", labels);
      }),
      nodes.onChange((change) => this.#nodeChanged(change)),
      pods.onChange((change) => this.#podChanged(change)),
    );
    void Promise.all([nodes.synced, pods.synced, namespaces.synced]).then(
      () => {
        this.#synced = true;
        this.#planTurn();
      },
      (error: unknown) => logger.error("scheduler could not start", { error }),
    );
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  #nodeChanged(change: Change<Node>): void {
    if (change.type === "deleted") {
      this.#state.removeNode(change.object.metadata?.name ?? "");
      return;
    }
    if (change.type === "updated" && !isRelevantChange(change.previous, change.object)) return;
    this.#state.setNode(change.object);
    this.#wakeUp(change.type === "added" ? "node-added" : "node-changed");
  }

  #podChanged(change: Change<Pod>): void {
    const pod = change.object;
    const uid = pod.metadata?.uid ?? "";
    const phase = pod.status?.phase;
    const over = change.type === "deleted" || phase === "Succeeded" || phase === "Failed";
    if (over) {
      this.#forget(uid);
      if (this.#state.removePod(uid)) this.#wakeUp("pod-removed");
      return;
    }
    if (pod.spec?.nodeName) {
      const fresh = change.type === "added" || !change.previous.spec?.nodeName;
      const labelsChanged =
        change.type === "updated" && change.previous.metadata?.labels !== pod.metadata?.labels;
      const terminates =
        change.type === "updated" &&
        change.previous.metadata?.deletionTimestamp !== pod.metadata?.deletionTimestamp;
      this.#forget(uid);
      if (!fresh && !labelsChanged && !terminates) return;
      this.#state.addPod(profileOf(pod), pod.spec.nodeName);
      this.#wakeUp("pod-added");
      return;
    }
    this.#pendingPodChanged(change);
  }

  #pendingPodChanged(change: Change<Pod>): void {
    const pod = change.object;
    const uid = pod.metadata?.uid ?? "";
    if (this.#assumed.has(uid)) return;
    const ours = (pod.spec?.schedulerName || "default-scheduler") === this.#name;
    const gated = (pod.spec?.schedulingGates?.length ?? 0) > 0;
    if (!ours || gated || pod.metadata?.deletionTimestamp) {
      this.#forget(uid);
      return;
    }
    const known = this.#waiting.get(uid);
    this.#waiting.set(uid, pod);
    const same =
      known !== undefined &&
      deepEqual(known.spec, pod.spec) &&
      deepEqual(known.metadata?.labels ?? {}, pod.metadata?.labels ?? {});
    if (same && this.#queue.has(uid)) return;
    this.#queue.add(profileOf(pod), this.#now());
    this.#planTurn();
  }

  get #name(): string {
    return this.#options.name ?? "default-scheduler";
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #forget(uid: string): void {
    this.#assumed.delete(uid);
    this.#waiting.delete(uid);
    this.#queue.remove(uid);
  }

  #wakeUp(change: WakeUp): void {
    if (this.#queue.size === 0) return;
    this.#queue.wakeUp(change, this.#now());
    this.#planTurn();
  }

  /** A microtask: after the informer's delivery, before any other work. */
  #planTurn(): void {
    if (this.#turnPlanned || !this.#synced || this.#stopped) return;
    this.#turnPlanned = true;
    queueMicrotask(() => {
      this.#turnPlanned = false;
      if (!this.#stopped) this.#turn();
    });
  }

  #turn(): void {
    const begunMs = this.#now();
    const waitMs = this.#queue.advance(begunMs);
    for (let pod = this.#queue.next(); pod; pod = this.#queue.next()) {
      this.#decide(pod);
      if (this.#now() - begunMs > TURN_MS) {
        this.#wakeLater(0);
        return;
      }
    }
    if (waitMs !== undefined) this.#wakeLater(waitMs);
  }

  #wakeLater(delayMs: number): void {
    if (this.#stopped) return;
    const atMs = this.#now() + delayMs;
    if (this.#timer && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#planTurn();
    });
  }

  #decide(pod: PodProfile): void {
    const { random, logger } = this.#options;
    const decision = schedule(this.#state, pod, random);
    if (decision.node !== undefined) {
      this.#assumed.add(pod.uid);
      this.#state.addPod(pod, decision.node);
      this.#bind(pod, decision.node).catch((error: unknown) => {
        logger.error("binding failed", { pod: pod.name, error });
      });
      return;
    }
    this.#queue.refused(pod.uid, { rejectedBy: decision.rejectedBy, nowMs: this.#now() });
    const waitMs = this.#queue.advance(this.#now());
    if (waitMs !== undefined) this.#wakeLater(waitMs);
    this.#tellRefusal(pod, decision).catch((error: unknown) => {
      if (!isNotFound(error)) logger.warn("condition not written", { pod: pod.name, error });
    });
  }

  async #bind(pod: PodProfile, node: string): Promise<void> {
    const { client, events } = this.#options;
    const { uid, name, namespace } = pod;
    const about = this.#waiting.get(uid);
    try {
      await client.for(PODS).post({ name, namespace }, "binding", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { apiVersion: "v1", kind: "Node", name: node },
      });
    } catch (error) {
      // The informer may have told of the pod's end, or of its place, in the meantime.
      if (this.#assumed.delete(uid)) {
        this.#state.removePod(uid);
        this.#wakeUp("pod-removed");
      }
      this.#queue.failed(uid, this.#now());
      this.#wakeLater(0);
      if (isConflict(error) || isNotFound(error)) return;
      throw error;
    }
    this.#queue.remove(uid);
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    if (about) {
      events.record({ about: kinded(about), type: "Normal", reason: "Scheduled", message });
    }
  }

  async #tellRefusal(
    pod: PodProfile,
    decision: Extract<Decision, { node: undefined }>,
  ): Promise<void> {
    const { client, clock, events } = this.#options;
    const about = this.#waiting.get(pod.uid);
    if (!about) return;
    const message = failureMessage(decision);
    const reason = "FailedScheduling";
    events.record({ about: kinded(about), type: "Warning", reason, message });
    const wanted = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
    const known = about.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (known?.status === "False" && known.reason === wanted.reason) {
      if (known.message === message) return;
    }
    const since = known?.status === "False" ? known.lastTransitionTime : undefined;
    const condition = { ...wanted, lastTransitionTime: since ?? formatTime(clock.now()) };
    await client
      .for(PODS)
      .patch(
        { name: pod.name, namespace: pod.namespace },
        { metadata: { uid: pod.uid }, status: { conditions: [condition] } },
        { type: "strategic", subresource: "status" },
      );
  }
}

function kinded(pod: Pod): object {
  return { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
}

/** Heartbeats change a node's status all the time; only these parts decide on placement. */
function isRelevantChange(before: Node, after: Node): boolean {
  return !(
    deepEqual(before.spec ?? {}, after.spec ?? {}) &&
    deepEqual(before.metadata?.labels ?? {}, after.metadata?.labels ?? {}) &&
    deepEqual(before.status?.allocatable ?? {}, after.status?.allocatable ?? {}) &&
    deepEqual(before.status?.images ?? [], after.status?.images ?? [])
  );
}
