import { StatusError } from "../../api/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Allocate, spliceResourceVersion } from "../../format/json-canonical.ts";
import type { Store, StoredObject, StoreEvent } from "../../store/store.ts";
import { ByteArena } from "./byte-arena.ts";
import { CacheEvent } from "./cache-event.ts";
import { type AttributesOf, CachedObject, type Written } from "./cached-object.ts";
import { DEFAULT_RING_LIMITS, EventRing, type EventRingLimits } from "./event-ring.ts";
import { Kin } from "./kin.ts";
import type { KnownManagers } from "./known-managers.ts";
import type { Selection } from "./selection.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { ValueIndex } from "./value-index.ts";
import { PastState, type StateView } from "./state-view.ts";
import { type Subscriber, SubscriberIndex } from "./subscriber-index.ts";

/** How long a read waits for a revision that the cache has not reached. */
const FUTURE_WAIT_MS = 3_000;
/** Fewer objects are looked at one by one. */
const INDEXED_MIN = 256;

export interface WatchCacheOptions {
  store: Store;
  /** Name of the resource in the store. */
  storage: string;
  clock: Clock;
  logger: Logger;
  /** Puts `metadata.resourceVersion` into stored bytes, in memory from `allocate`. */
  splice(bytes: Uint8Array, revision: number, allocate: Allocate): Uint8Array;
  attributesOf: AttributesOf;
  ringLimits?: EventRingLimits;
}

interface Waiter {
  revision: number;
  resolve(): void;
}

/**
 * The whole current state of one resource in memory, as bytes, and its recent history. It is fed
 * by one watch of the store. Everything that this server acknowledged is in it, because writes
 * wait for their own revision (`waitFor`) before they answer.
 */
export class WatchCache implements StateView, Disposable {
  readonly #options: WatchCacheOptions;
  readonly #objects = new Map<string, CachedObject>();
  readonly #subscribers: SubscriberIndex;
  readonly #keys: SortedKeys;
  readonly #values: ValueIndex;
  readonly #arena = new ByteArena();
  /**
   * Of what was removed. Few of what is removed together were written together: in the slabs where
   * they were, each would hold on to the memory of several that nobody remembers.
   */
  readonly #removed = new ByteArena();
  readonly #kin = new Kin();
  readonly #ring: EventRing;
  #waiters: Waiter[] = [];
  #revision: number;
  #generation = 0;
  /** The last list by prefix, until something changes. */
  #listed: { prefix: string; objects: readonly CachedObject[] } | undefined;
  #watch: Disposable | undefined;
  /** What bytes that were given to the store were made from. */
  readonly #expected = new WeakMap<Uint8Array, Written>();

  private constructor(options: WatchCacheOptions, list: { revision: number; keys: string[] }) {
    this.#options = options;
    this.#revision = list.revision;
    this.#keys = new SortedKeys(list.keys);
    this.#subscribers = new SubscriberIndex(options.attributesOf);
    this.#values = new ValueIndex(this.#objects, options.attributesOf);
    this.#ring = new EventRing(list.revision, options.ringLimits ?? DEFAULT_RING_LIMITS);
  }

  /** Reads the resource and follows it from there. */
  static async start(options: WatchCacheOptions): Promise<WatchCache> {
    const { store, storage } = options;
    const { revision, items } = await store.list(storage);
    const keys = items.map((item) => item.key);
    const cache = new WatchCache(options, { revision, keys });
    for (const item of items) {
      cache.#objects.set(item.key, cache.#objectOf(item));
    }
    cache.#watch = await store.watch(storage, revision, (events) => cache.#deliver(events));
    return cache;
  }

  /** The cache holds the state of this revision, complete. */
  get revision(): number {
    return this.#revision;
  }

  /** Grows with every change of an object, and with nothing else. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Who owns what in the objects. */
  get managers(): KnownManagers {
    return this.#kin.managers;
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key);
  }

  /** Keys in order, with `prefix` and from `start` on. A snapshot only until the next await. */
  keys(prefix: string, start?: string): readonly string[] {
    return this.#keys.range(prefix, start);
  }

  /** The state as of an earlier revision, if the recent history tells it. */
  stateAt(revision: number): StateView | undefined {
    if (revision > this.#revision || revision < this.#ring.startRevision) return undefined;
    return new PastState(this, { revision, events: this.#ring.after(revision) });
  }

  /** All selected objects in key order. */
  list(selection: Selection): readonly CachedObject[] {
    if (selection.key !== undefined) {
      const object = this.#objects.get(selection.key);
      return object && selection.matches(object) ? [object] : [];
    }
    if (selection.byKeyOnly) return this.#ofPrefix(selection.prefix);
    return this.#candidates(selection).filter(
      (object) => selection.coversKey(object.key) && selection.matches(object),
    );
  }

  /** Some objects in key order, among them all that the selection can match. */
  #candidates({ prefix, pins }: Selection): readonly CachedObject[] {
    const pin = pins.find(({ of }) => of === "fields") ?? pins[0];
    if (!pin || this.#keys.count(prefix) < INDEXED_MIN) return this.#ofPrefix(prefix);
    return this.#objectsOf(this.#values.keysOf(pin));
  }

  #ofPrefix(prefix: string): readonly CachedObject[] {
    if (this.#listed?.prefix === prefix) return this.#listed.objects;
    const objects = this.#objectsOf(this.#keys.range(prefix));
    this.#listed = { prefix, objects };
    return objects;
  }

  #objectsOf(keys: readonly string[]): CachedObject[] {
    const objects: CachedObject[] = [];
    for (const key of keys) {
      const object = this.#objects.get(key);
      if (object) objects.push(object);
    }
    return objects;
  }

  /** Brings the cache to the newest durable revision and returns it. */
  async refresh(): Promise<number> {
    const revision = await this.#options.store.revision();
    this.#advance(revision);
    return this.#revision;
  }

  /**
   * Resolves once the cache holds `revision`.
   * @throws StatusError Timeout (504) when the store does not get there within three seconds
   */
  async waitFor(revision: number): Promise<void> {
    if (revision <= this.#revision) return;
    if ((await this.refresh()) >= revision) return;
    let reached = false;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(FUTURE_WAIT_MS, resolve);
      const arrived = () => {
        reached = true;
        timer.cancel();
        resolve();
      };
      this.#waiters.push({ revision, resolve: arrived });
    });
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    if (reached || (await this.refresh()) >= revision) return;
    throw new StatusError(
      "Timeout",
      `Timeout: Too large resource version: ${revision}, current: ${this.#revision}`,
      {
        retryAfterSeconds: 1,
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      },
    );
  }

  /**
   * What happened after `revision`, in order. With `follow` in the same turn nothing is missed.
   * @throws StatusError Expired when the history does not reach back that far
   */
  eventsAfter(revision: number): readonly CacheEvent[] {
    const { startRevision } = this.#ring;
    if (revision >= startRevision) return this.#ring.after(revision);
    throw new StatusError("Expired", `too old resource version: ${revision} (${startRevision})`);
  }

  /** What `bytes`, about to be written, were made from: then nobody has to parse them. */
  expect(bytes: Uint8Array, written: Written): void {
    if (this.#options.splice === spliceResourceVersion) this.#expected.set(bytes, written);
  }

  /** Delivers changes as they come; with a selection, at least those that it sees. */
  follow(subscriber: Subscriber, selection?: Selection): Disposable {
    return this.#subscribers.add(subscriber, selection);
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    for (const subscriber of this.#subscribers) subscriber.ended();
    for (const waiter of this.#waiters) waiter.resolve();
  }

  #deliver(events: readonly StoreEvent[]): void {
    const batch: CacheEvent[] = [];
    const timeMs = this.#options.clock.monotonicMs();
    for (const event of events) {
      const cached = this.#apply(event, timeMs);
      if (!cached) continue;
      this.#ring.push(cached);
      batch.push(cached);
    }
    this.#revision = Math.max(this.#revision, events.at(-1)?.revision ?? 0);
    for (const event of batch) {
      this.#subscribers.visit(event, (subscriber) => this.#hand(event, subscriber));
    }
    for (const event of batch) event.passed();
    this.#wake();
  }

  #hand(event: CacheEvent, subscriber: Subscriber): void {
    try {
      subscriber.deliver(event);
    } catch (error) {
      subscriber.ended();
      this.#options.logger.error("a watcher failed and was dropped", { error });
    }
  }

  /** `undefined`: what was not there went. */
  #apply(event: StoreEvent, timeMs: number): CacheEvent | undefined {
    const { key } = event;
    this.#generation++;
    this.#listed = undefined;
    const previous = this.#objects.get(key);
    this.#values.changed(key, previous);
    if (event.type === "delete") {
      if (!previous) return undefined;
      this.#objects.delete(key);
      this.#keys.remove(key);
      const last = previous.apart(this.#removed.allocate);
      return new CacheEvent({ previous: last, revision: event.revision, removed: true, timeMs });
    }
    const object = this.#objectOf(event);
    this.#objects.set(key, object);
    if (!previous) this.#keys.add(key);
    return new CacheEvent({ object, previous, removed: false, timeMs });
  }

  #objectOf({ key, revision, bytes }: StoredObject): CachedObject {
    const object = new CachedObject(
      key,
      revision,
      this.#options.splice(bytes, revision, this.#arena.allocate),
      this.#kin,
    );
    const expected = this.#expected.get(bytes);
    if (expected) {
      this.#expected.delete(bytes);
      object.know(expected);
    }
    return object;
  }

  /** The store has delivered every event up to a revision that it reported. */
  #advance(revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    this.#wake();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of reached) waiter.resolve();
  }
}
