import type { IncomingHttpHeaders } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Asked, askedOf } from "./asked.ts";

/** Longer heads are left to `node:http`. */
const HEAD_MAX_BYTES = 4 * 1024;
const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);
const URL_TEXT = /^\/[!"$-~]*$/;
/** A name and a value that need no trimming. */
const HEADER = /^([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)$/;
/** Longer bodies are left to `node:http`, which does not gather them by copying. */
const LENGTH = /^\d{1,5}$/;
/** They change how a message or its connection is read. */
const OTHER_RULES = ["transfer-encoding", "trailer", "te", "upgrade", "expect", "http2-settings"];

/** The headers of a request, which those after it on their connection mostly have too. */
export interface RequestHead {
  /** What they were read from. */
  readonly text: string;
  /** By names in lower case, none of which came twice. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values as they came, flat. */
  readonly rawHeaders: string[];
  readonly bodyBytes: number;
}

/** A request that is all there: nobody waits for more of it. */
export class WholeRequest {
  readonly socket: TLSSocket;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: Uint8Array;
  readonly asked: Asked;
  readonly complete = true;

  constructor(socket: TLSSocket, message: Message) {
    this.socket = socket;
    this.method = message.method;
    this.url = message.url;
    this.headers = message.head.headers;
    this.rawHeaders = message.head.rawHeaders;
    this.body = message.body;
    this.asked = askedOf(message.method, message.url);
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }
}

/** The parts of a whole HTTP message. */
export interface Message {
  method: string;
  url: string;
  head: RequestHead;
  body: Uint8Array;
}

/**
 * Reads one request of HTTP/1.1 that `bytes` hold from end to end (RFC 9112), in the plainest form
 * there is: a path, headers that differ in name and have a value, a body of known size or none.
 * "partial" for one whose body is not all there yet; `undefined` for everything else, be it less,
 * more, unusual or wrong: that is for a parser that knows all of HTTP. Pure.
 * @param known the head of the request before
 */
export function readWhole(
  bytes: Buffer,
  known: RequestHead | undefined,
): Message | "partial" | undefined {
  const text = bytes.toString("latin1", 0, HEAD_MAX_BYTES);
  const lineEnd = text.indexOf("\r\n");
  const headEnd = text.indexOf("\r\n\r\n", lineEnd);
  if (lineEnd < 0 || headEnd <= lineEnd) return undefined;
  const methodEnd = text.indexOf(" ");
  const method = text.slice(0, methodEnd);
  const url = text.slice(methodEnd + 1, lineEnd - PROTOCOL.length);
  const isPlain = METHODS.has(method) && URL_TEXT.test(url);
  if (!isPlain || !text.startsWith(PROTOCOL, lineEnd - PROTOCOL.length)) return undefined;
  const headText = text.slice(lineEnd + 2, headEnd);
  const head = known?.text === headText ? known : readHead(headText);
  if (!head) return undefined;
  const bodyAt = headEnd + 4;
  const missing = bodyAt + head.bodyBytes - bytes.length;
  if (missing > 0) return "partial";
  return missing === 0 ? { method, url, head, body: bytes.subarray(bodyAt) } : undefined;
}

const PROTOCOL = " HTTP/1.1";

function readHead(text: string): RequestHead | undefined {
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  for (const line of text.split("\r\n")) {
    const [, raw, value] = HEADER.exec(line) ?? [];
    if (raw === undefined || value === undefined) return undefined;
    const name = raw.toLowerCase();
    if (Object.hasOwn(headers, name)) return undefined;
    headers[name] = value;
    rawHeaders.push(raw, value);
  }
  const { host, connection = "keep-alive", "content-length": length = "0" } = headers;
  if (host === undefined || connection.toLowerCase() !== "keep-alive") return undefined;
  if (!LENGTH.test(length) || OTHER_RULES.some((name) => Object.hasOwn(headers, name))) {
    return undefined;
  }
  // Not as a part of the text that it was cut from, which is kept as long.
  return {
    text: Buffer.from(text, "latin1").toString("latin1"),
    headers,
    rawHeaders,
    bodyBytes: Number(length),
  };
}
