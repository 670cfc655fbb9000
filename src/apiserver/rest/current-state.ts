import { conflict, notFound } from "../../api/errors.ts";
import { spliceResourceVersion } from "../../format/json-canonical.ts";
import { isStoreError } from "../../store/errors.ts";
import type { StoredObject } from "../../store/store.ts";
import type { Engine } from "../engine.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { Answer, Call } from "./call.ts";
import { keyOfCall } from "./read.ts";

/** A write that rests on what is there gives up after so many lost races. */
const ATTEMPTS_MAX = 32;

export const STALE =
  "the object has been modified; please apply your changes to the latest version and try again";

/**
 * Reads, changes and writes one object, as often as others interfere. The first attempt takes the
 * cache at its word: the store refuses what rests on an old state, and what an old state made
 * impossible is tried again with the newest one. @throws StatusError Conflict when races are lost
 */
export async function changeCurrent(
  engine: Engine,
  call: Call,
  of: {
    change: (current: CachedObject) => Promise<Answer>;
    /** What to do when there is no such object; the default is 404. */
    absent?: (() => Promise<Answer>) | undefined;
  },
): Promise<Answer> {
  const { served } = call;
  const key = keyOfCall(call);
  let cached = served.cache.get(key);
  for (let attempt = 1; ; attempt++) {
    const current = cached ?? (await newestState(engine, served, key));
    if (!current) {
      if (of.absent) return of.absent();
      throw notFound(served.resource, call.target.name ?? "");
    }
    try {
      return await of.change(current);
    } catch (error) {
      const lost = isStoreError(error, "conflict") || isStoreError(error, "not-found");
      if (!lost && !(cached && (await isOutdated(engine, served, cached)))) throw error;
      if (attempt >= ATTEMPTS_MAX) throw conflict(served.resource, call.target.name ?? "", STALE);
      cached = undefined;
    }
  }
}

/** The newest accepted state, be it durable yet or not: only for a write that follows it. */
async function newestState(
  engine: Engine,
  served: ServedResource,
  key: string,
): Promise<CachedObject | undefined> {
  const stored = await engine.store.getForUpdate(served.storage, key);
  if (!stored) return undefined;
  const cached = served.cache.get(key);
  return cached?.revision === stored.revision ? cached : asServed(served, stored);
}

/** What the store holds, as the cache would hold it. */
export function asServed(
  served: ServedResource,
  { key, revision, bytes }: StoredObject,
): CachedObject {
  return new CachedObject(key, revision, served.splice(bytes, revision));
}

/**
 * The object without loss, in the version that is served, for one write that leaves it as it is.
 * Only what others convert has to be waited for.
 */
export function servedState(
  { conversion }: ServedResource,
  state: CachedObject,
): KubeObject | Promise<KubeObject> {
  if (!conversion) return state.exactGlance();
  return conversion.toServed([state]).then(([converted = state]) => converted.exactGlance());
}

/** Whether bytes without a resourceVersion are what is there. */
export function isContentOf(
  served: ServedResource,
  bytes: Uint8Array,
  current: CachedObject,
): boolean {
  if (!isOfSameSize(served, bytes, current)) return false;
  return Buffer.compare(served.splice(bytes, current.revision), current.bytes) === 0;
}

/**
 * Whether bytes without a resourceVersion may say what is there, in whatever order: JSON of the
 * same content has the same length. Of what is stored in another form nothing can be told.
 */
export function isOfSameSize(
  served: ServedResource,
  bytes: Uint8Array,
  { bytes: known, revision }: CachedObject,
): boolean {
  if (served.splice !== spliceResourceVersion) return true;
  const versionSize = known.byteLength - bytes.byteLength;
  // Most writes change the size: then nothing has to be put together.
  return versionSize > 0 && versionSize === `"resourceVersion":"${revision}",`.length;
}

/** Answers with a state that a write left as it is, once it is durable. */
export async function answerUnchanged(
  served: ServedResource,
  of: { current: CachedObject; status: number },
): Promise<Answer> {
  const { current, status } = of;
  await served.cache.waitFor(current.revision);
  return { kind: "object", status, served, object: current };
}

async function isOutdated(
  engine: Engine,
  { storage }: ServedResource,
  { key, revision }: CachedObject,
): Promise<boolean> {
  return (await engine.store.getForUpdate(storage, key))?.revision !== revision;
}
