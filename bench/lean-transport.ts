import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../src/api/transport.ts";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { expect } from "./bench-target.ts";
import { LeanConnection } from "./lean-http-client.ts";

/** Every status below the first refusal. */
const ACCEPTED = [200, 201, 202];

/**
 * A transport that costs a fraction of the usual one, for benchmarks whose client runs on the same
 * machine: its connections are open before anything is measured, and requests wait for one of them.
 */
export class LeanTransport implements Transport, Disposable {
  readonly #target: HttpsTransportOptions;
  readonly #connections: readonly LeanConnection[];
  readonly #idle: LeanConnection[];
  readonly #waiting: ((connection: LeanConnection) => void)[] = [];
  readonly #watches = new Set<LeanConnection>();

  private constructor(target: HttpsTransportOptions, connections: LeanConnection[]) {
    this.#target = target;
    this.#connections = connections;
    this.#idle = [...connections];
  }

  static async open(target: HttpsTransportOptions, connections: number): Promise<LeanTransport> {
    const opening = Array.from({ length: connections }, () =>
      LeanConnection.open(target, { keptMaxBytes: Number.POSITIVE_INFINITY }),
    );
    return new LeanTransport(target, await Promise.all(opening));
  }

  async request({ method, path, body, contentType }: ApiRequest): Promise<ApiResponse> {
    const connection = this.#idle.pop() ?? (await this.#nextIdle());
    try {
      const response = await connection.send(method, path, {
        ...(body && { body: JSON.stringify(body) }),
        ...(contentType && { contentType }),
      });
      expect(response, ...ACCEPTED);
      return { status: response.status, body: JSON.parse(response.excerpt) as unknown };
    } finally {
      const next = this.#waiting.shift();
      if (next) next(connection);
      else this.#idle.push(connection);
    }
  }

  async watch({ path }: ApiRequest, sink: WatchSink): Promise<Disposable> {
    const connection = await LeanConnection.open(this.#target);
    this.#watches.add(connection);
    const separator = path.includes("?") ? "&" : "?";
    await connection.watch(`${path}${separator}watch=1`, (lines) => {
      for (const line of lines.split("\n")) {
        // The rest are the lengths of chunks: an event is a chunk.
        if (!line.startsWith("{")) continue;
        const { type, object } = JSON.parse(line) as { type: "ADDED"; object: unknown };
        sink.event(type, object);
      }
    });
    return {
      [Symbol.dispose]: () => {
        this.#watches.delete(connection);
        connection[Symbol.dispose]();
      },
    };
  }

  #nextIdle(): Promise<LeanConnection> {
    return new Promise((take) => this.#waiting.push(take));
  }

  [Symbol.dispose](): void {
    for (const connection of [...this.#connections, ...this.#watches]) connection[Symbol.dispose]();
  }
}
