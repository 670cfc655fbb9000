import type { ClientRequest } from "node:http";
import { isIP } from "node:net";

/** For the lookup of the name and the connection: a machine without a network is told soon. */
export const CONNECT_MS = 5_000;

/** What became of the connection of a request. */
export interface ConnectionWatch {
  readonly isConnected: boolean;
}

/**
 * Ends a request that gets no connection in `connectMs`, or then no byte for `silenceMs`. It must
 * have been made with the option `timeout`, which alone counts before there is a connection.
 */
export function watchConnection(
  request: ClientRequest,
  limits: { connectMs: number; silenceMs: number },
): ConnectionWatch {
  const { connectMs, silenceMs } = limits;
  const watch = { isConnected: false };
  let isLookedUp = isIP(request.host.replace(/^\[|\]$/g, "")) > 0;
  request.on("socket", (socket) => {
    const connected = () => {
      watch.isConnected = true;
      socket.setTimeout(silenceMs);
    };
    socket.once("lookup", () => (isLookedUp = true));
    if (socket.connecting) socket.once("connect", connected);
    else if (!socket.destroyed) connected();
  });
  request.on("timeout", () => {
    const missing = isLookedUp ? "connection" : "answer of a name server";
    const told = watch.isConnected
      ? `no answer for ${silenceMs} ms`
      : `no ${missing} in ${connectMs} ms`;
    request.destroy(new Error(told));
  });
  return watch;
}

/** Why no connection came about, in words for what a user can mend. */
export function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "EAI_AGAIN":
      return `no name server answers (${message})`;
    case "ENOTFOUND":
      return `its name is unknown (${message})`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `this machine has no way to it (${message})`;
    default:
      return message || code || "connection failed";
  }
}
