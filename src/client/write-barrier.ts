import { type Resource, storageNameOf } from "../api/resource.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Informer } from "./informer.ts";
import { metadataOf } from "./object-cache.ts";

/** A cache that does not catch up in this time has lost its connection: go on, it will retry. */
const PATIENCE_MS = 5_000;
const POLL_MS = 2;

/**
 * Holds a key back until the caches reflect what its last reconcile wrote. Without it a controller
 * that has just created three pods might run again before it sees them, and create three more.
 */
export class WriteBarrier {
  readonly #informers: readonly Informer<unknown>[];
  readonly #clock: Clock;
  /** Newest written revision by key and resource. */
  readonly #written = new Map<string, Map<string, number>>();

  constructor(informers: readonly Informer<unknown>[], clock: Clock) {
    this.#informers = informers;
    this.#clock = clock;
  }

  /** Notes that reconciling `key` wrote `object`; answers without a revision are ignored. */
  wrote(key: string, resource: Resource, object: unknown): void {
    const revision = Number(metadataOf(object ?? {}).resourceVersion);
    if (!Number.isSafeInteger(revision)) return;
    const name = storageNameOf(resource);
    const written = this.#written.get(key) ?? new Map<string, number>();
    this.#written.set(key, written.set(name, Math.max(revision, written.get(name) ?? 0)));
  }

  /** Resolves when a reconcile of `key` would see its own writes. */
  async wait(key: string, signal: AbortSignal): Promise<void> {
    const written = this.#written.get(key);
    if (!written) return;
    this.#written.delete(key);
    const deadlineMs = this.#clock.monotonicMs() + PATIENCE_MS;
    while (!signal.aborted && this.#clock.monotonicMs() < deadlineMs) {
      if (this.#informers.every((informer) => reflects(informer, written))) return;
      await sleep(this.#clock, POLL_MS, signal);
    }
  }
}

function reflects(informer: Informer<unknown>, written: ReadonlyMap<string, number>): boolean {
  const revision = written.get(storageNameOf(informer.resource));
  return revision === undefined || Number(informer.revision) >= revision;
}
