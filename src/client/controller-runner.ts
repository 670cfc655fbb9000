import { isConflict } from "../api/errors.ts";
import { type Resource, storageNameOf } from "../api/resource.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { Histogram } from "../lib/prometheus.ts";
import type { Random } from "../lib/random.ts";
import type { Client, ObjectRef } from "./client.ts";
import {
  type ControllerDefinition,
  type Inputs,
  type ListerLookup,
  type ReconcileContext,
  TerminalError,
} from "./controller.ts";
import { declaredClient } from "./declared-client.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Informer, InformerFactory, Lister } from "./informer.ts";
import { cacheKey } from "./object-cache.ts";
import { WorkQueue } from "./work-queue.ts";
import { WriteBarrier } from "./write-barrier.ts";

const WORKERS = 4;
/** From this attempt on a failure is worth a warning; before, it is the usual race. */
const WARN_ATTEMPT = 4;

/** Upper ends of upstream's buckets of `workqueue_work_duration_seconds`. */
const WORK_SECONDS = [1e-8, 1e-7, 1e-6, 9.999999999999999e-6, 1e-4, 1e-3, 0.01, 0.1, 1, 10];

/** What every controller of a process shares. */
export interface ControllerDeps {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  random: Random;
  logger: Logger;
  events: EventRecorder;
}

/** Counts since the start. */
export interface ControllerStats {
  reconciles: number;
  failures: number;
  /** Failures that were not retried. */
  terminal: number;
  waiting: number;
  /** Keys that came into the queue, and those of them that had failed before. */
  adds: number;
  retries: number;
}

/** A controller at work; disposing waits for reconciles under way, whose `signal` is aborted. */
export interface RunningController extends AsyncDisposable {
  readonly name: string;
  /** Resolves when all inputs are synced and reconciling has begun. */
  readonly started: Promise<void>;
  /** Nothing waits, runs or is scheduled. */
  readonly idle: boolean;
  /** How long reconciling took, in seconds. */
  readonly durations: Histogram;
  /** Seconds that keys waited for a worker. */
  readonly waits: Histogram;
  stats(): ControllerStats;
}

/** Starts a controller: follows its inputs and reconciles keys once all of them are synced. */
export function runController<const I extends Inputs>(
  definition: ControllerDefinition<I>,
  deps: ControllerDeps,
): RunningController {
  return new Runner(definition, deps);
}

class Runner implements RunningController {
  readonly name: string;
  readonly started: Promise<void>;
  readonly durations: Histogram = new Histogram(WORK_SECONDS);
  readonly waits: Histogram = new Histogram(WORK_SECONDS);
  readonly #definition: ControllerDefinition;
  readonly #logger: Logger;
  readonly #informers: Readonly<Record<string, Informer<unknown>>>;
  /** By what was asked for: controllers ask with every change. */
  readonly #listers = new WeakMap<Resource, Lister<unknown>>();
  readonly #queue: WorkQueue;
  readonly #barrier: WriteBarrier;
  readonly #stop = new AbortController();
  readonly #client: Client;
  readonly #deps: ControllerDeps;
  readonly #counts = { reconciles: 0, failures: 0, terminal: 0 };
  readonly #workers: Promise<void>;
  /** A key was dropped because the queue was full: everything is to be reconciled again. */
  #overflowed = false;

  constructor(definition: ControllerDefinition, deps: ControllerDeps) {
    this.name = definition.name;
    this.#definition = definition;
    this.#deps = deps;
    this.#logger = deps.logger.with({ controller: definition.name });
    const taken = (waitedMs: number) => this.waits.observe(waitedMs / 1000);
    this.#queue = new WorkQueue({ clock: deps.clock, taken });
    const informers: Record<string, Informer<unknown>> = {};
    for (const [name, input] of Object.entries(definition.inputs)) {
      informers[name] = deps.informers.informer(input.resource, input.options);
    }
    this.#informers = informers;
    // What a selector hides from a cache never arrives there, so such caches are not waited for.
    const whole = Object.entries(informers).filter(([name]) => !definition.inputs[name]?.options);
    this.#barrier = new WriteBarrier(
      whole.map(([, informer]) => informer),
      deps.clock,
    );
    this.#client = deps.client;
    this.#follow();
    this.started = Promise.race([
      Promise.all(Object.values(informers).map(({ synced }) => synced)).then(() => {}),
      new Promise<void>((stopped) => this.#stop.signal.addEventListener("abort", () => stopped())),
    ]);
    this.#workers = this.started.then(() => this.#runWorkers());
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  stats(): ControllerStats {
    const { size: waiting, adds, retries } = this.#queue;
    return { ...this.#counts, waiting, adds, retries };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#queue[Symbol.dispose]();
    await this.#workers;
    for (const informer of Object.values(this.#informers)) informer[Symbol.dispose]();
  }

  #follow(): void {
    const entries = Object.entries(this.#definition.inputs);
    for (const [name, { indexes = {} }] of entries) {
      const informer = this.#informerOf(name);
      for (const [index, valuesOf] of Object.entries(indexes)) informer.addIndex(index, valuesOf);
    }
    // Only now, with all indexes in place, may `keysOf` be asked.
    for (const [name] of entries) {
      this.#informerOf(name).onChange((change) => {
        this.#enqueueFor(name, change.object);
        if (change.type === "updated") this.#enqueueFor(name, change.previous);
      });
    }
  }

  #enqueueFor(name: string, object: unknown): void {
    try {
      const keys = this.#definition.inputs[name]?.keysOf(object, this.#lookup) ?? [];
      for (const key of keys) this.#enqueue(key);
    } catch (error) {
      this.#logger.error("cannot map change to keys", { input: name, error });
    }
  }

  #enqueue(key: ObjectRef, delayMs = 0): void {
    const text = cacheKey(key.namespace, key.name);
    if (delayMs > 0) this.#queue.addAfter(text, delayMs);
    else if (!this.#queue.add(text)) this.#overflowed = true;
  }

  readonly #lookup: ListerLookup = {
    of: <T>(resource: Resource<T>): Lister<T> => {
      const known = this.#listers.get(resource) ?? this.#listerOf(resource);
      this.#listers.set(resource, known);
      return known as Lister<T>;
    },
  };

  #listerOf(resource: Resource): Lister<unknown> {
    const wanted = storageNameOf(resource);
    for (const [name, input] of Object.entries(this.#definition.inputs)) {
      if (storageNameOf(input.resource) === wanted) return this.#informerOf(name);
    }
    throw new Error(`Cannot read ${wanted} in controller "${this.name}": not among its inputs`);
  }

  #informerOf(name: string): Informer<unknown> {
    return this.#informers[name] as Informer<unknown>;
  }

  async #runWorkers(): Promise<void> {
    const count = this.#definition.workers ?? WORKERS;
    await Promise.all(Array.from({ length: count }, () => this.#work()));
  }

  async #work(): Promise<void> {
    for (let text = await this.#queue.take(); text !== undefined; text = await this.#queue.take()) {
      await this.#barrier.wait(text, this.#stop.signal);
      const sinceMs = this.#deps.clock.monotonicMs();
      if (!this.#stop.signal.aborted) await this.#reconcile(text);
      this.durations.observe((this.#deps.clock.monotonicMs() - sinceMs) / 1000);
      this.#queue.done(text);
      if (this.#overflowed && this.#queue.size === 0) this.#enqueueAll();
    }
  }

  async #reconcile(text: string): Promise<void> {
    this.#counts.reconciles++;
    try {
      const result = await this.#definition.reconcile(this.#contextFor(text), refOf(text));
      this.#queue.forget(text);
      if (result?.requeueAfterMs !== undefined) this.#queue.addAfter(text, result.requeueAfterMs);
    } catch (error) {
      this.#counts.failures++;
      if (this.#stop.signal.aborted) return;
      if (error instanceof TerminalError) {
        this.#counts.terminal++;
        this.#queue.forget(text);
        this.#logger.error("reconcile failed for good", { key: text, error });
        return;
      }
      const { attempt, delayMs } = this.#queue.retry(text);
      const level = attempt < WARN_ATTEMPT || isConflict(error) ? "debug" : "warn";
      this.#logger[level]("reconcile failed", { key: text, attempt, retryInMs: delayMs, error });
    }
  }

  #contextFor(text: string): ReconcileContext<Inputs> {
    const { events, clock, random } = this.#deps;
    return {
      inputs: this.#informers,
      client: declaredClient(this.#client, this.#definition, {
        written: (resource, object) => this.#barrier.wrote(text, resource, object),
        outdated: (resource, target) => this.#barrier.refused(text, resource, target),
      }),
      events,
      clock,
      random,
      logger: this.#logger,
      signal: this.#stop.signal,
      enqueue: (key, delayMs) => this.#enqueue(key, delayMs),
    };
  }

  #enqueueAll(): void {
    this.#overflowed = false;
    for (const name of Object.keys(this.#definition.inputs)) {
      for (const object of this.#informerOf(name).list()) this.#enqueueFor(name, object);
    }
  }
}

function refOf(text: string): ObjectRef {
  const slash = text.indexOf("/");
  if (slash < 0) return { name: text };
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
