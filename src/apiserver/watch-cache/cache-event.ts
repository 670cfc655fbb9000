import type { WatchEventType } from "../../api/transport.ts";
import type { CachedObject } from "./cached-object.ts";
import type { Selection } from "./selection.ts";

/** One change as every watcher of the resource shares it. */
export class CacheEvent {
  readonly key: string;
  readonly revision: number;
  readonly timeMs: number;
  /** The new state, or for a removal the last state at the revision of the removal. */
  readonly object: CachedObject;
  /** The state before; absent when the object was created. */
  readonly previous: CachedObject | undefined;
  readonly removed: boolean;
  #departed: CachedObject | undefined;
  #frames: Map<string, Uint8Array> | undefined;

  constructor(of: {
    object: CachedObject;
    previous: CachedObject | undefined;
    removed: boolean;
    timeMs: number;
  }) {
    this.key = of.object.key;
    this.revision = of.object.revision;
    this.object = of.object;
    this.previous = of.previous;
    this.removed = of.removed;
    this.timeMs = of.timeMs;
  }

  /** What a watcher with this selection sees; `undefined` for nothing. */
  seenThrough(selection: Selection): SeenEvent | undefined {
    if (!selection.coversKey(this.key)) return undefined;
    const isIn = !this.removed && selection.matches(this.object);
    const wasIn = this.previous !== undefined && selection.matches(this.previous);
    if (isIn) return { type: wasIn ? "MODIFIED" : "ADDED", object: this.object };
    if (!wasIn) return undefined;
    return { type: "DELETED", object: this.#lastSeen() };
  }

  /** The encoding for one event type and representation, made once whoever watches. */
  frame(name: string, encode: () => Uint8Array): Uint8Array {
    this.#frames ??= new Map();
    let frame = this.#frames.get(name);
    if (!frame) {
      frame = encode();
      this.#frames.set(name, frame);
    }
    return frame;
  }

  /** What is kept in memory for this event alone: nobody else has a state that was replaced. */
  get sizeBytes(): number {
    const replaced = this.previous?.bytes.byteLength ?? 0;
    return this.removed ? replaced + this.object.bytes.byteLength : replaced;
  }

  /** Everybody who watches has it; whoever comes later reads and encodes anew. */
  passed(): void {
    this.#frames = undefined;
    this.object.passed();
  }

  /** The body of a DELETED event: the previous state at the revision of this change. */
  #lastSeen(): CachedObject {
    if (this.removed) return this.object;
    this.#departed ??= (this.previous ?? this.object).atRevision(this.revision);
    return this.#departed;
  }
}

/** An event as one watcher sees it. */
export interface SeenEvent {
  type: WatchEventType;
  object: CachedObject;
}
