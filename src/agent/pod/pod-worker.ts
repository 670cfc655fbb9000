import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";
import { sleep, type Timer } from "../../lib/clock.ts";
import type { Semaphore } from "../../lib/semaphore.ts";
import type { ContainerResources, ContainerStatus } from "../runtime/contract.ts";
import { isStaticPod } from "../static-pod/contract.ts";
import { expectFirst } from "./expect-container.ts";
import { beginHealth } from "./health.ts";
import { findImage } from "./image-step.ts";
import type { MirrorPods } from "./mirror-pods.ts";
import type { Doom } from "./observation.ts";
import { type Performing, performStep } from "./perform-step.ts";
import { containersOf, identityOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { endingGraceMs } from "./pod-end-plan.ts";
import { messageOf } from "./pod-failure.ts";
import { removeLogs } from "./pod-logs.ts";
import { doomOf } from "./pod-outcome.ts";
import { mustEnd, planPod } from "./pod-plan.ts";
import { lacksVolume, writePodFiles } from "./pod-sandbox.ts";
import { makesReadOnlyBelow } from "./read-only-mounts.ts";
import { containerState, newPodState, type PodState, terminationLogOf } from "./pod-state.ts";
import { podStatus } from "./pod-status.ts";
import { asksForOther, type ResizeVerdict, specAllocations, withAllocations } from "./resize.ts";
import { markResize, runningResources } from "./resize-step.ts";
import { sayBackOff } from "./restart-event.ts";
import { createStatusTeller, type StatusTeller } from "./status-teller.ts";
import { createStatusWriter } from "./status-writer.ts";
import { type Step, stepKey } from "./step.ts";
import { SyncWatch } from "./sync-watch.ts";
import { terminationMessage } from "./termination-message.ts";

/** Makes one pod true, from the moment it is bound until nothing of it is left. */
export interface PodWorker extends AsyncDisposable {
  readonly state: PodState;
  /** Resolves when nothing of the pod is left on the node and the API knows how it ended. */
  readonly released: Promise<void>;
  /** The API's newest view of the pod. */
  update(pod: Pod): void;
  /** The node has more to give: a change of resources that had to wait may be made. */
  reconsiderResize(): void;
  /** What the pod's volumes were waiting for may be there. */
  retryVolumes(): void;
  /** Images came or went: what waits for one looks again. */
  retryImages(): void;
  /** The API no longer has the pod. */
  markGone(): void;
  exited(status: ContainerStatus): void;
  /** Tells of every container of the pod that ends. */
  onExit(handler: (status: ContainerStatus) => void): Disposable;
  /** The pod as the agent knows it now, with its own view of the status. */
  view(): Pod;
  /** Ends the pod as Failed. */
  doom(doom: Doom): void;
  /** Begins nothing of the pod until then. */
  hold(until: Promise<void>): void;
}

/** What all workers of a node share. */
export interface PodWorkerDeps {
  parts: PodParts;
  /** Bounds how many containers are being created at once. */
  startSlots: Semaphore;
  mirrors: MirrorPods;
  /** What the node answers to the resources that its pod asks for at present. */
  mayResize: (pod: Pod) => ResizeVerdict;
  /** Nothing is left of the pod, neither here nor in the API. */
  onFinished: (uid: string) => void;
}

/** What the runtime found of a pod after a start of the agent. */
export interface FoundPod {
  hasSandbox: boolean;
  /** Of its runtime class. */
  handler: string | undefined;
  /** Limits of the sandbox. */
  limits: ContainerResources | undefined;
  containers: readonly ContainerStatus[];
}

const STEP_RETRY: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

/** Starts working at once. */
export function createPodWorker(pod: Pod, deps: PodWorkerDeps, found?: FoundPod): PodWorker {
  const worker = new Worker(pod, deps);
  if (found) worker.adopt(found);
  worker.changed();
  return worker;
}

class Worker implements PodWorker {
  readonly state: PodState;
  readonly released: Promise<void>;
  #tellReleased: () => void = () => {};
  readonly #deps: PodWorkerDeps;
  readonly #parts: PodParts;
  readonly #teller: StatusTeller;
  readonly #syncs: SyncWatch;
  readonly #performing: Performing;
  readonly #stop = new AbortController();
  /** A pod that has to end waits for no image. */
  readonly #pulls = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #exitHandlers = new Set<(status: ContainerStatus) => void>();
  #timer: Timer | undefined;
  #planned = false;

  constructor(pod: Pod, deps: PodWorkerDeps) {
    this.#deps = deps;
    this.#parts = deps.parts;
    this.released = new Promise((resolve) => {
      this.#tellReleased = resolve;
    });
    const { clock, directories } = deps.parts;
    this.state = newPodState(pod, { nowMs: clock.now(), directories });
    const { client, logger, metrics } = deps.parts;
    const onWritten = (written: Pod) => this.update(written);
    const writer = isStaticPod(pod)
      ? deps.mirrors.show(pod)
      : createStatusWriter({ client, clock, logger, metrics, onWritten });
    const { state } = this;
    this.#judgeMounts(undefined);
    metrics.observe("containers_per_pod_count", pod.spec?.containers.length ?? 0);
    this.#syncs = new SyncWatch(state, { clock, metrics });
    this.#teller = createStatusTeller(state, { writer, clock, metrics });
    this.#performing = {
      state,
      parts: deps.parts,
      startSlots: deps.startSlots,
      hooks: this,
      endOfPulls: this.#pulls.signal,
      settled: () => this.#teller.settled(),
      onReleased: () => this.#tellReleased(),
    };
  }

  update(pod: Pod): void {
    // A write's answer and the watch race; the older view must not undo the newer one.
    if (!isNewer(pod, this.state.asked)) return;
    this.state.asked = pod;
    this.reconsiderResize();
    if (this.state.volumes.ready && lacksVolume(this.state)) this.state.volumes = { ready: false };
    this.#parts.volumes.update(pod);
    this.changed();
  }

  reconsiderResize(): void {
    const { state } = this;
    const { asked } = state;
    state.resize = undefined;
    if (asksForOther(asked, state.allocations) && !isStaticPod(asked)) {
      const verdict = this.#deps.mayResize(asked);
      if (verdict === "fits") state.allocations = specAllocations(asked);
      else state.resize = verdict === "deferred" ? "Deferred" : "Infeasible";
    }
    state.pod = withAllocations(asked, state.allocations);
    this.changed();
  }

  retryVolumes(): void {
    const { volumes } = this.state;
    if (volumes.failure) volumes.failure = { ...volumes.failure, retryAtMs: 0 };
    for (const seen of this.state.containers.values()) {
      if (seen.failure) seen.failure = { ...seen.failure, retryAtMs: 0 };
    }
    this.changed();
  }

  retryImages(): void {
    for (const [name, seen] of this.state.containers) {
      // Another image is no reason to ask the registry again.
      const item = seen.imageFailure && this.#item(name);
      const isThere = item && this.#parts.images.find(item.container.image ?? "");
      if (isThere && seen.imageFailure) seen.imageFailure = { ...seen.imageFailure, retryAtMs: 0 };
      // A layer may have been missing.
      if (seen.failure) seen.failure = { ...seen.failure, retryAtMs: 0 };
    }
    this.changed();
  }

  markGone(): void {
    this.state.gone = true;
    this.changed();
  }

  doom(doom: Doom): void {
    this.state.doom ??= doom;
    this.changed();
  }

  hold(until: Promise<void>): void {
    const { state } = this;
    state.held = true;
    const begin = () => {
      state.held = false;
      this.changed();
    };
    until.then(begin, begin);
  }

  view(): Pod {
    const { pod } = this.state;
    const { told } = this.#teller;
    return told ? { ...pod, status: { ...pod.status, ...told } } : pod;
  }

  /** Of a pod with a runtime class, the handler is known with its sandbox. */
  #judgeMounts(handler: string | undefined): void {
    const { pod } = this.state;
    if (pod.spec?.runtimeClassName && handler === undefined) return;
    const { runtime } = this.#parts;
    this.state.makesReadOnlyBelow = makesReadOnlyBelow(pod, { handler, runtime });
  }

  /** Takes over what an earlier agent left running: no container is touched. */
  adopt(found: FoundPod): void {
    const { state } = this;
    const uid = identityOf(state.pod).uid;
    state.podIp = state.pod.spec?.hostNetwork
      ? this.#parts.node.nodeIp
      : this.#parts.network.attachment(uid)?.ip;
    state.sandbox = { ready: found.hasSandbox && state.podIp !== undefined };
    state.podLimits = found.limits;
    this.#judgeMounts(found.handler);
    if (state.sandbox.ready) writePodFiles(state, this.#parts);
    const newestFirst = found.containers.toSorted((a, b) => b.attempt - a.attempt);
    for (const status of newestFirst) {
      const seen = containerState(state, status.name);
      const item = this.#item(status.name);
      // A start that the crash cut short begins again with the same attempt.
      if (status.state === "created" || !item) {
        seen.stale.push(status.id);
      } else if (!seen.current) {
        seen.current = { status, resources: runningResources(state.pod, status) };
        seen.isOfLostSandbox = status.state === "exited" && !state.sandbox.ready;
        if (status.state === "exited") this.#recordExit(item, status);
        else beginHealth(state, item, { parts: this.#parts, hooks: this, adopted: true });
      } else if (!seen.previous) {
        seen.previous = { status };
      } else {
        seen.stale.push(status.id);
      }
    }
  }

  exited(status: ContainerStatus): void {
    const item = this.#item(status.name);
    const seen = this.state.containers.get(status.name);
    const current = seen?.current?.status;
    if (!item || current?.id !== status.id || current.state === "exited") return;
    this.#recordExit(item, status);
    sayBackOff(this.state, item, this.#parts);
    for (const handler of this.#exitHandlers) handler(status);
    this.changed();
  }

  onExit(handler: (status: ContainerStatus) => void): Disposable {
    this.#exitHandlers.add(handler);
    return { [Symbol.dispose]: () => void this.#exitHandlers.delete(handler) };
  }

  #recordExit(item: PodContainer, status: ContainerStatus): void {
    const seen = containerState(this.state, status.name);
    seen.probes?.[Symbol.dispose]();
    seen.probes = undefined;
    seen.health = { started: false, ready: false };
    seen.hookPending = false;
    const file = terminationLogOf(this.state, status.name, status.attempt);
    const message = terminationMessage(item.container, { status, file });
    const { resources, hookFailed } = seen.current ?? {};
    seen.current = { status, terminationMessage: message, resources, hookFailed };
  }

  #item(name: string): PodContainer | undefined {
    return containersOf(this.state.pod).find(({ container }) => container.name === name);
  }

  /** Plans again, once for all that happens until nothing more goes on without the kernel. */
  changed(): void {
    if (this.#planned || this.#stop.signal.aborted) return;
    this.#planned = true;
    // Later than what promises bring: steps mostly end together, as do a write and its watch.
    process.nextTick(() => {
      this.#planned = false;
      if (!this.#stop.signal.aborted) this.#advance();
    });
  }

  #advance(): void {
    const { state } = this;
    const { clock, node } = this.#parts;
    const nowMs = clock.now();
    if (mustEnd({ pod: state.pod, observed: state, nowMs })) this.#beginEnd(nowMs);
    else for (const item of containersOf(state.pod)) findImage(state, item, this.#parts);
    markResize(state, node.rules);
    const { steps, wakeAtMs } = planPod(state.pod, state, nowMs);
    // Before the steps: the one that deletes the pod waits for its last status.
    this.#teller.tell(podStatus(state.pod, state, { nowMs, hostIp: node.nodeIp }));
    if (steps.some((step) => step.do === "create-sandbox")) expectFirst(state, this.#parts);
    for (const step of steps) this.#perform(step);
    this.#timer?.cancel();
    this.#timer =
      wakeAtMs === undefined
        ? undefined
        : clock.setTimer(Math.max(0, wakeAtMs - nowMs), () => this.changed());
    if (state.busy.size > 0) return;
    this.#syncs.rest();
    if (state.gone && state.released) this.#finish();
  }

  #beginEnd(nowMs: number): void {
    const { state } = this;
    const graceMs = endingGraceMs(state.pod, state);
    if (!state.ending) this.#sayDeadline(nowMs);
    if (!state.ending || graceMs < state.ending.graceMs) {
      state.ending = { sinceMs: nowMs, graceMs, round: state.ending ? state.ending.round + 1 : 0 };
    }
    this.#pulls.abort();
  }

  #sayDeadline(nowMs: number): void {
    const { state } = this;
    const doom = doomOf(state.pod, state, nowMs);
    if (!doom || state.doom) return;
    const { reason, message } = doom;
    this.#parts.events.record({ about: referenceTo(state.pod), type: "Normal", reason, message });
  }

  #finish(): void {
    removeLogs(identityOf(this.state.pod), this.#parts);
    this.#parts.metrics.forgetProbes(identityOf(this.state.pod));
    this.#stop.abort();
    this.#teller[Symbol.dispose]();
    this.#deps.onFinished(identityOf(this.state.pod).uid);
  }

  #perform(step: Step): void {
    const key = stepKey(step);
    this.#syncs.begin(step);
    this.state.busy.add(key);
    const done = this.#attempt(step).finally(() => {
      this.state.busy.delete(key);
      this.#running.delete(done);
      this.changed();
    });
    this.#running.add(done);
  }

  /** Steps keep expected failures in the state; what they throw is tried again after a while. */
  async #attempt(step: Step): Promise<void> {
    const { clock, metrics, tracer } = this.#parts;
    const perform = () => performStep(step, this.#performing);
    const pod = identityOf(this.state.pod);
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      const startMs = clock.monotonicMs();
      try {
        await (tracer ? tracer.step(pod, step.do, perform) : perform());
        metrics.observeStage(step.do, (clock.monotonicMs() - startMs) / 1000);
        return;
      } catch (error) {
        const { logger } = this.#parts;
        const { name, namespace } = identityOf(this.state.pod);
        const fields = { pod: `${namespace}/${name}`, step: stepKey(step) };
        logger.error("pod step failed", { ...fields, error: messageOf(error) });
        if (step.do === "stop-container" || step.do === "release") this.#sayNotEnded(error);
        await sleep(clock, backoffDelayMs(STEP_RETRY, attempt), this.#stop.signal);
        if (step.do === "start-container" || step.do === "stop-container") return;
      }
    }
  }

  /** A pod that does not go away says why. */
  #sayNotEnded(error: unknown): void {
    const about = referenceTo(this.state.pod);
    const message = `error killing pod: ${messageOf(error)}`;
    this.#parts.events.record({ about, type: "Warning", reason: "FailedKillPod", message });
  }

  /** Lets go of the pod without touching it: its containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#pulls.abort();
    this.#timer?.cancel();
    this.#teller[Symbol.dispose]();
    for (const container of this.state.containers.values()) container.probes?.[Symbol.dispose]();
    for (const followed of this.state.followed.values()) followed[Symbol.dispose]();
    await Promise.allSettled(this.#running);
  }
}

/** What has no versions, as a pod of a file, counts as newer. */
function isNewer(pod: Pod, than: Pod): boolean {
  const version = pod.metadata?.resourceVersion ?? "";
  const newest = than.metadata?.resourceVersion ?? "";
  if (!/^\d+$/.test(version) || !/^\d+$/.test(newest)) return true;
  return version !== newest && BigInt(version) > BigInt(newest);
}
