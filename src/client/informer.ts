import type { Resource } from "../api/resource.ts";

/** What happened to an object in an informer's cache. */
export type Change<T> =
  | { type: "added"; object: T }
  | { type: "updated"; object: T; previous: T }
  | { type: "deleted"; object: T };

/** Read access to a cache that a watch keeps current. Objects are shared: copy before editing. */
export interface Lister<T> {
  get(namespace: string | undefined, name: string): T | undefined;
  /** All objects, or those of one namespace. Order is not defined. */
  list(namespace?: string): T[];
  /** Objects for which the index function `index` yielded `value`. */
  byIndex(index: string, value: string): T[];
  /** Objects controlled by the owner with this UID (index "controller", always present). */
  ownedBy(uid: string): T[];
  /** The newest resourceVersion that the cache reflects; "" before the first list. */
  readonly revision: string;
}

/** A list and a watch that never end: reconnects, relists on "Expired", reports every change. */
export interface Informer<T> extends Lister<T>, Disposable {
  readonly resource: Resource<T>;
  /** Resolves when the first list is in the cache and was reported. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** Adds an index; existing objects are indexed at once. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Reports present objects as "added", then every change, in order. Handlers must not throw. */
  onChange(handler: (change: Change<T>) => void): Disposable;
}

/** Shares one informer per resource and selector among all that ask. */
export interface InformerFactory extends AsyncDisposable {
  informer<T>(resource: Resource<T>, options?: InformerOptions): Informer<T>;
}

/** What part of a resource an informer follows. */
export interface InformerOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Keeps less of each object, so that a cache of many large objects stays small. */
  projection?: Projection;
}

/** A part of an object that is worth keeping. Informers with projections of one name are shared. */
export interface Projection {
  name: string;
  /** A new, smaller object; it keeps the name, namespace, uid and resourceVersion. */
  of(object: unknown): unknown;
}
