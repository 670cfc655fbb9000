import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/** Names and values in turn, as `rawHeaders` of Node.js: what repeats stays repeated. */
export type HeaderList = readonly string[];

/** What the next server is told about the client. */
export interface ClientFacts {
  address: string;
  host: string;
  port: number;
  scheme: "http" | "https";
}

/** Between two neighbours only: RFC 9110 section 7.6.1. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);
/** A client's word about who it is counts for nothing. */
const FORWARDED: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
]);

/** The value of the only header of this name; `undefined` when there is none or more than one. */
export function onlyHeader(headers: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== name) continue;
    if (found !== undefined) return undefined;
    found = headers[at + 1];
  }
  return found;
}

/** What a request carries on: the end-to-end headers, its one host, and who asked. */
export function requestHeaders(headers: HeaderList, client: ClientFacts): string[] {
  const drops = dropped(headers);
  const kept = ["Host", client.host];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? "";
    const lower = name.toLowerCase();
    if (lower === "host" || FORWARDED.has(lower) || drops(lower)) continue;
    kept.push(name, headers[at + 1] ?? "");
  }
  kept.push("X-Forwarded-For", client.address, "X-Real-IP", client.address);
  kept.push("X-Forwarded-Host", client.host, "X-Forwarded-Port", `${client.port}`);
  kept.push("X-Forwarded-Proto", client.scheme);
  return kept;
}

/** What an answer carries on. */
export function answerHeaders(headers: HeaderList): string[] {
  const drops = dropped(headers);
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? "";
    if (!drops(name.toLowerCase())) kept.push(name, headers[at + 1] ?? "");
  }
  return kept;
}

function dropped(headers: HeaderList): (lower: string) => boolean {
  let named: Set<string> | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== "connection") continue;
    named ??= new Set();
    for (const token of (headers[at + 1] ?? "").split(",")) named.add(token.trim().toLowerCase());
  }
  return (lower) => HOP_BY_HOP.has(lower) || named?.has(lower) === true;
}

/** HTTP/2 has lower-case names, and `:authority` for the host. */
export function toHttp2Headers(headers: HeaderList): OutgoingHttpHeaders {
  const object: Record<string, string | string[]> = {};
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]?.toLowerCase() ?? "";
    const value = headers[at + 1] ?? "";
    if (name === "host") continue;
    const known = object[name];
    if (known === undefined) object[name] = value;
    else object[name] = Array.isArray(known) ? [...known, value] : [known, value];
  }
  // A header that HTTP/2 wants once takes the last; Node.js refuses the whole block otherwise.
  for (const name of SINGLE) {
    const value = object[name];
    if (Array.isArray(value)) object[name] = value.at(-1) ?? "";
  }
  return object;
}

const SINGLE = [
  "content-length",
  "content-type",
  "date",
  "etag",
  "location",
  "user-agent",
] as const;

/** The end-to-end headers of an HTTP/2 block; pseudo headers are the caller's. */
export function fromHttp2Headers(headers: IncomingHttpHeaders): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
  }
  return list;
}
