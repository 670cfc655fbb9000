import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";

/** What goes wrong between a component and its API server. */
export interface Perturbation {
  /** The component dies at this write, counted from 1, before or after it reached the server. */
  crash?: { atWrite: number; when: "before" | "after" };
  /** Watch events come up to so much later; their order stays. */
  delayMs?: number;
  /** Share of watch events that come twice. */
  duplicates?: number;
}

/** The component is dead: it hears and says nothing any more. */
class CrashedError extends Error {
  override readonly name = "CrashedError";
}

/** A transport for one life of one component. */
export class PerturbedTransport implements Transport {
  writes = 0;
  hasCrashed = false;
  readonly #inner: Transport;
  readonly #how: Perturbation & { clock: Clock; random: Random };

  constructor(inner: Transport, how: Perturbation & { clock: Clock; random: Random }) {
    this.#inner = inner;
    this.#how = how;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.#checkAlive();
    if (request.method === "GET") return this.#inner.request(request);
    const { crash } = this.#how;
    const isLast = ++this.writes === crash?.atWrite;
    if (isLast) this.hasCrashed = true;
    if (isLast && crash?.when === "before") throw new CrashedError();
    const response = await this.#inner.request(request);
    this.#checkAlive();
    return response;
  }

  watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
    this.#checkAlive();
    const { clock, random, delayMs = 0, duplicates = 0 } = this.#how;
    let dueMs = 0;
    let isOpen = true;
    const later = (deliver: () => void) => {
      const nowMs = clock.monotonicMs();
      dueMs = Math.max(dueMs, nowMs + random.float() * delayMs);
      const guarded = () => {
        if (isOpen && !this.hasCrashed) deliver();
      };
      if (delayMs === 0) guarded();
      else clock.setTimer(dueMs - nowMs, guarded);
    };
    const opened = this.#inner.watch(request, {
      event: (type, object) => {
        later(() => sink.event(type, object));
        const twice = type === "MODIFIED" && random.float() < duplicates;
        if (twice) later(() => sink.event(type, object));
      },
      closed: (error) => later(() => sink.closed(error)),
    });
    return opened.then((watch) => ({
      [Symbol.dispose]() {
        isOpen = false;
        watch[Symbol.dispose]();
      },
    }));
  }

  #checkAlive(): void {
    if (this.hasCrashed) throw new CrashedError();
  }
}
