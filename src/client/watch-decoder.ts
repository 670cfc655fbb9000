import { StatusError } from "../api/errors.ts";
import type { Status } from "../api/status.ts";
import type { WatchEventType, WatchSink } from "../api/transport.ts";

/** Above the largest object a server stores, with room for its envelope. */
const LINE_MAX_BYTES = 16 << 20;
const NEWLINE = 0x0a;

/**
 * Cuts a watch's byte stream into JSON lines and hands each event on. An unfinished line is kept
 * until its end arrives; one that grows beyond the limit ends the watch.
 */
export class WatchDecoder {
  readonly #sink: WatchSink;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  constructor(sink: WatchSink) {
    this.#sink = sink;
  }

  /** @throws StatusError for an ERROR event, Error for bytes that are no watch stream */
  write(chunk: Buffer, isStopped: () => boolean): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk.subarray(start, end));
      start = end + 1;
      if (isStopped()) return;
      if (line.length > 0) this.#emit(line);
    }
    if (start === chunk.length) return;
    this.#parts.push(chunk.subarray(start));
    this.#sizeBytes += chunk.length - start;
    if (this.#sizeBytes > LINE_MAX_BYTES) {
      throw new Error(`Cannot read watch: an event exceeds ${LINE_MAX_BYTES} bytes`);
    }
  }

  #take(rest: Buffer): string {
    if (this.#parts.length === 0) return rest.toString();
    const line = Buffer.concat([...this.#parts, rest]).toString();
    this.#parts = [];
    this.#sizeBytes = 0;
    return line;
  }

  #emit(line: string): void {
    const event = JSON.parse(line) as { type: string; object: unknown };
    if (event.type === "ERROR") throw StatusError.from(event.object as Status);
    this.#sink.event(event.type as WatchEventType, event.object);
  }
}
