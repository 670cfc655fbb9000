import { isConflict, isNotFound } from "../api/errors.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { InformerFactory } from "../client/informer.ts";
import type { Clock } from "../lib/clock.ts";
import { ConfigurationFileError } from "../lib/configuration-reader.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import {
  bind,
  BINDINGS_MAX,
  PlacementRefusedError,
  reserve,
  unreserve,
  WaitingPods,
} from "./binding-cycle.ts";
import { type ClusterFeed, feedState } from "./cluster-feed.ts";
import type { ClusterEvent, Placement, PostFilterResult } from "./framework/contract.ts";
import { Extender, type ExtenderTransport } from "./extender/extender.ts";
import { pickWithExtenders } from "./extender/preempt-with-extenders.ts";
import { scheduleWithExtenders } from "./extender/schedule-with-extenders.ts";
import { buildFrameworks } from "./config/build-frameworks.ts";
import {
  DEFAULT_CONFIGURATION,
  type SchedulerConfiguration,
  DEFAULT_NAME,
} from "./config/scheduler-configuration.ts";
import type { PluginFactory } from "./framework/default-plugins.ts";
import type { Framework } from "./framework/framework.ts";
import { PodFeedback } from "./pod-feedback.ts";
import { DisruptionBudgets } from "./preemption/disruption-budgets.ts";
import { preempt } from "./preemption/preemptor.ts";
import type { Candidate } from "./preemption/victims.ts";
import { type PodRecord, ProfileTable } from "./pod/pod-profile.ts";
import { SchedulingQueue } from "./queue/scheduling-queue.ts";
import { type Decision, failureMessage, type NoNode, schedule } from "./schedule.ts";
import { ClusterState } from "./state/cluster-state.ts";
import type { AttemptResult, SchedulerMetrics } from "./scheduler-metrics.ts";
import type { VolumeStage } from "./volumes/volume-binding.ts";
import { TurnPlanner } from "./turn-planner.ts";
import { VolumeCatalog } from "./volumes/volume-catalog.ts";
import { Nominations } from "./state/nominations.ts";

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
  /** Pods that name a scheduler without a profile are left alone. */
  configuration?: SchedulerConfiguration | undefined;
  /** Plugins that the configuration may name beside the built-in ones. */
  plugins?: ReadonlyMap<string, PluginFactory>;
  /** How extenders are asked; needed when the configuration has any. */
  extenderTransport?: ExtenderTransport;
  metrics?: SchedulerMetrics | undefined;
}

/** One try to place a pod. */
interface Attempt {
  beganMs: number;
  /** When the pod was first seen, and which of its tries this is. */
  addedAtMs: number;
  attempts: number;
}

/**
 * Binds pods to nodes until disposed. Decides on a pod in the same turn in which the informer
 * shows it; binds concurrently, with every decision assumed at once, so that a burst of pods never
 * shares a place twice. Writes only through `pods/binding` and the pod's status.
 */
export function runScheduler(options: SchedulerOptions): Disposable {
  const loop = new SchedulerLoop(options);
  loop.start();
  return loop;
}

class SchedulerLoop implements Disposable {
  readonly #options: SchedulerOptions;
  readonly #state = new ClusterState();
  readonly #profiles = new ProfileTable();
  readonly #nominations = new Nominations();
  readonly #budgets = new DisruptionBudgets();
  readonly #catalog = new VolumeCatalog();
  readonly #frameworks: ReadonlyMap<string, Framework>;
  readonly #extenders: readonly Extender[];
  readonly #queue: SchedulingQueue;
  readonly #feedback: PodFeedback;
  readonly #waiting = new WaitingPods();
  /** Placements on their way, or accepted but not yet shown by the informer. */
  readonly #assumed = new Map<string, Placement>();
  #feed: ClusterFeed | undefined;
  readonly #turns: TurnPlanner;
  #bindings = 0;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#feedback = new PodFeedback(options);
    this.#turns = new TurnPlanner(options.clock, () => this.#turn());
    const configuration = options.configuration ?? DEFAULT_CONFIGURATION;
    const { client, clock } = options;
    const failed = (stage: VolumeStage) => options.metrics?.volumesFailed(stage);
    const volumes = { client, clock, catalog: this.#catalog, failed };
    const { frameworks, compare, hints } = buildFrameworks(this.#state, {
      configuration,
      deps: { budgets: this.#budgets, volumes },
      plugins: options.plugins,
    });
    this.#frameworks = frameworks;
    const { extenderTransport } = options;
    if (configuration.extenders.length > 0 && !extenderTransport) {
      throw new ConfigurationFileError("Cannot use extenders: no transport to ask them with");
    }
    this.#extenders = configuration.extenders.map(
      (one) => new Extender(one, extenderTransport as ExtenderTransport),
    );
    this.#queue = new SchedulingQueue({
      compare,
      hints,
      backoff: { baseMs: configuration.podInitialBackoffMs, maxMs: configuration.podMaxBackoffMs },
    });
  }

  start(): void {
    const { informers, logger, metrics } = this.#options;
    metrics?.follow(() => this.#queue.pending());
    const fed = {
      state: this.#state,
      profiles: this.#profiles,
      budgets: this.#budgets,
      catalog: this.#catalog,
    };
    this.#feed = feedState(informers, fed, {
      pending: (pod) => this.#pendingPodChanged(pod),
      placed: (uid) => this.#forget(uid),
      ended: (uid) => {
        this.#forget(uid);
        this.#removed(uid);
      },
      happened: (event) => this.#wakeUp(event),
    });
    this.#feed.synced.then(
      () => {
        this.#turns.open();
      },
      (error: unknown) => logger.error("scheduler could not start", { error }),
    );
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#turns[Symbol.dispose]();
    this.#feed?.[Symbol.dispose]();
    for (const framework of this.#frameworks.values()) framework[Symbol.dispose]();
  }

  #pendingPodChanged(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    if (this.#assumed.has(uid)) return;
    const framework = this.#frameworks.get(pod.spec?.schedulerName || DEFAULT_NAME);
    const isHeld = framework?.plugins.some(({ plugin }) => plugin.preEnqueue?.(pod));
    if (!framework || isHeld || pod.metadata?.deletionTimestamp) {
      this.#forget(uid);
      return;
    }
    const record = this.#profiles.recordOf(pod);
    const nominated = pod.status?.nominatedNodeName;
    if (nominated && !this.#nominations.has(uid)) this.#nominations.set(record, nominated);
    const known = this.#queue.get(uid);
    // Equal requests share a profile; what else changed is no reason for another attempt.
    if (known?.profile === record.profile) {
      this.#queue.refresh(record);
      return;
    }
    this.#queue.add(record, this.#now());
    this.#turns.plan();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #forget(uid: string): void {
    this.#assumed.delete(uid);
    const pod = this.#queue.get(uid);
    if (pod) this.#giveUpRoom(pod);
    this.#nominations.delete(uid);
    this.#queue.remove(uid);
  }

  /** Others may have the room that was kept for a pod, unless the pod is there now. */
  #giveUpRoom(pod: PodRecord): void {
    const slot = this.#nominations.slotOf(pod, this.#state);
    this.#nominations.delete(pod.uid);
    if (slot === undefined || slot === this.#state.slotOfPod(pod.uid)) return;
    this.#wakeUp({ kind: "pod-removed", pod, slot });
  }

  /** The pod holds its place no more. */
  #removed(uid: string): void {
    const slot = this.#state.slotOfPod(uid);
    const pod = this.#state.removePod(uid);
    if (!pod) return;
    this.#wakeUp({ kind: "pod-removed", pod, slot });
    const node = slot === undefined ? undefined : this.#state.nodes[slot];
    const expected = node ? this.#nominations.on(node.name) : [];
    if (!node || expected.length === 0) return;
    // The room that preemption made is there: no reason to sit out a back-off.
    if ([...node.pods].some(({ terminating }) => terminating)) return;
    for (const { uid: waiting } of expected) this.#queue.activate(waiting);
    this.#turns.plan();
  }

  #wakeUp(event: ClusterEvent): void {
    if (this.#queue.size === 0) return;
    if (this.#queue.wakeUp(event, { state: this.#state, nowMs: this.#now() })) this.#turns.plan();
  }

  #turn(): void {
    const begunMs = this.#now();
    const waitMs = this.#queue.advance(begunMs);
    while (this.#bindings < BINDINGS_MAX) {
      const pod = this.#queue.next();
      if (!pod) break;
      this.#decide(pod);
      if (this.#now() - begunMs > TURN_MS) {
        this.#turns.planIn(0);
        return;
      }
    }
    this.#turns.planIn(waitMs);
  }

  #frameworkOf({ pod }: PodRecord): Framework {
    const name = pod.spec?.schedulerName || DEFAULT_NAME;
    return this.#frameworks.get(name) as Framework;
  }

  #extendersOf(pod: PodRecord): readonly Extender[] {
    if (this.#extenders.length === 0) return this.#extenders;
    return this.#extenders.filter((extender) => extender.isInterestedIn(pod));
  }

  #decide(pod: PodRecord): void {
    const { random } = this.#options;
    const framework = this.#frameworkOf(pod);
    const input = { framework, random, nominations: this.#nominations };
    const extenders = this.#extendersOf(pod);
    const { addedAtMs, attempts } = this.#queue.history(pod.uid);
    const attempt = { beganMs: this.#now(), addedAtMs, attempts };
    if (extenders.length === 0) {
      this.#carryOut(pod, schedule(pod, input), attempt);
      return;
    }
    this.#queue.ponder(pod.uid);
    scheduleWithExtenders(pod, { ...input, extenders }).then(
      (decision) => {
        // The pod may have gone, or have been placed, while the extenders thought.
        if (!this.#stopped && this.#queue.get(pod.uid)) {
          this.#carryOut(pod, decision, attempt);
        }
      },
      (error: unknown) => this.#failed(pod, { error, attempt }),
    );
  }

  #count(pod: PodRecord, result: AttemptResult, attempt: Attempt): void {
    const { metrics } = this.#options;
    if (!metrics) return;
    const profile = pod.pod.spec?.schedulerName || DEFAULT_NAME;
    const nowMs = this.#now();
    metrics.attempted(result, { profile, durationMs: nowMs - attempt.beganMs });
    if (result === "scheduled") metrics.placed(attempt.attempts, nowMs - attempt.addedAtMs);
  }

  #carryOut(pod: PodRecord, decision: Decision, attempt: Attempt): void {
    const framework = this.#frameworkOf(pod);
    this.#options.metrics?.decided(this.#now() - attempt.beganMs);
    if (decision.node === undefined) {
      this.#count(pod, "unschedulable", attempt);
      this.#refused(pod, decision);
      return;
    }
    const placement = { pod, node: decision.node };
    const refused = reserve(placement, framework.binding);
    if (refused) {
      this.#failed(pod, { error: refused, attempt });
      return;
    }
    this.#assumed.set(pod.uid, placement);
    this.#state.addPod(pod, decision.node);
    // It counts as placed now; expected as well, it would count for some and then for nobody.
    this.#giveUpRoom(pod);
    // A pod whose volumes are to be bound may wait for minutes; it must not keep others waiting.
    const isQuick = pod.profile.claims.length === 0;
    if (isQuick) this.#bindings++;
    this.#bind(placement, { framework, attempt });
  }

  #refused(pod: PodRecord, decision: NoNode): void {
    const result = decision.nodesTotal > 0 ? this.#postFilter(pod, decision) : undefined;
    this.#queue.refused(pod.uid, { rejectedBy: decision.rejectedBy, nowMs: this.#now() });
    this.#sleepUntilNext();
    const preemption = result?.preemption;
    const asked = preemption ? this.#extenders.filter((one) => one.isAskedToPreempt(pod)) : [];
    if (!preemption || asked.length === 0) {
      this.#tellRefused(pod, decision, { message: result?.message, preemption });
      return;
    }
    pickWithExtenders(pod, { candidates: preemption.candidates, extenders: asked }).then(
      (picked) => {
        // The pod may have gone, or be tried again, while the extenders thought.
        if (this.#stopped || !this.#queue.isAsleep(pod.uid)) return;
        this.#tellRefused(pod, decision, { message: result.message, preemption: picked });
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#tellRefused(pod, decision, { message: `preemption: ${why}`, preemption: undefined });
      },
    );
  }

  /** Tells why the pod has no place, and makes one where that was found to be possible. */
  #tellRefused(
    pod: PodRecord,
    decision: NoNode,
    of: {
      message: string | undefined;
      preemption: Pick<Candidate, "node" | "victims"> | undefined;
    },
  ): void {
    const { preemption } = of;
    const message = [failureMessage(decision), of.message].filter(Boolean).join(" ");
    const nominatedNode = preemption?.node ?? (this.#nominations.has(pod.uid) ? undefined : "");
    void this.#feedback.unschedulable(pod, {
      message,
      ...(nominatedNode === undefined ? {} : { nominatedNode }),
    });
    if (!preemption) return;
    const { client, clock, logger } = this.#options;
    preempt(pod, preemption, {
      client,
      clock,
      logger,
      state: this.#state,
      nominations: this.#nominations,
      queue: this.#queue,
      waiting: this.#waiting,
      feedback: this.#feedback,
      schedulerName: this.#frameworkOf(pod).schedulerName,
    });
  }

  #postFilter(pod: PodRecord, decision: NoNode): PostFilterResult | undefined {
    const framework = this.#frameworkOf(pod);
    const { random } = this.#options;
    const input = { framework, random, nominations: this.#nominations };
    for (const { plugin } of framework.plugins) {
      const result = plugin.postFilter?.(pod, { decision, input });
      if (result) return result;
    }
    return undefined;
  }

  /** The attempt came to nothing; the next one comes after the pod's back-off. */
  #failed(pod: PodRecord, { error, attempt }: { error: unknown; attempt: Attempt }): void {
    this.#count(pod, error instanceof PlacementRefusedError ? "unschedulable" : "error", attempt);
    this.#queue.failed(pod.uid, this.#now());
    this.#sleepUntilNext();
    // The pod is gone or somebody else placed it: its informer will say so.
    if (isConflict(error) || isNotFound(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    const reason = error instanceof PlacementRefusedError ? "Unschedulable" : "SchedulerError";
    if (reason === "SchedulerError") {
      this.#options.logger.warn("binding failed", { pod: pod.name, error });
    }
    void this.#feedback.unschedulable(pod, { message, reason });
  }

  #sleepUntilNext(): void {
    this.#turns.planIn(this.#queue.advance(this.#now()));
  }

  #bind(placement: Placement, of: { framework: Framework; attempt: Attempt }): void {
    const { framework, attempt } = of;
    const { client, clock } = this.#options;
    const binder = this.#extendersOf(placement.pod).find(({ binds }) => binds);
    const deps = { client, clock, plugins: framework.binding, waiting: this.#waiting, binder };
    bind(placement, deps).then(
      () => this.#bound(placement, attempt),
      (error: unknown) => this.#notBound(placement, { framework, error, attempt }),
    );
  }

  #bound({ pod, node }: Placement, attempt: Attempt): void {
    this.#count(pod, "scheduled", attempt);
    this.#queue.remove(pod.uid);
    this.#feedback.scheduled(pod, node);
    this.#bindingEnded(pod);
  }

  #notBound(
    placement: Placement,
    of: { framework: Framework; error: unknown; attempt: Attempt },
  ): void {
    const { pod } = placement;
    unreserve(placement, of.framework.binding);
    // The informer may have told of the pod's end, or of its place, in the meantime.
    if (this.#assumed.delete(pod.uid)) this.#removed(pod.uid);
    this.#failed(pod, of);
    this.#bindingEnded(pod);
  }

  #bindingEnded({ profile }: PodRecord): void {
    const isQuick = profile.claims.length === 0;
    if (isQuick && this.#bindings-- === BINDINGS_MAX) this.#turns.planIn(0);
  }
}
