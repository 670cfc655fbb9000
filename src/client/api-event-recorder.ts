import { isNotFound, StatusError } from "../api/errors.ts";
import { EVENTS } from "../api/generated/resources.ts";
import type { Event, ObjectReference } from "../api/generated/types/core-v1.ts";
import { type Clock, formatTime, sleep } from "../lib/clock.ts";
import { KeyedQueue } from "../lib/keyed-queue.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Client } from "./client.ts";
import type { EventRecorder, RecordedEvent } from "./event-recorder.ts";
import { metadataOf } from "./object-cache.ts";

/** A burst of pods makes several events each; they are written when there is time. */
const QUEUE_MAX = 10_000;
/** Requests under way at once; of one object never more than one. */
const SENDERS_MAX = 8;
/** How many different events are remembered, and how long a repetition counts as one. */
const MEMORY_MAX = 1_024;
const MEMORY_MS = 10 * 60_000;
const ATTEMPTS = 3;
const RETRY_MS = 1_000;
const DELAYS_MAX = 5;
/** Less than a millisecond, so that a later one always gives a greater stamp. */
const CHANCE_NS = 900_000;

/** Who records, and through what. */
export interface EventRecorderOptions {
  client: Client;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Such as "default-scheduler". */
  component: string;
  /** Name of the node, for what happens on one. */
  host?: string;
  /** Requests under way at once, 8 by default; fewer leave more to other work. */
  sendersMax?: number;
  /**
   * How long an event waits for the work that it tells of, and for others to share a commit. While
   * more events come, the work goes on: they wait up to five times as long.
   */
  delayMs?: number;
}

/** A recorder that must be disposed; what waits then is dropped. */
export interface RunningEventRecorder extends EventRecorder, AsyncDisposable {
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
}

interface Remembered {
  namespace: string;
  name: string;
  count: number;
  lastMs: number;
}

/**
 * Writes core/v1 Events, a few at a time and those about one object in their order; a repeated
 * event becomes a patch of its count.
 */
export function createEventRecorder(options: EventRecorderOptions): RunningEventRecorder {
  return new ApiEventRecorder(options);
}

class ApiEventRecorder implements RunningEventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue = new KeyedQueue<{ event: RecordedEvent; atMs: number }>(QUEUE_MAX);
  /** In order of last use. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #stop = new AbortController();
  readonly #senders = new Set<Promise<void>>();
  /** Those that will look into the queue once more. */
  #looking = 0;
  #lastStamp = 0n;
  /** When the last event was recorded; monotonic. */
  #recordedMs = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(event: RecordedEvent): void {
    if (this.#stop.signal.aborted) return;
    this.#recordedMs = this.#options.clock.monotonicMs();
    this.#queue.push(objectKeyOf(event), { event, atMs: this.#options.clock.now() });
    if (this.#looking >= (this.#options.sendersMax ?? SENDERS_MAX)) return;
    this.#looking++;
    const sender: Promise<void> = this.#sendAll().finally(() => this.#senders.delete(sender));
    this.#senders.add(sender);
  }

  async drained(): Promise<void> {
    while (this.#senders.size > 0) await Promise.all(this.#senders);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#queue.clear();
    await this.drained();
  }

  async #sendAll(): Promise<void> {
    const { delayMs } = this.#options;
    // Recording must not block, so not even the first request starts inside of it.
    if (delayMs === undefined) await Promise.resolve();
    else await this.#calm(delayMs);
    for (let next = this.#queue.take(); next; next = this.#queue.take()) {
      await this.#sendPatiently(next.item.event, next.item.atMs);
      this.#queue.done(next.key);
    }
    this.#looking--;
  }

  /** Lets a burst of events end, which is a burst of work that comes before them. */
  async #calm(delayMs: number): Promise<void> {
    const { clock } = this.#options;
    const latestMs = clock.monotonicMs() + DELAYS_MAX * delayMs;
    for (let waitMs = delayMs; waitMs > 0 && !this.#stop.signal.aborted; ) {
      await sleep(clock, waitMs, this.#stop.signal);
      waitMs = Math.min(this.#recordedMs + delayMs, latestMs) - clock.monotonicMs();
    }
  }

  async #sendPatiently(event: RecordedEvent, atMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send(event, atMs);
      } catch (error) {
        const isRefusal = error instanceof StatusError && error.code < 500 && error.code !== 429;
        if (isRefusal || attempt === ATTEMPTS || this.#stop.signal.aborted) {
          logger.debug("event dropped", { reason: event.reason, error });
          return;
        }
      }
      await sleep(clock, RETRY_MS * attempt, this.#stop.signal);
    }
  }

  async #send(event: RecordedEvent, atMs: number): Promise<void> {
    const about = referenceTo(event);
    const { type, reason, message } = event;
    const key = JSON.stringify([about.uid, about.name, about.fieldPath, type, reason, message]);
    const known = this.#remembered.get(key);
    this.#remembered.delete(key);
    if (known && atMs - known.lastMs < MEMORY_MS) {
      try {
        await this.#repeat(known, atMs);
        this.#remember(key, { ...known, count: known.count + 1, lastMs: atMs });
        return;
      } catch (error) {
        // The server forgets events after a while; then this is a new one.
        if (!isNotFound(error)) {
          this.#remember(key, known);
          throw error;
        }
      }
    }
    const created = await this.#create(event, { about, atMs });
    this.#remember(key, { ...created, count: 1, lastMs: atMs });
  }

  async #repeat({ namespace, name, count }: Remembered, atMs: number): Promise<void> {
    const patch = { count: count + 1, lastTimestamp: formatTime(atMs) };
    await this.#options.client.for(EVENTS).patch({ namespace, name }, patch);
  }

  async #create(
    { type, reason, message, annotations }: RecordedEvent,
    { about, atMs }: { about: ObjectReference; atMs: number },
  ): Promise<{ namespace: string; name: string }> {
    const { client, component, host } = this.#options;
    // Events about objects outside namespaces live in "default".
    const namespace = about.namespace ?? "default";
    const name = `${about.name}.${this.#nextStamp(atMs).toString(16)}`;
    const time = formatTime(atMs);
    const event: Event = {
      metadata: { name, namespace, ...(annotations && { annotations: { ...annotations } }) },
      involvedObject: about,
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component, ...(host ? { host } : {}) },
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
    await client.for(EVENTS).create(event);
    return { namespace, name };
  }

  /**
   * Nanoseconds that grow with every event, so that a list by name shows events of the same second
   * in their order. The clock knows milliseconds only; chance keeps recorders apart.
   */
  #nextStamp(atMs: number): bigint {
    const chance = Math.floor(this.#options.random.float() * CHANCE_NS);
    const stamp = BigInt(atMs) * 1_000_000n + BigInt(chance);
    this.#lastStamp = stamp > this.#lastStamp ? stamp : this.#lastStamp + 1n;
    return this.#lastStamp;
  }

  #remember(key: string, event: Remembered): void {
    this.#remembered.set(key, event);
    if (this.#remembered.size <= MEMORY_MAX) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** Tells the object of an event from others; not every object has a UID. */
function objectKeyOf({ about }: RecordedEvent): string {
  const { namespace = "", name = "", uid } = metadataOf(about);
  return uid || `${namespace}/${name}`;
}

function referenceTo({ about, fieldPath }: RecordedEvent): ObjectReference {
  const { apiVersion, kind } = about as { apiVersion?: string; kind?: string };
  const { name, namespace, uid, resourceVersion } = metadataOf(about);
  const reference: ObjectReference = {};
  if (apiVersion !== undefined) reference.apiVersion = apiVersion;
  if (kind !== undefined) reference.kind = kind;
  if (name !== undefined) reference.name = name;
  if (namespace !== undefined) reference.namespace = namespace;
  if (uid !== undefined) reference.uid = uid;
  if (resourceVersion !== undefined) reference.resourceVersion = resourceVersion;
  if (fieldPath !== undefined) reference.fieldPath = fieldPath;
  return reference;
}
