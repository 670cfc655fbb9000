import { StatusError } from "../api/errors.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";

interface OpenWatch {
  path: string;
  sink: WatchSink;
  inner: Disposable;
}

/** An API server of which a part does not hear everything, as a test decides step by step. */
export class BlindTransport implements Transport {
  /** Watch events of these paths are lost. */
  hidden: RegExp | undefined;
  /** The answer to the next such request is lost. */
  loses: { method: string; path: RegExp } | undefined;
  /** Lists of these paths are refused. */
  refused: RegExp | undefined;
  readonly #inner: Transport;
  readonly #watches = new Set<OpenWatch>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    if (request.method === "GET" && this.refused?.test(request.path)) {
      throw new StatusError("ServiceUnavailable", "the server is starting");
    }
    const { method, path } = this.loses ?? {};
    const isLost = method === request.method && path?.test(request.path);
    if (!isLost) return this.#inner.request(request);
    this.loses = undefined;
    await this.#inner.request(request);
    throw new StatusError("Timeout", "the answer never came");
  }

  async watch({ path, ...request }: ApiRequest, sink: WatchSink): Promise<Disposable> {
    const inner = await this.#inner.watch(
      { ...request, path },
      {
        event: (type, object) => {
          if (!this.hidden?.test(path)) sink.event(type, object);
        },
        closed: (error) => sink.closed(error),
      },
    );
    const open = { path, sink, inner };
    this.#watches.add(open);
    return {
      [Symbol.dispose]: () => {
        this.#watches.delete(open);
        inner[Symbol.dispose]();
      },
    };
  }

  /** From now on everything is heard; what was hidden is listed anew and looks as it is now. */
  show(): void {
    const { hidden } = this;
    this.hidden = undefined;
    for (const { path, sink, inner } of this.#watches) {
      if (!hidden?.test(path)) continue;
      sink.closed(new StatusError("Expired", "too old resource version"));
      inner[Symbol.dispose]();
    }
  }
}
