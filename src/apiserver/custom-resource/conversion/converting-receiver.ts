import { StatusError } from "../../../api/errors.ts";
import type { WatchReceiver } from "../../rest/watch.ts";
import { CacheEvent, type SeenEvent } from "../../watch-cache/cache-event.ts";
import type { ServedConversion } from "./served-conversion.ts";

/** More changes than this do not wait for a slow webhook: the watch ends, and is opened again. */
const WAITING_MAX = 1_000;

/** Hands a watch on in another version, in order, each change when it is converted. */
export class ConvertingReceiver implements WatchReceiver {
  readonly #inner: WatchReceiver;
  readonly #conversion: ServedConversion;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #ended = false;

  constructor(inner: WatchReceiver, conversion: ServedConversion) {
    this.#inner = inner;
    this.#conversion = conversion;
  }

  backlog(seen: Iterable<SeenEvent>): void {
    const all = [...seen];
    this.#then(async () => {
      const objects = await this.#conversion.toServed(all.map(({ object }) => object));
      const converted = all.flatMap(({ type }, at) => {
        const object = objects[at];
        return object ? [{ type, object }] : [];
      });
      this.#inner.backlog(converted);
    });
  }

  event(event: CacheEvent, seen: SeenEvent): void {
    if (++this.#waiting > WAITING_MAX) {
      return this.#end(new StatusError("Expired", "the conversion webhook is too slow to watch"));
    }
    this.#then(async () => {
      const [object] = await this.#conversion.toServed([seen.object]);
      this.#waiting--;
      if (!object || this.#ended) return;
      const { removed, timeMs } = event;
      // An event of its own: encodings of the shared one are of another version.
      const converted = new CacheEvent({ object, previous: undefined, removed, timeMs });
      this.#inner.event(converted, { type: seen.type, object });
    });
  }

  bookmark(revision: number, initialEventsEnd: boolean): void {
    this.#then(() => this.#inner.bookmark(revision, initialEventsEnd));
  }

  ended(refusal?: StatusError): void {
    this.#then(() => this.#end(refusal));
  }

  #then(job: () => Promise<void> | void): void {
    this.#work = this.#work
      .then(() => (this.#ended ? undefined : job()))
      .catch((error: unknown) => {
        const refusal =
          error instanceof StatusError
            ? error
            : new StatusError("InternalError", "Internal error occurred", { cause: error });
        this.#end(refusal);
      });
  }

  #end(refusal?: StatusError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inner.ended(refusal);
  }
}
