import type { CacheEvent } from "./cache-event.ts";
import type { AttributesOf, CachedObject } from "./cached-object.ts";
import { dimensionOf, type Pin, valueAt } from "./pin.ts";
import type { Selection } from "./selection.ts";

/** Receives what happens to a resource. Called in revision order and never concurrently. */
export interface Subscriber {
  /** Must not throw. */
  deliver(event: CacheEvent): void;
  /** The cache closes; nothing more will come. */
  ended(): void;
}

type Group = Map<string, Set<Subscriber>>;

/**
 * Finds the subscribers that an event may concern: a thousand node agents that each watch their
 * own pods must not all look at every pod. They still have to check: only one condition of their
 * selection is indexed.
 */
export class SubscriberIndex implements Iterable<Subscriber> {
  readonly #attributesOf: AttributesOf;
  readonly #members = new Set<Subscriber>();
  readonly #unselective = new Set<Subscriber>();
  readonly #byKey: Group = new Map();
  readonly #byNamespace: Group = new Map();
  readonly #byDimension = new Map<string, { at: Pin; group: Group }>();

  constructor(attributesOf: AttributesOf) {
    this.#attributesOf = attributesOf;
  }

  add(subscriber: Subscriber, selection: Selection | undefined): Disposable {
    const leave = this.#place(subscriber, selection);
    this.#members.add(subscriber);
    return {
      [Symbol.dispose]: () => {
        this.#members.delete(subscriber);
        leave();
      },
    };
  }

  [Symbol.iterator](): Iterator<Subscriber> {
    return this.#members[Symbol.iterator]();
  }

  /** Hands every subscriber that the event may concern to `visit`, each once. */
  visit(event: CacheEvent, visit: (subscriber: Subscriber) => void): void {
    const { key, previous } = event;
    this.#unselective.forEach(visit);
    this.#byKey.get(key)?.forEach(visit);
    if (this.#byNamespace.size > 0) this.#byNamespace.get(namespaceOf(key))?.forEach(visit);
    for (const { at, group } of this.#byDimension.values()) {
      const value = this.#valueOf((event.removed && previous) || event.object, at);
      if (value !== undefined) group.get(value)?.forEach(visit);
      const before = previous && this.#valueOf(previous, at);
      if (before !== undefined && before !== value) group.get(before)?.forEach(visit);
    }
  }

  #valueOf(object: CachedObject, at: Pin): string | undefined {
    return valueAt(object.attributes(this.#attributesOf), at);
  }

  /** Where it is found, by the condition that tells most for least; returns how to leave it. */
  #place(subscriber: Subscriber, selection: Selection | undefined): () => void {
    if (selection?.key !== undefined) return join(this.#byKey, selection.key, subscriber);
    const field = selection?.pins.find((pin) => pin.of === "fields");
    if (field) return this.#pin(subscriber, field);
    if (selection?.prefix) return join(this.#byNamespace, selection.prefix, subscriber);
    const [label] = selection?.pins ?? [];
    if (label) return this.#pin(subscriber, label);
    this.#unselective.add(subscriber);
    return () => this.#unselective.delete(subscriber);
  }

  #pin(subscriber: Subscriber, pin: Pin): () => void {
    const name = dimensionOf(pin);
    const dimension = this.#byDimension.get(name) ?? { at: pin, group: new Map() };
    this.#byDimension.set(name, dimension);
    const leave = join(dimension.group, pin.value, subscriber);
    return () => {
      leave();
      if (dimension.group.size === 0) this.#byDimension.delete(name);
    };
  }
}

function join(group: Group, name: string, subscriber: Subscriber): () => void {
  const set = group.get(name) ?? new Set();
  group.set(name, set.add(subscriber));
  return () => {
    set.delete(subscriber);
    if (set.size === 0 && group.get(name) === set) group.delete(name);
  };
}

/** The prefix that the keys of a namespace share; cluster-scoped keys have none. */
function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}
