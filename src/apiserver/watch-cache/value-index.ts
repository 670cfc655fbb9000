import type { AttributesOf, CachedObject } from "./cached-object.ts";
import { dimensionOf, type Pin, valueAt } from "./pin.ts";

/** Dimensions that lists asked for least recently are forgotten beyond so many. */
const DIMENSIONS_MAX = 4;
/** A dimension may always be so many changes behind, and more when there are many objects. */
const STALE_MIN = 256;

/** The keys of the objects that have one value. */
interface Bucket {
  keys: Set<string>;
  /** The same in order; made when asked for. */
  sorted: readonly string[] | undefined;
}

/**
 * Finds the objects that have a value of a label or field without looking at the others. A
 * dimension is indexed when a list first asks for it, and then follows what changes, but only
 * when it is asked again: writes pay almost nothing.
 */
export class ValueIndex {
  readonly #objects: ReadonlyMap<string, CachedObject>;
  readonly #attributesOf: AttributesOf;
  readonly #dimensions = new Map<string, Dimension>();

  constructor(objects: ReadonlyMap<string, CachedObject>, attributesOf: AttributesOf) {
    this.#objects = objects;
    this.#attributesOf = attributesOf;
  }

  /** To be told of every change; `before` is the state that was replaced or removed. */
  changed(key: string, before: CachedObject | undefined): void {
    for (const [name, dimension] of this.#dimensions) {
      dimension.changed(key, before);
      // It would hold on to too many states that are history; a list that needs it makes it anew.
      if (dimension.staleCount > STALE_MIN && dimension.staleCount * 4 > this.#objects.size)
        this.#dimensions.delete(name);
    }
  }

  /** Keys in order of the objects that have the value of the pin. */
  keysOf(pin: Pin): readonly string[] {
    const name = dimensionOf(pin);
    const dimension = this.#dimensions.get(name) ?? this.#createDimension(pin);
    // The last one in the map is the one that was used last.
    this.#dimensions.delete(name);
    this.#dimensions.set(name, dimension);
    if (this.#dimensions.size > DIMENSIONS_MAX) {
      const [oldest = ""] = this.#dimensions.keys();
      this.#dimensions.delete(oldest);
    }
    return dimension.keysOf(pin.value);
  }

  #createDimension(pin: Pin): Dimension {
    const valueOf = (object: CachedObject) => valueAt(object.attributes(this.#attributesOf), pin);
    return new Dimension(this.#objects, valueOf);
  }
}

class Dimension {
  readonly #objects: ReadonlyMap<string, CachedObject>;
  readonly #valueOf: (object: CachedObject) => string | undefined;
  readonly #buckets = new Map<string, Bucket>();
  /** What changed since the buckets were true, with the state that they know. */
  readonly #stale = new Map<string, CachedObject | undefined>();

  constructor(
    objects: ReadonlyMap<string, CachedObject>,
    valueOf: (object: CachedObject) => string | undefined,
  ) {
    this.#objects = objects;
    this.#valueOf = valueOf;
    for (const [key, object] of objects) this.#add(key, object);
  }

  get staleCount(): number {
    return this.#stale.size;
  }

  changed(key: string, before: CachedObject | undefined): void {
    if (!this.#stale.has(key)) this.#stale.set(key, before);
  }

  keysOf(value: string): readonly string[] {
    for (const [key, before] of this.#stale) {
      if (before) this.#remove(key, before);
      const object = this.#objects.get(key);
      if (object) this.#add(key, object);
    }
    this.#stale.clear();
    const bucket = this.#buckets.get(value);
    if (!bucket) return [];
    bucket.sorted ??= [...bucket.keys].sort();
    return bucket.sorted;
  }

  #add(key: string, object: CachedObject): void {
    const value = this.#valueOf(object);
    if (value === undefined) return;
    const bucket = this.#buckets.get(value) ?? { keys: new Set(), sorted: undefined };
    this.#buckets.set(value, bucket);
    bucket.keys.add(key);
    bucket.sorted = undefined;
  }

  #remove(key: string, before: CachedObject): void {
    const value = this.#valueOf(before);
    const bucket = value === undefined ? undefined : this.#buckets.get(value);
    if (!bucket?.keys.delete(key)) return;
    bucket.sorted = undefined;
    if (bucket.keys.size === 0) this.#buckets.delete(value as string);
  }
}
