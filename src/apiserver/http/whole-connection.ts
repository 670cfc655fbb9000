import type { Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { Arrivals } from "./arrivals.ts";
import { isOfOneObject } from "./asked.ts";
import { readWhole, type RequestHead, WholeRequest } from "./whole-request.ts";
import { type CommonHead, WholeResponse } from "./whole-response.ts";

/** What connections with whole requests have in common. */
export interface WholeConnectionsOptions {
  clock: Clock;
  /** Until the first request of a connection, and between two. */
  firstMs: number;
  keepAliveMs: number;
  /** Whether this is answered whole, too. */
  accepts(request: WholeRequest): boolean;
  handle(request: WholeRequest, response: WholeResponse): void;
}

/**
 * Serves the connections of a server as long as they bring nothing but requests that arrive whole,
 * one after the other, and are answered whole: nearly all that clients send, at a fraction of what
 * parsing and answering them as streams costs. At the first other one `node:http` takes a
 * connection over, with all that arrived of that request, for good.
 */
export class WholeConnections {
  readonly #options: WholeConnectionsOptions;
  readonly #open = new Set<WholeConnection>();
  #isClosing = false;
  readonly #arrivals = new Arrivals();
  readonly #common: CommonHead = { lines: () => this.#commonLines(), safe: new Map() };
  #dated: { second: number; lines: string } | undefined;

  constructor(options: WholeConnectionsOptions) {
    this.#options = options;
  }

  /** Comes before `node:http` on every connection that the server accepts from now on. */
  attach(server: Server): void {
    const takeOver = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
    server.removeAllListeners("secureConnection");
    server.on("secureConnection", (socket: TLSSocket) => {
      const connection = new WholeConnection(socket, {
        ...this.#options,
        common: this.#common,
        arrivals: this.#arrivals,
        isClosing: () => this.#isClosing,
        left: () => this.#open.delete(connection),
        takeOver: () => {
          for (const listener of takeOver) listener.call(server, socket);
        },
      });
      this.#open.add(connection);
    });
  }

  /** Ends connections as soon as nothing is being answered on them. */
  close(): void {
    this.#isClosing = true;
    for (const connection of this.#open) connection.endIfIdle();
  }

  destroy(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #commonLines(): string {
    const nowMs = this.#options.clock.now();
    const second = Math.floor(nowMs / 1_000);
    if (this.#dated?.second !== second) {
      const date = new Date(nowMs).toUTCString();
      const keptSeconds = Math.floor(this.#options.keepAliveMs / 1_000);
      const kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${keptSeconds}\r\n`;
      this.#dated = { second, lines: `Date: ${date}\r\n${kept}` };
    }
    return this.#dated.lines;
  }
}

interface WholeConnectionOptions extends WholeConnectionsOptions {
  common: CommonHead;
  /** Of all connections. */
  arrivals: Arrivals;
  isClosing(): boolean;
  /** It is closed, or somebody else's. */
  left(): void;
  /** Gives the socket to `node:http`; what arrived can be read from it again. */
  takeOver(): void;
}

class WholeConnection {
  readonly #socket: TLSSocket;
  readonly #options: WholeConnectionOptions;
  #known: RequestHead | undefined;
  #answering: WholeResponse | undefined;
  /** What arrived of the next request. */
  #held: Buffer | undefined;
  /** It is going to be read. */
  #isDue = false;

  constructor(socket: TLSSocket, options: WholeConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(options.firstMs);
    for (const [event, listener] of this.#listeners()) socket.on(event, listener);
  }

  endIfIdle(): void {
    if (!this.#answering && !this.#isDue) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #arrived = (chunk: Buffer): void => {
    this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#comeNext();
  };

  readonly #comeNext = (): void => {
    if (this.#isDue || !this.#held) return;
    this.#isDue = true;
    this.#options.arrivals.add(this.#next);
  };

  /** Reads the next request, unless one is being answered or the client does not read answers. */
  readonly #next = (): void => {
    this.#isDue = false;
    const bytes = this.#held;
    if (!bytes) return;
    const socket = this.#socket;
    if (this.#answering || socket.writableNeedDrain) return void socket.pause();
    if (socket.isPaused()) socket.resume();
    const message = readWhole(bytes, this.#known);
    if (message === "partial") return this.#options.isClosing() ? socket.destroySoon() : undefined;
    const request = message && new WholeRequest(socket, message);
    if (!request || !isOfOneObject(request.asked) || !this.#options.accepts(request)) {
      return this.#leave(bytes);
    }
    this.#held = undefined;
    this.#known = message.head;
    this.#answering = new WholeResponse(socket, this.#options.common);
    this.#answering.on("close", this.#answered);
    this.#options.handle(request, this.#answering);
  };

  readonly #answered = (): void => {
    const socket = this.#socket;
    const { keepAliveMs } = this.#options;
    this.#answering = undefined;
    if (this.#options.isClosing()) return socket.destroySoon();
    if (socket.timeout !== keepAliveMs) socket.setTimeout(keepAliveMs);
    // Not at once: a client may have sent any number of requests without waiting.
    this.#comeNext();
  };

  /** A client that has ended its side gets no answer any more, as `node:http` has it. */
  readonly #ended = (): void => {
    this.#socket.end();
  };

  readonly #idle = (): void => {
    if (!this.#answering) this.#socket.destroy();
  };

  readonly #closed = (): void => {
    this.#held = undefined;
    this.#options.left();
    this.#answering?.gone();
  };

  #leave(bytes: Buffer): void {
    const socket = this.#socket;
    for (const [event, listener] of this.#listeners()) socket.off(event, listener);
    this.#held = undefined;
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(bytes);
    this.#options.left();
    this.#options.takeOver();
    socket.resume();
  }

  #listeners(): [string, (chunk: Buffer) => void][] {
    return [
      ["data", this.#arrived],
      ["drain", this.#comeNext],
      ["end", this.#ended],
      ["timeout", this.#idle],
      ["error", ignore],
      ["close", this.#closed],
    ];
  }
}

/** An error is followed by the end of its connection, which is all there is to do about it. */
function ignore(): void {}
