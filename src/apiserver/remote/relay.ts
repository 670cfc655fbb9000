import type http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Headers that end at this server. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "authorization",
  "host",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a header of a request may go on to somebody else: credentials and identities may not. */
export function isForwarded(name: string): boolean {
  return !HOP_BY_HOP.has(name) && !name.startsWith("impersonate-") && !name.startsWith("x-remote-");
}

/** Sends the request; its answer, or the error that came instead. */
export function answerOf(
  outgoing: http.ClientRequest,
  send: () => void,
  response: ServerResponse,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    response.once("close", () => outgoing.destroy());
    send();
  });
}

/** Headers that concern more than one connection, in the flat form of `writeHead`. */
export function endToEnd(
  rawHeaders: readonly string[],
  rewrite: (name: string, value: string) => string | undefined = (_name, value) => value,
): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = [rawHeaders[at], rawHeaders[at + 1]];
    const key = name.toLowerCase();
    const rewritten = HOP_BY_HOP.has(key) ? undefined : rewrite(key, value);
    if (rewritten !== undefined) kept.push(name, rewritten);
  }
  return kept;
}

/** Headers of an answer that is passed on; the other server's word on a name goes before ours. */
export function answerHeaders(
  rawHeaders: readonly string[],
  own: readonly string[],
  rewrite?: (name: string, value: string) => string | undefined,
): string[] {
  const headers = endToEnd(rawHeaders, rewrite);
  const names = new Set(headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  for (let at = 0; at + 1 < own.length; at += 2) {
    const [name = "", value = ""] = [own[at], own[at + 1]];
    if (!names.has(name.toLowerCase())) headers.push(name, value);
  }
  return headers;
}

/** Status line and headers of an answer, as bytes for the client. */
export function responseHead(incoming: IncomingMessage, replace?: readonly string[]): string {
  const headers = replace ? [...endToEnd(incoming.rawHeaders), ...replace] : incoming.rawHeaders;
  let head = `HTTP/1.1 ${incoming.statusCode} ${incoming.statusMessage}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

/** Bytes both ways, each direction ending on its own, at the pace of the slower side. */
export function splice(client: Duplex, upstream: Duplex): void {
  client.on("error", () => upstream.destroy());
  upstream.on("error", () => client.destroy());
  client.on("close", () => upstream.destroy());
  upstream.on("close", () => client.end());
  client.pipe(upstream);
  upstream.pipe(client);
}

/** Forwards a handshake, then bytes; a refusal of the handshake goes back as it came. */
export function relayUpgrade(
  outgoing: http.ClientRequest,
  { socket, head }: { socket: Duplex; head: Buffer },
): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("upgrade", (incoming, upstream, rest) => {
      socket.write(responseHead(incoming));
      if (rest.byteLength > 0) socket.write(rest);
      if (head.byteLength > 0) upstream.write(head);
      splice(socket, upstream);
      resolve();
    });
    outgoing.once("response", (incoming) => {
      socket.write(responseHead(incoming, ["Connection", "close"]));
      incoming.pipe(socket);
      resolve();
    });
    socket.once("close", () => outgoing.destroy());
    outgoing.end();
  });
}
