import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import { builtInAdmission } from "../apiserver/admission/built-in-admission.ts";
import { type ApiServer, createApiServer } from "../apiserver/api-server.ts";
import { createAuthorizer } from "../apiserver/authorization/authorization.ts";
import type { UserInfo } from "../apiserver/contract.ts";
import type { Clock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";

/** The real API server with its real admission, over a store that outlives its restarts. */
export class SimServer implements AsyncDisposable {
  readonly #sources: { clock: Clock; random: Random };
  readonly #store: Store = createMemoryStore();
  #server: ApiServer | undefined;

  constructor(sources: { clock: Clock; random: Random }) {
    this.#sources = sources;
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  async start(): Promise<void> {
    this.#server = await createApiServer({
      ...this.#sources,
      store: this.#store,
      logger: silentLogger,
      security: (reader) => {
        const authorizer = createAuthorizer(reader);
        const admission = builtInAdmission({ ...this.#sources, reader, authorizer });
        return { authenticators: [], authorizer, admission };
      },
    });
  }

  /** Watches end; requests fail until the next start. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }

  /** Leads to the server of the moment. */
  transport(name: string): Transport {
    const user: UserInfo = { name, groups: ["system:masters"] };
    let known: { server: ApiServer; transport: Transport } | undefined;
    const current = (): Transport => {
      if (!this.#server) throw new Error("connection refused");
      if (known?.server !== this.#server) {
        known = { server: this.#server, transport: this.#server.transport(user) };
      }
      return known.transport;
    };
    return {
      request: async (request: ApiRequest): Promise<ApiResponse> => current().request(request),
      watch: async (request: ApiRequest, sink: WatchSink) => current().watch(request, sink),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#store[Symbol.asyncDispose]();
  }
}
