import type { Lister } from "../client/informer.ts";
import { formatTime } from "../lib/clock.ts";
import { type ApiObject, isTerminating, uidOf } from "./ownership.ts";

/** Entries older than this were missed by the cache for good, so they no longer count. */
const FORGET_AFTER_MS = 5 * 60_000;
/** A cache that was listed anew never tells of what came and went in between. */
const LOOK_AGAIN_MS = 5_000;

interface Written<T> {
  object: T;
  atMs: number;
}

interface OwnerWrites<T> {
  created: Map<string, Written<T>>;
  deleted: Map<string, number>;
  /** By UID: our version, and the version it replaced. */
  updated: Map<string, { object: T; replaced: string | undefined }>;
  inFlight: number;
  /** Seen while creates were in flight: the watch may be quicker than the answer. */
  seen: Set<string>;
}

/** The part of a cache that a view is made of. */
type OwnerCache<T> = Pick<Lister<T>, "ownedBy" | "revision">;

/**
 * What a controller wrote that its cache does not show yet. Planning on `view` instead of the bare
 * cache gives a controller its own writes back, so that a lagging cache never makes it create a
 * pod too many or delete one too many. Upstream calls the same guard "expectations" and waits; a
 * view lets the next step be planned at once.
 */
export class WriteOverlay<T extends ApiObject> {
  readonly #owners = new Map<string, OwnerWrites<T>>();

  /** Must see every change of the cache (call it from `keysOf`). */
  observe(ownerUid: string, object: T): void {
    const writes = this.#owners.get(ownerUid);
    if (!writes) return;
    writes.created.delete(uidOf(object));
    if (writes.inFlight > 0) writes.seen.add(uidOf(object));
  }

  /** Runs a create and remembers its result until the cache shows it. */
  async create(ownerUid: string, run: () => Promise<T>, nowMs: () => number): Promise<T> {
    const writes = this.#writesOf(ownerUid);
    writes.inFlight++;
    try {
      const object = await run();
      if (!writes.seen.has(uidOf(object))) {
        writes.created.set(uidOf(object), { object, atMs: nowMs() });
      }
      return object;
    } finally {
      writes.inFlight--;
      if (writes.inFlight === 0) writes.seen.clear();
    }
  }

  /** Remembers an update until the cache moves on from the version that it replaced. */
  updated(ownerUid: string, before: T, after: T): void {
    const replaced = before.metadata?.resourceVersion;
    this.#writesOf(ownerUid).updated.set(uidOf(after), { object: after, replaced });
  }

  /** Remembers a deletion that the server accepted. */
  deleted(ownerUid: string, object: T, nowMs: number): void {
    this.#writesOf(ownerUid).deleted.set(uidOf(object), nowMs);
  }

  /**
   * The cached objects of an owner as they will be once the cache has caught up. What was deleted
   * is there and terminating until the cache says more: its name and its node are still taken.
   */
  view(ownerUid: string, cache: OwnerCache<T>, nowMs: number): T[] {
    const deleted = this.#owners.get(ownerUid)?.deleted;
    return this.#current(ownerUid, cache, nowMs).map((object) => {
      const atMs = deleted?.get(uidOf(object));
      return atMs === undefined ? object : terminating(object, atMs);
    });
  }

  /** The same without what was deleted; for kinds that are gone as soon as they are deleted. */
  remaining(ownerUid: string, cache: OwnerCache<T>, nowMs: number): T[] {
    const deleted = this.#owners.get(ownerUid)?.deleted;
    return this.#current(ownerUid, cache, nowMs).filter((object) => !deleted?.has(uidOf(object)));
  }

  #current(ownerUid: string, cache: OwnerCache<T>, nowMs: number): T[] {
    const cached = cache.ownedBy(ownerUid);
    const writes = this.#owners.get(ownerUid);
    if (!writes) return [...cached];
    const present = new Set(cached.map(uidOf));
    for (const [uid, { object, atMs }] of writes.created) {
      const known = present.has(uid) || reflects(cache.revision, object);
      if (known || nowMs - atMs > FORGET_AFTER_MS) writes.created.delete(uid);
    }
    const going = new Set(cached.filter(isTerminating).map(uidOf));
    for (const [uid, atMs] of writes.deleted) {
      // What the cache has not shown yet was not seen to go either.
      const isGone = !present.has(uid) && !writes.created.has(uid);
      const shown = going.has(uid) || isGone;
      if (shown || nowMs - atMs > FORGET_AFTER_MS) writes.deleted.delete(uid);
    }
    const versions = new Map(cached.map((one) => [uidOf(one), one.metadata?.resourceVersion]));
    for (const { object } of writes.created.values()) {
      versions.set(uidOf(object), object.metadata?.resourceVersion);
    }
    for (const [uid, { replaced }] of writes.updated) {
      if (versions.get(uid) !== replaced) writes.updated.delete(uid);
    }
    const view = [...cached, ...Array.from(writes.created.values(), ({ object }) => object)].map(
      (object) => writes.updated.get(uidOf(object))?.object ?? object,
    );
    const { created, deleted, updated } = writes;
    if (created.size + deleted.size + updated.size + writes.inFlight === 0) {
      this.#owners.delete(ownerUid);
    }
    return view;
  }

  /** When to reconcile the owner again: soon, while the cache does not show all of its writes. */
  requeueAfterMs(ownerUid: string, otherwise: number | undefined): number | undefined {
    const isPending = (this.#owners.get(ownerUid)?.created.size ?? 0) > 0;
    return isPending ? Math.min(LOOK_AGAIN_MS, otherwise ?? LOOK_AGAIN_MS) : otherwise;
  }

  /** Drops what is known of an owner that is gone. */
  forget(ownerUid: string): void {
    this.#owners.delete(ownerUid);
  }

  #writesOf(ownerUid: string): OwnerWrites<T> {
    let writes = this.#owners.get(ownerUid);
    if (!writes) {
      writes = {
        created: new Map(),
        deleted: new Map(),
        updated: new Map(),
        inFlight: 0,
        seen: new Set(),
      };
      this.#owners.set(ownerUid, writes);
    }
    return writes;
  }
}

/** Whether a cache at that revision would show the object if it still existed. */
function reflects(revision: string, { metadata }: ApiObject): boolean {
  const created = Number(metadata?.resourceVersion ?? Number.NaN);
  return revision !== "" && Number(revision) >= created;
}

function terminating<T extends ApiObject>(object: T, atMs: number): T {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: formatTime(atMs) } };
}
