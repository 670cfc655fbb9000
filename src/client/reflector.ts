import { isExpired } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import type { WatchEventType } from "../api/transport.ts";
import { type BackoffPolicy, backoffDelayMs } from "../lib/backoff.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Client } from "./client.ts";
import type { Change, InformerOptions } from "./informer.ts";
import { metadataOf, type ObjectCache } from "./object-cache.ts";

const BACKOFF: BackoffPolicy = { baseMs: 50, maxMs: 30_000 };
/** A watch that lived so long counts as a success; a shorter one that failed backs off. */
const HEALTHY_MS = 5_000;
/** Watches end by themselves after a random time, so that a dead connection is noticed. */
const WATCH_MIN_SECONDS = 300;

/** What a reflector needs from outside. */
export interface ReflectorDeps {
  client: Client;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/** Keeps a cache equal to a resource by a list and a watch that never end. */
export class Reflector<T> implements Disposable {
  readonly #resource: Resource<T>;
  readonly #selection: Omit<InformerOptions, "projection">;
  readonly #project: (object: T) => T;
  readonly #keeps: "nothing" | "objects";
  readonly #deps: ReflectorDeps;
  readonly #cache: ObjectCache<T>;
  readonly #report: (changes: readonly Change<T>[]) => void;
  readonly #stop = new AbortController();
  /** Newest revision that the cache reflects; "" before the first list. */
  #revision = "";
  /** The same as a number, if it is one. */
  #revisionNumber: number | undefined;

  constructor(
    source: { resource: Resource<T>; options: InformerOptions; deps: ReflectorDeps },
    target: { cache: ObjectCache<T>; report: (changes: readonly Change<T>[]) => void },
  ) {
    this.#resource = source.resource;
    const { projection, ...selection } = source.options;
    this.#selection = selection;
    this.#project = projection ? (object) => projection.of(object) as T : (object) => object;
    this.#keeps = projection ? "nothing" : "objects";
    this.#deps = source.deps;
    this.#cache = target.cache;
    this.#report = target.report;
  }

  get revision(): string {
    return this.#revision;
  }

  /** Runs until disposed; `onListed` is called after each list is in the cache. */
  async run(onListed: () => void): Promise<void> {
    const { clock, random, logger } = this.#deps;
    let failures = 0;
    let mustList = true;
    while (!this.#stop.signal.aborted) {
      const startMs = clock.monotonicMs();
      try {
        if (mustList) {
          await this.#list();
          if (this.#stop.signal.aborted) return;
          mustList = false;
          onListed();
        }
        await this.#watch();
        if (clock.monotonicMs() - startMs >= HEALTHY_MS) failures = 0;
        else failures++;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (isExpired(error)) {
          mustList = true;
          this.#reached("");
        }
        if (clock.monotonicMs() - startMs >= HEALTHY_MS) failures = 0;
        failures++;
        const { plural } = this.#resource;
        logger.debug("list and watch interrupted", { resource: plural, failures, error });
        if (failures === 5) logger.warn("cannot list and watch", { resource: plural, error });
      }
      if (failures === 0) continue;
      const delayMs = backoffDelayMs(BACKOFF, failures) * (0.5 + random.float());
      await sleep(clock, delayMs, this.#stop.signal);
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #list(): Promise<void> {
    // The first list may come from any cache; after "Expired" only the newest state will do.
    const resourceVersion = this.#cache.list().length === 0 && !this.#revision ? "0" : undefined;
    const resource = this.#deps.client.for(this.#resource);
    const listing = resource.list({ ...this.#selection, resourceVersion });
    const list = await this.#unlessStopped(listing);
    if (!list) return;
    this.#reached(list.metadata.resourceVersion);
    this.#report(this.#cache.replace(list.items.map(this.#project)));
  }

  /** Resolves when the server ends the watch, rejects with the error that ended it. */
  async #watch(): Promise<void> {
    const { client, random } = this.#deps;
    const { promise: ended, resolve, reject } = withResolvers();
    ended.catch(() => {});
    let open = true;
    const isOpen = () => open && !this.#stop.signal.aborted;
    const query = {
      ...this.#selection,
      resourceVersion: this.#revision,
      allowBookmarks: true,
      timeoutSeconds: Math.floor(WATCH_MIN_SECONDS * (1 + random.float())),
    };
    const opening = client.for(this.#resource).watch(query, {
      keeps: this.#keeps,
      event: (type, object) => {
        if (isOpen()) this.#apply(type, object as T);
      },
      closed: (error) => (error ? reject(error) : resolve()),
    });
    let watch: Disposable | undefined;
    const following = opening.then((opened) => {
      watch = opened;
      // The reflector stopped while the watch was on its way.
      if (!isOpen()) opened[Symbol.dispose]();
      return ended;
    });
    following.catch(() => {});
    try {
      await this.#unlessStopped(following);
    } finally {
      open = false;
      watch?.[Symbol.dispose]();
    }
  }

  /** The work's result, or `undefined` as soon as the reflector stops. */
  async #unlessStopped<R>(work: Promise<R>): Promise<R | undefined> {
    const { signal } = this.#stop;
    const { promise: stopped, resolve } = withResolvers();
    signal.addEventListener("abort", resolve, { once: true });
    if (signal.aborted) resolve();
    try {
      const result = await Promise.race([work, stopped]);
      return signal.aborted ? undefined : (result as R);
    } finally {
      signal.removeEventListener("abort", resolve);
    }
  }

  #apply(type: WatchEventType, object: T): void {
    const { resourceVersion = "" } = metadataOf(object);
    const revision = decimalOf(resourceVersion);
    if (isOlder(revision, this.#revisionNumber)) return;
    this.#revision = resourceVersion;
    this.#revisionNumber = revision;
    if (type === "BOOKMARK") return;
    const kept = this.#project(object);
    const change = type === "DELETED" ? this.#cache.remove(kept) : this.#cache.put(kept);
    if (change) this.#report([change]);
  }

  #reached(revision: string): void {
    this.#revision = revision;
    this.#revisionNumber = decimalOf(revision);
  }
}

/**
 * Whether an event repeats what the cache already reflects. Revisions are decimal numbers here
 * and in Kubernetes itself; whatever else a server sends is taken as new.
 */
function isOlder(revision: number | undefined, than: number | undefined): boolean {
  return revision !== undefined && than !== undefined && revision <= than;
}

/** The number that a text of digits alone says. */
function decimalOf(text: string): number | undefined {
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return text === "" ? undefined : value;
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
} {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
