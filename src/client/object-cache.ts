import type { Change } from "./informer.ts";

/** What every Kubernetes object has that caches look at. */
export interface ObjectWithMetadata {
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    ownerReferences?: readonly { uid?: string; controller?: boolean }[];
  };
}

interface Index<T> {
  valuesOf: (object: T) => readonly string[];
  /** Keys of objects: most changes of an object leave them where they are. */
  keys: Map<string, Set<string>>;
}

/** Name of the index from a controller's UID to the objects that it owns. */
export const CONTROLLER_INDEX = "controller";

/** Objects by name, with indexes that follow every change. Holds references, never copies. */
export class ObjectCache<T> {
  readonly #objects = new Map<string, T>();
  readonly #byNamespace: Index<T> = { valuesOf: namespaces, keys: new Map() };
  readonly #byController: Index<T> = { valuesOf: controllerUids, keys: new Map() };
  /** Those that were asked for. */
  readonly #indexes = new Map<string, Index<T>>();

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(cacheKey(namespace, name));
  }

  list(namespace?: string): T[] {
    if (namespace) return this.#lookUp(this.#byNamespace, namespace);
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): T[] {
    const index = name === CONTROLLER_INDEX ? this.#byController : this.#indexes.get(name);
    if (!index) throw new Error(`Cannot look up index "${name}": it was not declared`);
    return this.#lookUp(index, value);
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    const index: Index<T> = { valuesOf, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, valuesOf(object));
  }

  removeIndex(name: string): void {
    this.#indexes.delete(name);
  }

  /** Stores the object; `undefined` when it replaces an equal version. */
  put(object: T): Change<T> | undefined {
    const key = keyOfObject(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    if (previous === undefined) {
      for (const index of this.#all()) insert(index, key, index.valuesOf(object));
      return { type: "added", object };
    }
    const change = { previous, object };
    if (!hasSameOwners(change)) move(this.#byController, key, change);
    for (const index of this.#indexes.values()) move(index, key, change);
    const { resourceVersion } = metadataOf(object);
    const same = resourceVersion && resourceVersion === metadataOf(previous).resourceVersion;
    return same ? undefined : { type: "updated", object, previous };
  }

  /** Forgets the object of that name; its last state is the one given. */
  remove(object: T): Change<T> | undefined {
    const key = keyOfObject(object);
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#all()) remove(index, key, index.valuesOf(previous));
    return { type: "deleted", object };
  }

  /** Makes the cache hold exactly `objects` and tells what that changed, deletions first. */
  replace(objects: readonly T[]): Change<T>[] {
    const present = new Map(objects.map((object) => [keyOfObject(object), object]));
    const changes: (Change<T> | undefined)[] = [];
    for (const [key, previous] of this.#objects) {
      const next = present.get(key);
      // The same name with another UID is another object: its predecessor was deleted unseen.
      const gone = next === undefined || metadataOf(next).uid !== metadataOf(previous).uid;
      if (gone) changes.push(this.remove(previous));
    }
    for (const object of objects) changes.push(this.put(object));
    return changes.filter((change) => change !== undefined);
  }

  #all(): Index<T>[] {
    return [this.#byNamespace, this.#byController, ...this.#indexes.values()];
  }

  #lookUp(index: Index<T>, value: string): T[] {
    return Array.from(index.keys.get(value) ?? [], (key) => this.#objects.get(key) as T);
  }
}

/** "namespace/name", or "name" outside namespaces. */
export function cacheKey(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The metadata of any object; an empty one when it has none. */
export function metadataOf(object: unknown): NonNullable<ObjectWithMetadata["metadata"]> {
  return (object as ObjectWithMetadata).metadata ?? {};
}

function keyOfObject(object: unknown): string {
  const { namespace, name = "" } = metadataOf(object);
  return cacheKey(namespace, name);
}

function namespaces(object: unknown): readonly string[] {
  const { namespace } = metadataOf(object);
  return namespace ? [namespace] : [];
}

function controllerUids(object: unknown): readonly string[] {
  const owner = metadataOf(object).ownerReferences?.find(({ controller }) => controller);
  return owner?.uid ? [owner.uid] : [];
}

/** Whether a change left the owners untouched, as nearly all do. */
function hasSameOwners({ previous, object }: { previous: unknown; object: unknown }): boolean {
  return metadataOf(previous).ownerReferences === metadataOf(object).ownerReferences;
}

function move<T>(index: Index<T>, key: string, of: { previous: T; object: T }): void {
  const before = index.valuesOf(of.previous);
  const after = index.valuesOf(of.object);
  const isSame = before.length === after.length && before.every((value, at) => value === after[at]);
  if (isSame) return;
  remove(index, key, before);
  insert(index, key, after);
}

function insert<T>(index: Index<T>, key: string, values: readonly string[]): void {
  for (const value of values) {
    const keys = index.keys.get(value);
    if (keys) keys.add(key);
    else index.keys.set(value, new Set([key]));
  }
}

function remove<T>(index: Index<T>, key: string, values: readonly string[]): void {
  for (const value of values) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}
