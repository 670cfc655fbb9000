import type { ServerResponse } from "node:http";
import type { StatusError } from "../../api/errors.ts";
import type { WatchEventType } from "../../api/transport.ts";
import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ReceivedEvent, WatchReceiver } from "../rest/watch.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { Representation } from "./negotiation.ts";
import { metadataOf } from "./representations.ts";
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
  /** Epoch milliseconds, for the ages in tables. */
  now(): number;
}

/** Writes a watch as a stream of JSON lines and holds back when the client does not read. */
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
    response.writeHead(200, [
      "Cache-Control",
      "no-cache, private",
      "Content-Type",
      "application/json",
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
    this.#enqueue(chunkOf([Buffer.from(`${JSON.stringify({ type: "BOOKMARK", object })}\n`)]));
    this.#flush();
  }

  ended(refusal?: StatusError): void {
    if (refusal) {
      const line = JSON.stringify({ type: "ERROR", object: refusal.status });
      this.#enqueue(chunkOf([Buffer.from(`${line}\n`)]));
    }
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
    if (representation.as === "object") return type;
    const include = query.get("includeObject") ?? "";
    const columns = this.#columnsSent ? "" : "columns";
    return `${type}/${representation.as}/${representation.version}/${include}/${columns}`;
  }

  #encode(seen: { type: WatchEventType; object: CachedObject }): Uint8Array {
    const { representation, served, query, now } = this.#options;
    const prefix = PREFIXES[seen.type];
    const { version } = representation;
    if (representation.as === "object") return chunkOf([prefix, seen.object.bytes, SUFFIX]);
    const noHeaders = this.#columnsSent;
    const value =
      representation.as === "metadata"
        ? metadataOf(seen.object.object(), version)
        : tableOfObject(served, seen.object, { query, nowMs: now(), noHeaders });
    return chunkOf([prefix, Buffer.from(JSON.stringify(value)), SUFFIX]);
  }
}

/** One chunk of a chunked body (RFC 9112 section 7.1). */
function chunkOf(parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += part.byteLength;
  return Buffer.concat([Buffer.from(`${sizeBytes.toString(16)}\r\n`), ...parts, CHUNK_END]);
}
