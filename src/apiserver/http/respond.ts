import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import type { Status } from "../../api/status.ts";
import type { ProtobufEncoder, ProtobufList } from "../codec/protobuf-encoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";
import type { Query } from "../request/query.ts";
import type { Answer } from "../rest/call.ts";
import {
  asStream,
  type Exchange,
  type HttpRequest,
  type HttpResponse,
  type StreamExchange,
} from "./exchange.ts";
import { checkShape, type Format, notAcceptable, type Representation } from "./negotiation.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import {
  LONG_LIST_MIN,
  listPieces,
  piecesOfText,
  type Stringify,
  yamlPieces,
} from "./list-pieces.ts";
import { streamList } from "./list-stream.ts";
import { ListText } from "./list-text.ts";
import {
  exactObjectOf,
  listMetaOf,
  listValueOf,
  metadataListOf,
  metadataOf,
} from "./representations.ts";
import type { SharedItems } from "./shared-items.ts";
import { warningHeaders } from "./warning-headers.ts";
import { WholeResponse } from "./whole-response.ts";
import { tableOfList, tableOfObject } from "./table.ts";

const gzipAsync = promisify(gzip);
/** Smaller answers are not worth compressing. */
const GZIP_MIN_BYTES = 128 * 1024;
/** Answers up to this size leave together with their head. */
const ONE_WRITE_MAX_BYTES = 16 * 1024;
/** Larger lists are made while they are sent. */
const STREAM_BYTES = 64 * 1024;
const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: PROTOBUF_TYPE,
};

type HttpExchange = Pick<Exchange, "request" | "response">;

/** How to write one answer. */
export interface ResponseOptions {
  representation: Representation;
  query: Query;
  warnings: readonly string[];
  /** Further headers, flat. */
  headers: readonly string[];
  protobuf: ProtobufEncoder;
  sharedItems: SharedItems;
  /** Epoch milliseconds, for the ages in tables. */
  nowMs: number;
}

/** Encodes and sends an answer. It is handed to the socket at once, or when that resolves. */
export function respond(
  exchange: HttpExchange,
  answer: Answer,
  options: ResponseOptions,
): Promise<void> | undefined {
  const { representation, query } = options;
  const plain = representation.as === "object" && representation.format === "json";
  if (plain && !query.flag("pretty")) {
    if (answer.kind === "object") {
      return send(exchange.response, answer.object.bytes, { answer, options });
    }
    if (answer.kind === "list") {
      return sendList(asStream(exchange), answer, options);
    }
  }
  return respondEncoded(exchange, answer, options);
}

async function respondEncoded(
  exchange: HttpExchange,
  answer: Answer,
  options: ResponseOptions,
): Promise<void> {
  if (answer.kind !== "value") {
    const found = answer.kind === "list" ? "list" : "one";
    checkShape(options.representation, found, answer.served.resource.kind);
  }
  if (answer.kind === "list") {
    const { request, response } = asStream(exchange);
    const pieces = await piecesOf(answer, options);
    if (pieces) {
      const isLong = answer.list.items.length > LONG_LIST_MIN;
      const isPackable = isLong && wantsGzip(request, GZIP_MIN_BYTES);
      return sendPieces(response, pieces, { answer, options, gzip: isPackable });
    }
  }
  const bytes = await encode(answer, options);
  const isPackable = answer.kind === "list" && wantsGzip(exchange.request, bytes.byteLength);
  return send(exchange.response, bytes, { answer, options, gzip: isPackable });
}

/** Answers with text for people. */
export function respondPlain(
  response: HttpResponse,
  { status, text, headers }: { status: number; text: string; headers: readonly string[] },
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, [
    ...headers,
    "Content-Type",
    "text/plain; charset=utf-8",
    "X-Content-Type-Options",
    "nosniff",
    "Content-Length",
    `${bytes.byteLength}`,
  ]);
  response.end(bytes);
}

type ListAnswer = Extract<Answer, { kind: "list" }>;

/** The pieces of a list that is made while it is sent; `undefined` for one that is made at once. */
async function piecesOf(
  answer: ListAnswer,
  options: ResponseOptions,
): Promise<Iterable<string> | AsyncIterable<Uint8Array | string> | undefined> {
  const { format } = options.representation;
  const { served, list } = answer;
  if (format === "protobuf") return options.protobuf.listPieces(protobufListOf(answer, options));
  if (format === "yaml") return yamlPieces(served, list, { ...options, stringify: await toYaml() });
  if (list.items.length <= LONG_LIST_MIN || options.query.flag("pretty")) return undefined;
  return listPieces(served, list, options);
}

function protobufListOf({ served, list }: ListAnswer, options: ResponseOptions): ProtobufList {
  const { as, version } = options.representation;
  const isMetadata = as === "metadata";
  const itemAt = (index: number) => list.items[index] as CachedObject;
  return {
    apiVersion: isMetadata ? `meta.k8s.io/${version}` : served.apiVersion,
    kind: isMetadata ? "PartialObjectMetadataList" : `${served.resource.kind}List`,
    metadata: listMetaOf(list),
    size: list.items.length,
    key: itemAt,
    item: (index) => exactObjectOf(itemAt(index)),
  };
}

function valueOf(answer: Answer, options: ResponseOptions): object {
  const { representation } = options;
  const { as, version } = representation;
  if (answer.kind === "value") return answer.value;
  if (answer.kind === "object") {
    if (as === "table") return tableOfObject(answer.served, answer.object, options);
    const object = answer.object.object();
    return as === "metadata" ? metadataOf(object, version) : object;
  }
  if (as === "table") return tableOfList(answer.served, answer.list, options);
  if (as === "metadata") return metadataListOf(answer.list, version);
  return listValueOf(answer.served, answer.list);
}

async function encode(answer: Answer, options: ResponseOptions): Promise<Uint8Array> {
  const { format } = options.representation;
  if (format === "protobuf" && answer.kind !== "list") return encodeProtobuf(answer, options);
  const value = valueOf(answer, options);
  if (format === "yaml") return encodeYaml(value);
  const indent = options.query.flag("pretty") ? 2 : undefined;
  return Buffer.from(`${JSON.stringify(value, undefined, indent)}\n`);
}

async function encodeYaml(value: object): Promise<Uint8Array> {
  const stringify = await toYaml();
  return Buffer.from(stringify(value));
}

/** Loaded when first needed: most servers never write YAML. */
async function toYaml(): Promise<Stringify> {
  const { stringify } = await import("yaml");
  return (value) => stringify(value, { aliasDuplicateObjects: false });
}

function encodeProtobuf(
  answer: Exclude<Answer, ListAnswer>,
  { protobuf, representation }: ResponseOptions,
): Uint8Array {
  if (answer.kind === "value") {
    if (protobuf.knows(answer.value)) return protobuf.encode(answer.value);
    throw notAcceptable();
  }
  const { as, version } = representation;
  const object = as === "metadata" ? metadataOf(answer.object.object(), version) : undefined;
  return protobuf.encode(object ?? exactObjectOf(answer.object));
}

interface Sending {
  answer: Answer;
  options: ResponseOptions;
  gzip?: boolean;
}

function wantsGzip(request: HttpRequest, sizeBytes: number): boolean {
  const asked = String(request.headers["accept-encoding"] ?? "").includes("gzip");
  return asked && sizeBytes >= GZIP_MIN_BYTES && !isLoopback(request);
}

function sendList(
  { request, response }: Pick<StreamExchange, "request" | "response">,
  answer: ListAnswer,
  options: ResponseOptions,
): Promise<void> | undefined {
  const { served, list } = answer;
  const sending = { answer, options };
  const { sharedItems } = options;
  const text = new ListText(served, list, { itemsBytes: sharedItems.sizeOf(list.items) });
  if (wantsGzip(request, text.sizeBytes)) {
    return sendPieces(response, piecesOfText(text), { ...sending, gzip: true });
  }
  if (text.sizeBytes > STREAM_BYTES) {
    writeHead(response, text.sizeBytes, sending);
    return streamList(response, text, { list, sharedItems });
  }
  const whole = Buffer.allocUnsafe(text.sizeBytes);
  text.read(whole);
  return send(response, whole, sending);
}

/** What is thrown when a client goes away, which needs no answer. */
const GONE: ReadonlySet<string> = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]);

/** Sends what is made piece by piece, no faster than the client reads. */
async function sendPieces(
  response: ServerResponse,
  pieces: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
  sending: Sending,
): Promise<void> {
  writeHead(response, undefined, sending);
  const source = Readable.from(pieces);
  const sent = sending.gzip
    ? pipeline(source, createGzip({ level: 1 }), response)
    : pipeline(source, response);
  try {
    await sent;
  } catch (error) {
    if (!GONE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** On the same machine compression costs more than it saves. */
function isLoopback(request: HttpRequest): boolean {
  const address = request.socket.remoteAddress ?? "";
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}

function send(
  response: HttpResponse,
  bytes: Uint8Array,
  sending: Sending,
): Promise<void> | undefined {
  if (sending.gzip) return sendPacked(response, bytes, sending);
  writeHead(response, bytes.byteLength, sending);
  if (response instanceof WholeResponse || bytes.byteLength > ONE_WRITE_MAX_BYTES) {
    response.end(bytes);
  } else {
    // Node.js joins the head with a text, never with bytes: as Latin-1 it is one write, one record.
    response.end(Buffer.prototype.latin1Slice.call(bytes, 0, bytes.byteLength), "latin1");
  }
  return undefined;
}

async function sendPacked(
  response: HttpResponse,
  bytes: Uint8Array,
  sending: Sending,
): Promise<void> {
  const packed = await gzipAsync(bytes, { level: 1 });
  writeHead(response, packed.byteLength, sending);
  response.end(packed);
}

function writeHead(
  response: HttpResponse,
  sizeBytes: number | undefined,
  { answer, options, gzip }: Sending,
): void {
  const headers = headersOf(MEDIA_TYPES[options.representation.format], sizeBytes);
  if (options.headers.length > 0) headers.push(...options.headers);
  headers.push(...warningHeaders(options.warnings));
  if (gzip) headers.push("Content-Encoding", "gzip", "Vary", "Accept-Encoding");
  response.writeHead(answer.status, headers);
}

/** Without a size the body goes in chunks. */
function headersOf(contentType: string, sizeBytes: number | undefined): string[] {
  const headers = ["Cache-Control", "no-cache, private", "Content-Type", contentType];
  if (sizeBytes !== undefined) headers.push("Content-Length", String(sizeBytes));
  return headers;
}

/** Sends a refusal, encoded in the format that the client prefers. */
export async function respondStatus(
  response: HttpResponse,
  status: Status,
  of: {
    warnings: readonly string[];
    headers: readonly string[];
    format: Format;
    protobuf: ProtobufEncoder;
  },
): Promise<void> {
  const bytes = await encodeStatus(status, of);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const headers = headersOf(MEDIA_TYPES[of.format], bytes.byteLength);
  headers.push(...of.headers);
  headers.push(...warningHeaders(of.warnings));
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter) headers.push("Retry-After", String(retryAfter));
  if (status.code === 401) headers.push("WWW-Authenticate", "Bearer");
  response.writeHead(status.code, headers);
  response.end(bytes);
}

async function encodeStatus(
  status: Status,
  { format, protobuf }: { format: Format; protobuf: ProtobufEncoder },
): Promise<Uint8Array> {
  if (format === "protobuf") return protobuf.encode(status);
  return format === "yaml" ? encodeYaml(status) : Buffer.from(`${JSON.stringify(status)}\n`);
}
