import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { methodNotAllowed } from "../../api/errors.ts";

/** What `node:http` tells of a request that it cannot read. */
interface RequestError extends Error {
  code?: string;
  /** What arrived. */
  rawPacket?: Buffer;
}

const CODES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};
/** A request line whose method may be any token. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/1\.[01]\r?\n/;

/**
 * Answers a request that the parser refuses, as `node:http` does by itself, and ends its
 * connection. A method that nobody knows is one that nothing here allows.
 */
export function refuseUnreadable(error: RequestError, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy(error);
  const { code = "", rawPacket } = error;
  const isUnknown =
    code === "HPE_INVALID_METHOD" && REQUEST_LINE.test(rawPacket?.toString("latin1") ?? "");
  const status = isUnknown ? 405 : (CODES[code] ?? 400);
  const body = isUnknown ? JSON.stringify(methodNotAllowed().status) : "";
  const type = isUnknown ? "Content-Type: application/json\r\n" : "";
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${type}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}
