import { notFound, StatusError } from "../../api/errors.ts";
import type { Store } from "../../store/store.ts";
import { isStoreError } from "../../store/errors.ts";
import { keyOf } from "../kube-object.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { Selection } from "../watch-cache/selection.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Answer, Call, ObjectPage } from "./call.ts";
import { type ContinuePoint, decodeContinue, encodeContinue } from "./continue-token.ts";
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
  await reach(engine, served.cache, freshnessOfGet(call.query));
  const object = served.cache.get(keyOfCall(call));
  if (!object) throw notFound(served.resource, call.target.name ?? "");
  return { kind: "object", status: 200, served, object };
}

/** GET of a collection. */
export async function listObjects(engine: ReadEngine, call: Call): Promise<Answer> {
  const freshness = freshnessOfList(call.query);
  const selection = selectionOf(call);
  const limit = limitOf(call);
  const token = call.query.get("continue");
  const list = await pageOf(engine, call, { freshness, selection, limit, token });
  return { kind: "list", status: 200, served: call.served, list };
}

function limitOf(call: Call): number {
  const text = call.query.get("limit");
  if (text === undefined) return 0;
  if (!/^\d+$/.test(text)) throw new StatusError("BadRequest", `invalid limit: "${text}"`);
  return Number(text);
}

async function reach(engine: ReadEngine, cache: WatchCache, freshness: Freshness): Promise<void> {
  if (freshness.kind === "notOlderThan") await cache.waitFor(freshness.revision);
  else if (freshness.kind === "newest" && engine.sharedStore) await cache.refresh();
}

interface PageRequest {
  freshness: Freshness;
  selection: Selection;
  limit: number;
  token: string | undefined;
}

async function pageOf(engine: ReadEngine, call: Call, page: PageRequest): Promise<ObjectPage> {
  const { freshness, selection, limit, token } = page;
  const { cache } = call.served;
  if (token !== undefined) {
    const point = decodeContinue(token);
    if (point.revision > 0) return historicPage(engine, call, { selection, limit, point });
    await cache.refresh();
    return cachedPage(call, { selection, limit, start: point.start });
  }
  if (freshness.kind === "exact") {
    if (freshness.revision > cache.revision) await cache.waitFor(freshness.revision);
    const point = { revision: freshness.revision, start: "" };
    return historicPage(engine, call, { selection, limit, point });
  }
  if (freshness.kind === "newest") await cache.refresh();
  else await reach(engine, cache, freshness);
  if (limit > 0) return cachedPage(call, { selection, limit });
  return { items: cache.list(selection), revision: cache.revision };
}

/** A page of the newest state. */
function cachedPage(
  call: Call,
  page: { selection: Selection; limit: number; start?: string },
): ObjectPage {
  const { cache } = call.served;
  const { selection, limit } = page;
  const { revision } = cache;
  if (selection.key !== undefined) return { items: cache.list(selection), revision };
  const items: CachedObject[] = [];
  const keys = cache.keys(selection.prefix, page.start);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const object = cache.get(key);
    if (!object || !selection.coversKey(key) || !selection.matches(object)) continue;
    if (limit > 0 && items.length === limit) {
      const more = encodeContinue({ revision, start: key });
      const remaining = hasSelectors(call) ? {} : { remaining: keys.length - at };
      return { items, revision, continue: more, ...remaining };
    }
    items.push(object);
  }
  return { items, revision };
}

/** A page of the state as of one revision, from the history of the store. */
async function historicPage(
  engine: ReadEngine,
  call: Call,
  page: { selection: Selection; limit: number; point: ContinuePoint },
): Promise<ObjectPage> {
  const { selection, limit, point } = page;
  const { storage } = call.served;
  const prefix = selection.key ?? selection.prefix;
  const items: CachedObject[] = [];
  let { start } = point;
  for (;;) {
    const found = await listAt(engine, storage, {
      prefix,
      ...(start ? { start } : {}),
      ...(limit > 0 ? { limit: limit + 1 } : {}),
      revision: point.revision,
    });
    for (const [at, item] of found.items.entries()) {
      const bytes = call.served.splice(item.bytes, item.revision);
      const object = new CachedObject(item.key, item.revision, bytes);
      if (!selection.coversKey(item.key) || !selection.matches(object)) continue;
      if (limit > 0 && items.length === limit) {
        const more = encodeContinue({ revision: point.revision, start: item.key });
        const remaining = hasSelectors(call)
          ? {}
          : { remaining: found.remaining + found.items.length - at };
        return { items, revision: point.revision, continue: more, ...remaining };
      }
      items.push(object);
    }
    const last = found.items.at(-1);
    if (found.remaining === 0 || !last) return { items, revision: point.revision };
    start = `${last.key}\0`;
  }
}

async function listAt(
  engine: ReadEngine,
  storage: string,
  options: { prefix: string; start?: string; limit?: number; revision: number },
) {
  try {
    return await engine.store.list(storage, options);
  } catch (error) {
    if (!isStoreError(error, "compacted")) throw error;
    const { start } = options;
    throw new StatusError(
      "Expired",
      start
        ? "The provided continue parameter is too old to display a consistent list result. " +
            "You can start a new list without the continue parameter, or use the continue token " +
            "in this response to retrieve the remainder of the results."
        : `The resourceVersion for the provided list is too old.`,
      start ? { continueToken: encodeContinue({ revision: -1, start }), cause: error } : {},
    );
  }
}
