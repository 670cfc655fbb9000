import { StatusError } from "../../api/errors.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { CacheEvent, SeenEvent } from "../watch-cache/cache-event.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { Selection } from "../watch-cache/selection.ts";
import type { Subscriber } from "../watch-cache/subscriber-index.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Call } from "./call.ts";
import { checkWatchOptions, listOptionsOf } from "./list-options.ts";
import { parseRevision } from "./resource-version.ts";
import { selectionOf } from "./selection-of.ts";

const BOOKMARK_EVERY_MS = 60_000;
/** A last bookmark comes this long before the timeout, so that the next watch starts fresh. */
const BOOKMARK_BEFORE_END_MS = 2_000;
const TIMEOUT_MIN_SECONDS = 1_800;

/** What the two kinds of watch connections have in common. Calls never overlap. */
export interface WatchReceiver {
  /** What comes before everything else: the state, or what was missed. Read when there is room. */
  backlog(seen: Iterable<SeenEvent>): void;
  /** A change as this watcher sees it; `event` is there to share encodings among watchers. */
  event(event: CacheEvent, seen: SeenEvent): void;
  bookmark(revision: number, initialEventsEnd: boolean): void;
  /** The server ends the watch: in the ordinary way, or with a refusal. */
  ended(refusal?: StatusError): void;
}

interface WatchParameters {
  selection: Selection;
  /** `undefined` is the newest. */
  revision: number | undefined;
  /** Begins with the state at `revision` or later; else with what happened after it. */
  initialEvents: boolean;
  markInitialEventsEnd: boolean;
  bookmarks: boolean;
  timeoutMs: number;
}

function parametersOf(call: Call, random: Random): WatchParameters {
  const options = listOptionsOf(call.query);
  checkWatchOptions(options);
  const { resourceVersion, sendInitialEvents, bookmarks, timeoutSeconds } = options;
  const revision = parseRevision(resourceVersion ?? "0");
  const seconds = timeoutSeconds ?? TIMEOUT_MIN_SECONDS * (1 + random.float());
  return {
    selection: selectionOf(call),
    revision: revision === 0 ? undefined : revision,
    // Without a word about it, a watch that names no version begins with the state.
    initialEvents: sendInitialEvents ?? revision === 0,
    markInitialEventsEnd: sendInitialEvents === true && bookmarks,
    bookmarks,
    timeoutMs: Math.max(0, seconds * 1000),
  };
}

/**
 * Prepares a watch. Bad parameters throw at once; `start` opens it, and from then on refusals
 * arrive at the receiver, as upstream's do.
 */
export function prepareWatch(
  call: Call,
  engine: { clock: Clock; random: Random },
): { start(receiver: WatchReceiver): Promise<Disposable> } {
  const parameters = parametersOf(call, engine.random);
  const { cache } = call.served;
  return {
    start: async (receiver) => {
      const session = new WatchSession(cache, { parameters, receiver, clock: engine.clock });
      await session.open();
      return session;
    },
  };
}

function* seenThrough(selection: Selection, events: readonly CacheEvent[]): Generator<SeenEvent> {
  for (const event of events) {
    const seen = event.seenThrough(selection);
    if (seen) yield seen;
  }
}

function* asAdded(objects: readonly CachedObject[]): Generator<SeenEvent> {
  for (const object of objects) yield { type: "ADDED", object };
}

/** One open watch. */
class WatchSession implements Subscriber, Disposable {
  readonly #cache: WatchCache;
  readonly #parameters: WatchParameters;
  readonly #receiver: WatchReceiver;
  readonly #clock: Clock;
  #subscription: Disposable | undefined;
  #timers: Timer[] = [];
  #closed = false;
  /** Everything up to here was delivered, or is part of the backlog. */
  #after = 0;

  constructor(
    cache: WatchCache,
    of: { parameters: WatchParameters; receiver: WatchReceiver; clock: Clock },
  ) {
    this.#cache = cache;
    this.#parameters = of.parameters;
    this.#receiver = of.receiver;
    this.#clock = of.clock;
  }

  async open(): Promise<void> {
    const { revision, initialEvents } = this.#parameters;
    try {
      if (revision === undefined) await this.#cache.refresh();
      else if (initialEvents) await this.#cache.waitFor(revision);
      if (this.#closed) return;
      this.#begin();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#end(error);
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#subscription?.[Symbol.dispose]();
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }

  #begin(): void {
    const { selection, revision, bookmarks, timeoutMs } = this.#parameters;
    this.#after = Math.max(revision ?? 0, this.#cache.revision);
    if (this.#parameters.initialEvents) {
      this.#receiver.backlog(asAdded(this.#cache.list(selection)));
    } else if (revision !== undefined) {
      this.#receiver.backlog(seenThrough(selection, this.#cache.eventsAfter(revision)));
    }
    if (this.#parameters.markInitialEventsEnd) this.#receiver.bookmark(this.#after, true);
    this.#subscription = this.#cache.follow(this, selection);
    // The receiver may have closed the watch from within.
    if (this.#closed) return this[Symbol.dispose]();
    this.#at(timeoutMs, () => this.#end());
    if (!bookmarks) return;
    this.#bookmarkEvery();
    if (timeoutMs > BOOKMARK_BEFORE_END_MS) {
      this.#at(timeoutMs - BOOKMARK_BEFORE_END_MS, () => this.#bookmark());
    }
  }

  deliver(event: CacheEvent): void {
    if (this.#closed || event.revision <= this.#after) return;
    this.#after = event.revision;
    const seen = event.seenThrough(this.#parameters.selection);
    if (seen) this.#receiver.event(event, seen);
  }

  ended(): void {
    this.#end();
  }

  #bookmarkEvery(): void {
    this.#at(BOOKMARK_EVERY_MS, () => {
      this.#bookmark();
      this.#bookmarkEvery();
    });
  }

  #bookmark(): void {
    this.#cache.refresh().then(
      (revision) => {
        if (!this.#closed) this.#receiver.bookmark(revision, false);
      },
      () => this.#end(),
    );
  }

  #end(refusal?: StatusError): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    this.#receiver.ended(refusal);
  }

  #at(delayMs: number, fire: () => void): void {
    if (this.#closed) return;
    const timer: Timer = this.#clock.setTimer(delayMs, () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      if (!this.#closed) fire();
    });
    this.#timers.push(timer);
  }
}
