/** What tools and people look for in an event about a probe: a kubelet's words. */
const CONNECT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
};

/** Why no connection to an address came about. */
export function dialFailure(address: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `dial tcp ${address}: ${CONNECT_WORDS[code ?? ""] ?? message}`;
}

/** Of a server whose answer is not TLS. */
export const HTTP_FOR_HTTPS = "http: server gave HTTP response to HTTPS client";
/** OpenSSL, of the first bytes of such an answer. */
const NOT_TLS = /wrong version number|packet length too long/;

/** Why a request to `url`, of a server at that address, had no answer. */
export function requestFailure(url: string, error: unknown, address: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ECONNRESET") return `Get "${url}": EOF`;
  if (NOT_TLS.test(message)) return `Get "${url}": ${HTTP_FOR_HTTPS}`;
  const isDial = CONNECT_WORDS[code ?? ""] !== undefined;
  return `Get "${url}": ${isDial ? dialFailure(address, error) : message}`;
}

/** Of a request that took longer than it may. */
export const REQUEST_TIMED_OUT =
  "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

/** Of an answer that did not end in time. */
export const BODY_TIMED_OUT =
  "context deadline exceeded (Client.Timeout or context cancellation while reading body)";

/** Of a command that took longer than it may. */
export function commandTimedOut(command: readonly string[], timeoutMs: number): string {
  const text = JSON.stringify(command.join(" "));
  return `command timed out: ${text} timed out after ${timeoutMs / 1000}s`;
}
