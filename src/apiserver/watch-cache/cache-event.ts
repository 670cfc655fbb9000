import type { WatchEventType } from "../../api/transport.ts";
import type { CachedObject } from "./cached-object.ts";
import type { Selection } from "./selection.ts";

/** One change as every watcher of the resource shares it. */
export class CacheEvent {
  readonly key: string;
  readonly revision: number;
  readonly timeMs: number;
  /** The state before; absent when the object was created. */
  readonly previous: CachedObject | undefined;
  readonly removed: boolean;
  /** The new state; of a removal the last one, as long as somebody looks at it. */
  #object: CachedObject | undefined;
  #departed: CachedObject | undefined;
  #frames: Map<string, Uint8Array> | undefined;
  /** What the last who looked saw, which most others see, too. */
  #seen: SeenEvent | undefined;

  constructor(of: Change) {
    this.key = (of.object ?? of.previous).key;
    this.revision = of.object ? of.object.revision : of.revision;
    this.#object = of.object;
    this.previous = of.previous;
    this.removed = of.removed;
    this.timeMs = of.timeMs;
  }

  /** The new state, or for a removal the last state at the revision of the removal. */
  get object(): CachedObject {
    return (this.#object ??= this.#before().atRevision(this.revision));
  }

  /** What a watcher with this selection sees; `undefined` for nothing. */
  seenThrough(selection: Selection): SeenEvent | undefined {
    if (!selection.coversKey(this.key)) return undefined;
    const isIn = !this.removed && selection.matches(this.object);
    const wasIn = this.previous !== undefined && selection.matches(this.previous);
    if (!isIn && !wasIn) return undefined;
    const type = !isIn ? "DELETED" : wasIn ? "MODIFIED" : "ADDED";
    if (this.#seen?.type !== type) {
      this.#seen = { type, object: isIn ? this.object : this.#lastSeen() };
    }
    return this.#seen;
  }

  /** The encoding for one event type and representation, made once whoever watches. */
  frame(name: string, seen: SeenEvent, encode: (seen: SeenEvent) => Uint8Array): Uint8Array {
    this.#frames ??= new Map();
    let frame = this.#frames.get(name);
    if (!frame) {
      frame = encode(seen);
      this.#frames.set(name, frame);
    }
    return frame;
  }

  /** What is kept in memory for this event alone: nobody else has a state that was replaced. */
  get sizeBytes(): number {
    return this.previous?.bytes.byteLength ?? 0;
  }

  /** Everybody who watches has it; whoever comes later reads and encodes anew. */
  passed(): void {
    this.#frames = undefined;
    this.#seen = undefined;
    this.#object?.passed();
    if (this.removed) this.#object = undefined;
  }

  /** The body of a DELETED event: the previous state at the revision of this change. */
  #lastSeen(): CachedObject {
    if (this.removed) return this.object;
    this.#departed ??= this.#before().atRevision(this.revision);
    return this.#departed;
  }

  #before(): CachedObject {
    if (!this.previous) throw new Error(`nothing was there before revision ${this.revision}`);
    return this.previous;
  }
}

/** The last state of what a removal took is made when somebody looks at it. */
export type Change = { removed: boolean; timeMs: number } & (
  | { object: CachedObject; previous: CachedObject | undefined; revision?: undefined }
  | { object?: undefined; previous: CachedObject; revision: number }
);

/** An event as one watcher sees it. */
export interface SeenEvent {
  readonly type: WatchEventType;
  readonly object: CachedObject;
}
