import type { Labels } from "../../lib/labels.ts";

/**
 * One label over all slots: each value is a domain with a small number, so that what happens per
 * domain is an array. Absent nodes and nodes without the label are in no domain (-1).
 */
export class LabelColumn {
  readonly key: string;
  /** Domain per slot, or -1. */
  ids: Int32Array;
  /** Changes whenever any slot changes its domain. */
  version = 0;
  /** Slots that are in some domain. */
  members = 0;
  readonly #idByValue = new Map<string, number>();
  /** Slots per domain; a domain without slots is free for another value. */
  readonly #slots: number[] = [];
  readonly #values: string[] = [];
  readonly #free: number[] = [];

  constructor(key: string, capacity: number) {
    this.key = key;
    this.ids = new Int32Array(capacity).fill(-1);
  }

  /** Domain numbers are below this. */
  get size(): number {
    return this.#slots.length;
  }

  /** Domains that have slots. */
  get domains(): number {
    return this.#idByValue.size;
  }

  grow(capacity: number): void {
    const ids = new Int32Array(capacity).fill(-1);
    ids.set(this.ids);
    this.ids = ids;
  }

  /** Takes over a node's labels; undefined when the node is gone. */
  set(slot: number, labels: Labels | undefined): void {
    const value = labels && Object.hasOwn(labels, this.key) ? labels[this.key] : undefined;
    const before = this.ids[slot] as number;
    if (before < 0 ? value === undefined : this.#values[before] === value) return;
    this.version++;
    if (before >= 0) this.#leave(before);
    this.ids[slot] = value === undefined ? -1 : this.#enter(value);
  }

  #enter(value: string): number {
    let id = this.#idByValue.get(value);
    if (id === undefined) {
      id = this.#free.pop() ?? this.#slots.length;
      this.#slots[id] = 0;
      this.#values[id] = value;
      this.#idByValue.set(value, id);
    }
    this.#slots[id] = (this.#slots[id] ?? 0) + 1;
    this.members++;
    return id;
  }

  #leave(id: number): void {
    const left = (this.#slots[id] ?? 0) - 1;
    this.#slots[id] = left;
    this.members--;
    if (left > 0) return;
    this.#idByValue.delete(this.#values[id] as string);
    this.#free.push(id);
  }
}
