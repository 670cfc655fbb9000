import { notFound, StatusError } from "../../api/errors.ts";
import type { Store } from "../../store/store.ts";
import { isStoreError } from "../../store/errors.ts";
import { keyOf } from "../kube-object.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { Selection } from "../watch-cache/selection.ts";
import type { StateView } from "../watch-cache/state-view.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Answer, Call, ObjectPage } from "./call.ts";
import { type ContinuePoint, decodeContinue, encodeContinue } from "./continue-token.ts";
import { checkListOptions, type ListOptions, listOptionsOf } from "./list-options.ts";
import { type Freshness, freshnessOfGet, freshnessOfList } from "./resource-version.ts";
import { hasSelectors, selectionOf } from "./selection-of.ts";

/** What reads need of the engine. */
export interface ReadEngine {
  store: Store;
  /** Other servers write to the same store, so that the cache alone may lag behind them. */
  sharedStore: boolean;
}

/** Key of the object that the call names. */
export function keyOfCall(call: Call): string {
  const namespace = call.served.resource.namespaced ? call.target.namespace : undefined;
  return keyOf(namespace, call.target.name ?? "");
}

/** GET of one object: bytes out of the cache, without parsing. */
export async function getObject(engine: ReadEngine, call: Call): Promise<Answer> {
  const { served } = call;
  if (call.query.flag("export")) {
    throw new StatusError("BadRequest", "objects are no longer exported: leave out export");
  }
  const freshness = freshnessOfGet(call.query);
  if (!isReached(engine, freshness)) await reach(engine, served.cache, freshness);
  const object = served.cache.get(keyOfCall(call));
  if (!object) throw notFound(served.resource, call.target.name ?? "");
  return { kind: "object", status: 200, served, object };
}

/** GET of a collection. */
export async function listObjects(engine: ReadEngine, call: Call): Promise<Answer> {
  const list = await listPage(engine, call);
  return { kind: "list", status: 200, served: call.served, list };
}

/** What the query of the call selects, or a page of it. */
export function listPage(engine: ReadEngine, call: Call): Promise<ObjectPage> {
  const options = listOptionsOf(call.query);
  checkListOptions(options);
  const selection = selectionOf(call);
  return pageOf(engine, call, { options, selection });
}

/** Whether the cache is fresh enough as it is; most reads need not wait even for a microtask. */
function isReached({ sharedStore }: ReadEngine, { kind }: Freshness): boolean {
  return kind === "any" || (kind === "newest" && !sharedStore);
}

async function reach(engine: ReadEngine, cache: WatchCache, freshness: Freshness): Promise<void> {
  if (freshness.kind === "notOlderThan") await cache.waitFor(freshness.revision);
  else if (freshness.kind === "newest" && engine.sharedStore) await cache.refresh();
}

async function pageOf(
  engine: ReadEngine,
  call: Call,
  { options, selection }: { options: ListOptions; selection: Selection },
): Promise<ObjectPage> {
  const { cache } = call.served;
  const { limit } = options;
  if (options.continue !== undefined) {
    const { revision, start } = continuePointOf(options.continue, options, selection);
    if (revision > 0) return pageAt(engine, call, { selection, limit, revision, start });
    await cache.refresh();
    return pageOfState(cache, call, { selection, limit, start });
  }
  const freshness = freshnessOfList(options);
  if (freshness.kind === "exact") {
    const { revision } = freshness;
    return pageAt(engine, call, { selection, limit, revision, start: "" });
  }
  if (freshness.kind === "newest") await cache.refresh();
  else await reach(engine, cache, freshness);
  if (limit > 0) return pageOfState(cache, call, { selection, limit, start: "" });
  return { items: cache.list(selection), revision: cache.revision };
}

function continuePointOf(token: string, options: ListOptions, selection: Selection): ContinuePoint {
  const point = decodeContinue(token, selection.prefix);
  const { resourceVersion } = options;
  if (resourceVersion === undefined || resourceVersion === "0") return point;
  throw new StatusError(
    "BadRequest",
    "specifying resource version is not allowed when using continue",
  );
}

/** What to take of a state: up to `limit` selected objects from the key `start` on. */
interface PageRange {
  selection: Selection;
  limit: number;
  start: string;
}

/** A page of the state as of exactly `revision`. */
async function pageAt(
  engine: ReadEngine,
  call: Call,
  page: PageRange & { revision: number },
): Promise<ObjectPage> {
  const { cache } = call.served;
  const { revision } = page;
  if (revision > cache.revision) await cache.waitFor(revision);
  // What the store has forgotten has expired, even if the cache could still tell.
  if (revision < (await engine.store.oldestRevision())) throw expired(page);
  const state = cache.stateAt(revision);
  if (state) return pageOfState(state, call, page);
  try {
    return await storedPage(engine, call, page);
  } catch (error) {
    throw isStoreError(error, "compacted") ? expired(page, error) : error;
  }
}

function pageOfState(
  state: StateView,
  call: Call,
  { selection, limit, start }: PageRange,
): ObjectPage {
  const { revision } = state;
  if (selection.key !== undefined) {
    const object = state.get(selection.key);
    return { items: object && selection.matches(object) ? [object] : [], revision };
  }
  const items: CachedObject[] = [];
  const keys = state.keys(selection.prefix, start);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const object = state.get(key);
    if (!object || !selection.coversKey(key) || !selection.matches(object)) continue;
    if (limit > 0 && items.length === limit) {
      return unfinished(call, { items, revision, selection, remaining: keys.length - at });
    }
    items.push(object);
  }
  return { items, revision };
}

/** A page from the history of the store. */
async function storedPage(
  engine: ReadEngine,
  call: Call,
  page: PageRange & { revision: number },
): Promise<ObjectPage> {
  const { selection, limit, revision } = page;
  const { storage, splice } = call.served;
  const prefix = selection.key ?? selection.prefix;
  const items: CachedObject[] = [];
  let { start } = page;
  for (;;) {
    const found = await engine.store.list(storage, {
      prefix,
      ...(start ? { start } : {}),
      ...(limit > 0 ? { limit: limit + 1 } : {}),
      revision,
    });
    for (const [at, item] of found.items.entries()) {
      const object = new CachedObject(item.key, item.revision, splice(item.bytes, item.revision));
      if (!selection.coversKey(item.key) || !selection.matches(object)) continue;
      if (limit > 0 && items.length === limit) {
        const remaining = found.remaining + found.items.length - at;
        return unfinished(call, { items, revision, selection, remaining });
      }
      items.push(object);
    }
    const last = found.items.at(-1);
    if (found.remaining === 0 || !last) return { items, revision };
    start = after(last.key);
  }
}

/** A page that others follow. How many is only told of whole collections. */
function unfinished(
  call: Call,
  of: { items: CachedObject[]; revision: number; selection: Selection; remaining: number },
): ObjectPage {
  const { items, revision, selection, remaining } = of;
  const start = after(items.at(-1)?.key ?? "");
  return {
    items,
    revision,
    continue: encodeContinue({ revision, start }, selection.prefix),
    ...(hasSelectors(call) ? {} : { remaining }),
  };
}

/** The first key that could follow. */
function after(key: string): string {
  return `${key}\0`;
}

/** A list that was begun may go on in the newest state; upstream offers that with the refusal. */
function expired({ selection, start }: PageRange, cause?: unknown): StatusError {
  if (!start) {
    const text = "The resourceVersion for the provided list is too old.";
    return new StatusError("Expired", text, { cause });
  }
  return new StatusError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. " +
      "You can start a new list without the continue parameter, or use the continue token " +
      "in this response to retrieve the remainder of the results. Continuing with the provided " +
      "token results in an inconsistent list - objects that were created, modified, or deleted " +
      "between the time the first chunk was returned and now may show up in the list.",
    { continueToken: encodeContinue({ revision: -1, start }, selection.prefix), cause },
  );
}
