import type { ServerResponse } from "node:http";
import type { StatusError } from "../../api/errors.ts";
import type { WatchEventType } from "../../api/transport.ts";
import type { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";
import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ReceivedEvent, WatchReceiver } from "../rest/watch.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { Representation } from "./negotiation.ts";
import { exactObjectOf, metadataOf } from "./representations.ts";
import { tableOfObject } from "./table.ts";

/** A watcher that lets more than this pile up is closed; it will list again. */
const QUEUE_MAX_BYTES = 8 * 1024 * 1024;
const QUEUE_MAX_FRAMES = 10_000;
const INITIAL_CHUNK_BYTES = 64 * 1024;

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
  protobuf: ProtobufEncoder;
  /** Epoch milliseconds, for the ages in tables. */
  now(): number;
}

/** Writes a watch as JSON lines or protobuf frames; holds back when the client does not read. */
export class WatchWriter implements WatchReceiver {
  readonly #response: ServerResponse;
  readonly #options: WatchWriterOptions;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #blocked = false;
  #initial: readonly CachedObject[] = [];
  #initialAt = 0;
  #columnsSent = false;
  #ending = false;

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
    ]);
    response.flushHeaders();
    // The chunks are framed here, once for all watchers of an event.
    response.chunkedEncoding = false;
    response.on("drain", () => {
      this.#blocked = false;
      this.#flush();
    });
  }

  initial(objects: readonly CachedObject[]): void {
    this.#initial = objects;
    this.#flush();
  }

  events(events: readonly ReceivedEvent[]): void {
    for (const { event, seen } of events) {
      this.#enqueue(event.frame(this.#frameName(seen.type), () => this.#encode(seen)));
      this.#columnsSent = true;
    }
    this.#flush();
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
    this.#ending = true;
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
    const response = this.#response;
    if (response.destroyed) return;
    while (!this.#blocked && this.#initialAt < this.#initial.length) {
      this.#blocked = !response.write(this.#initialChunk());
    }
    if (this.#blocked) return;
    if (this.#queue.length > 0) {
      const chunk = this.#queue.length === 1 ? this.#queue[0] : Buffer.concat(this.#queue);
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#blocked = !response.write(chunk);
    }
    if (this.#ending && !response.writableEnded) response.end(LAST_CHUNK);
  }

  #initialChunk(): Uint8Array {
    const frames: Uint8Array[] = [];
    let sizeBytes = 0;
    while (sizeBytes < INITIAL_CHUNK_BYTES) {
      const object = this.#initial[this.#initialAt];
      if (!object) break;
      this.#initialAt++;
      const frame = this.#encode({ type: "ADDED", object });
      this.#columnsSent = true;
      frames.push(frame);
      sizeBytes += frame.byteLength;
    }
    if (this.#initialAt >= this.#initial.length) {
      this.#initial = [];
      this.#initialAt = 0;
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

  #encode(seen: { type: WatchEventType; object: CachedObject }): Uint8Array {
    const { representation, served, query, now } = this.#options;
    const { as, version, format } = representation;
    if (as === "object" && format === "json") {
      return chunkOf([PREFIXES[seen.type], seen.object.bytes, SUFFIX]);
    }
    if (as === "object") return this.#event(seen.type, exactObjectOf(seen.object));
    if (as === "metadata") return this.#event(seen.type, metadataOf(seen.object.object(), version));
    const noHeaders = this.#columnsSent;
    const table = tableOfObject(served, seen.object, { query, nowMs: now(), noHeaders });
    return this.#event(seen.type, table);
  }

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
