import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { StatusError } from "../../api/errors.ts";
import type { WatchEventType } from "../../api/transport.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";
import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { WatchReceiver } from "../rest/watch.ts";
import type { CacheEvent, SeenEvent } from "../watch-cache/cache-event.ts";
import type { LaterInTurn } from "./later-in-turn.ts";
import type { Representation } from "./negotiation.ts";
import { exactObjectOf, metadataOf } from "./representations.ts";
import { tableOfObject } from "./table.ts";

/** A watcher that lets more than this pile up is closed; it will list again. */
const QUEUE_MAX_BYTES = 8 * 1024 * 1024;
const QUEUE_MAX_FRAMES = 10_000;
const BACKLOG_CHUNK_BYTES = 64 * 1024;
/** A client that reads no further gets so long to take the end of its watch. */
const ENDING_MS = 10_000;

const CHUNK_END = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const SUFFIX = Buffer.from("}\n");
const PREFIXES: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
};

export interface WatchWriterOptions {
  served: ServedResource;
  representation: Representation;
  query: Query;
  /** Further headers, flat. */
  headers?: readonly string[];
  protobuf: ProtobufEncoder;
  /** Of all watchers. */
  later: LaterInTurn;
  clock: Clock;
  logger: Logger;
}

/** Writes a watch as JSON lines or protobuf frames; holds back when the client does not read. */
export class WatchWriter implements WatchReceiver {
  readonly #response: ServerResponse;
  readonly #options: WatchWriterOptions;
  /** What the client has to read before anything that waits in the queue; encoded as it reads. */
  #backlog: Iterator<SeenEvent> | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #blocked = false;
  #scheduled = false;
  #columnsSent = false;
  #ending: Timer | undefined;
  #socket: Socket | undefined;

  constructor(response: ServerResponse, options: WatchWriterOptions) {
    this.#response = response;
    this.#options = options;
    const isProtobuf = options.representation.format === "protobuf";
    response.writeHead(200, [
      "Cache-Control",
      "no-cache, private",
      "Content-Type",
      isProtobuf ? `${PROTOBUF_TYPE};stream=watch` : "application/json",
      "Transfer-Encoding",
      "chunked",
      ...(options.headers ?? []),
    ]);
    response.flushHeaders();
    // The chunks are framed here, once for all watchers of an event.
    response.chunkedEncoding = false;
    response.on("drain", this.#drained);
    response.on("close", () => {
      this.#socket?.off("drain", this.#drained);
      this.#ending?.cancel();
    });
  }

  readonly #drained = (): void => {
    this.#blocked = false;
    this.#flush();
  };

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  backlog(seen: Iterable<SeenEvent>): void {
    this.#backlog = seen[Symbol.iterator]();
    this.#flush();
  }

  event(event: CacheEvent, seen: SeenEvent): void {
    this.#enqueue(event.frame(this.#frameName(seen.type), seen, this.#encode));
    this.#columnsSent = true;
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    // The answer to the writer of the event goes first.
    this.#options.later.add(this.#flushNow);
  }

  bookmark(revision: number, initialEventsEnd: boolean): void {
    const { resource, apiVersion } = this.#options.served;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initialEventsEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
    };
    const { as, version } = this.#options.representation;
    const meta = `meta.k8s.io/${version}`;
    const object =
      as === "table"
        ? { kind: "Table", apiVersion: meta, metadata, columnDefinitions: null, rows: [] }
        : as === "metadata"
          ? { kind: "PartialObjectMetadata", apiVersion: meta, metadata }
          : { kind: resource.kind, apiVersion, metadata };
    this.#enqueue(this.#event("BOOKMARK", object));
    this.#flush();
  }

  ended(refusal?: StatusError): void {
    if (refusal) this.#enqueue(this.#event("ERROR", refusal.status));
    const { clock } = this.#options;
    this.#ending = clock.setTimer(ENDING_MS, () => this.#response.destroy());
    this.#flush();
  }

  #enqueue(frame: Uint8Array): void {
    this.#queue.push(frame);
    this.#queuedBytes += frame.byteLength;
    if (this.#queuedBytes > QUEUE_MAX_BYTES || this.#queue.length > QUEUE_MAX_FRAMES) {
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#response.destroy();
    }
  }

  #flush(): void {
    try {
      this.#writeWaiting();
    } catch (error) {
      this.#options.logger.error("a watch could not be written", { error });
      this.#response.destroy();
    }
  }

  #writeWaiting(): void {
    const response = this.#response;
    if (response.destroyed) return;
    while (!this.#blocked && this.#backlog) {
      const chunk = this.#backlogChunk(this.#backlog);
      if (chunk.byteLength > 0) this.#blocked = !this.#write(chunk);
    }
    if (this.#blocked) return;
    if (this.#queue.length > 1) this.#queue = [Buffer.concat(this.#queue)];
    const chunk = this.#queue.pop();
    if (chunk) {
      this.#queuedBytes = 0;
      this.#blocked = !this.#write(chunk);
    }
    if (this.#ending && !response.writableEnded) response.end(LAST_CHUNK);
  }

  /**
   * Writes past the response, whose cork would cost more than the rest of a write. It has no
   * socket while an earlier answer of a pipelining client is going out.
   */
  #write(bytes: Uint8Array): boolean {
    const { socket } = this.#response;
    if (!socket) return this.#response.write(bytes);
    if (!this.#socket) {
      this.#socket = socket;
      this.#response.off("drain", this.#drained);
      socket.on("drain", this.#drained);
    }
    return socket.write(bytes);
  }

  #backlogChunk(backlog: Iterator<SeenEvent>): Uint8Array {
    const frames: Uint8Array[] = [];
    let sizeBytes = 0;
    while (sizeBytes < BACKLOG_CHUNK_BYTES) {
      const { done, value } = backlog.next();
      if (done) {
        this.#backlog = undefined;
        break;
      }
      const frame = this.#encode(value);
      this.#columnsSent = true;
      frames.push(frame);
      sizeBytes += frame.byteLength;
    }
    return Buffer.concat(frames);
  }

  /** Watchers with equal names can share a frame. */
  #frameName(type: WatchEventType): string {
    const { representation, query } = this.#options;
    const { as, version, format } = representation;
    if (as === "object" && format === "json") return type;
    const include = query.get("includeObject") ?? "";
    const columns = this.#columnsSent ? "" : "columns";
    return `${type}/${format}/${as}/${version}/${include}/${columns}`;
  }

  readonly #encode = (seen: SeenEvent): Uint8Array => {
    const { representation, served, query, clock } = this.#options;
    const { as, version, format } = representation;
    if (as === "object" && format === "json") {
      return chunkOf([PREFIXES[seen.type], seen.object.bytes, SUFFIX]);
    }
    if (as === "object") return this.#event(seen.type, exactObjectOf(seen.object));
    if (as === "metadata") return this.#event(seen.type, metadataOf(seen.object.object(), version));
    const noHeaders = this.#columnsSent;
    const options = { query, nowMs: clock.now(), noHeaders, representation };
    const table = tableOfObject(served, seen.object, options);
    return this.#event(seen.type, table);
  };

  /** An event whose object is a value. */
  #event(type: string, object: object): Uint8Array {
    const { representation, protobuf } = this.#options;
    if (representation.format !== "protobuf") {
      return chunkOf([Buffer.from(`${JSON.stringify({ type, object })}\n`)]);
    }
    const event = protobuf.encodeEvent(type, object);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(event.byteLength);
    return chunkOf([head, event]);
  }
}

/** One chunk of a chunked body (RFC 9112 section 7.1). */
function chunkOf(parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += part.byteLength;
  return Buffer.concat([Buffer.from(`${sizeBytes.toString(16)}\r\n`), ...parts, CHUNK_END]);
}
