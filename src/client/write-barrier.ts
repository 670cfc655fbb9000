import { type Resource, storageNameOf } from "../api/resource.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { ObjectRef } from "./client.ts";
import type { WriteTarget } from "./declared-client.ts";
import type { Informer } from "./informer.ts";
import { metadataOf } from "./object-cache.ts";

/** A cache that does not catch up in this time has lost its connection: go on, it will retry. */
const PATIENCE_MS = 5_000;
const POLL_MS = 2;

/** A version of an object that a cache shows although the server has another, or none. */
interface Outdated {
  informer: Informer<unknown>;
  ref: ObjectRef;
  resourceVersion: string | undefined;
}

/**
 * Holds a key back until the caches reflect what its last reconcile wrote. Without it a controller
 * that has just created three pods might run again before it sees them, and create three more.
 * A write that met another version than the cached one, or nothing, holds it back likewise: what
 * was planned on an owner that is gone would be collected, and planned again, without an end.
 */
export class WriteBarrier {
  readonly #informers: readonly Informer<unknown>[];
  readonly #clock: Clock;
  /** Newest written revision by key and resource. */
  readonly #written = new Map<string, Map<string, number>>();
  readonly #outdated = new Map<string, Outdated[]>();

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

  /** Notes that the server refused a write because it has another version of the object. */
  refused(key: string, resource: Resource, target: WriteTarget): void {
    const name = storageNameOf(resource);
    for (const informer of this.#informers) {
      if (storageNameOf(informer.resource) !== name) continue;
      const cached = informer.get(target.namespace, target.name);
      if (cached === undefined) continue;
      const { resourceVersion, uid } = metadataOf(cached);
      // The cache may have caught up while the write was on its way.
      const wasMeant =
        target.resourceVersion === undefined
          ? target.uid === undefined || target.uid === uid
          : target.resourceVersion === resourceVersion;
      if (!wasMeant) continue;
      const ref = { namespace: target.namespace, name: target.name };
      const outdated = this.#outdated.get(key) ?? [];
      this.#outdated.set(key, [...outdated, { informer, ref, resourceVersion }]);
    }
  }

  /** Resolves when a reconcile of `key` would see its own writes, and nothing known to be old. */
  async wait(key: string, signal: AbortSignal): Promise<void> {
    const written = this.#written.get(key);
    const outdated = this.#outdated.get(key) ?? [];
    if (!written && outdated.length === 0) return;
    this.#written.delete(key);
    this.#outdated.delete(key);
    const deadlineMs = this.#clock.monotonicMs() + PATIENCE_MS;
    const isCurrent = () =>
      this.#informers.every((informer) => !written || reflects(informer, written)) &&
      !outdated.some(isStillShown);
    while (!signal.aborted && this.#clock.monotonicMs() < deadlineMs) {
      if (isCurrent()) return;
      await sleep(this.#clock, POLL_MS, signal);
    }
  }
}

function isStillShown({ informer, ref, resourceVersion }: Outdated): boolean {
  const cached = informer.get(ref.namespace, ref.name);
  return cached !== undefined && metadataOf(cached).resourceVersion === resourceVersion;
}

function reflects(informer: Informer<unknown>, written: ReadonlyMap<string, number>): boolean {
  const revision = written.get(storageNameOf(informer.resource));
  return revision === undefined || Number(informer.revision) >= revision;
}
