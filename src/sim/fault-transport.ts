import { StatusError } from "../api/errors.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";

/** What goes wrong between a component and its API server; nothing by default. */
export interface Faults {
  /** The component dies at this write, counted from 1, before or after it reached the server. */
  crash?: { atWrite: number; when: "before" | "after" };
  /** Watch events come up to so much later; those of one watch keep their order. */
  delayMs?: number;
  /** Share of watch events that come twice, and of reopened watches that repeat their last ones. */
  duplicates?: number;
  /** Share of requests that the server refuses: 409, 429, 500, 503. */
  refusals?: number;
  /** Share of writes whose answer never comes; half of them happened. */
  lostAnswers?: number;
  /** Watches break after up to so long. */
  watchLifeMs?: number;
  /** Share of broken watches whose revision is then too old to go on from. */
  expiries?: number;
  /** Share of watch events that are the last ones of a watch for up to `freezeMs`. */
  freezes?: number;
  freezeMs?: number;
  /** First lists come from a cache that is so far behind. */
  staleListMs?: number;
  /** From then on (monotonic) nothing goes wrong any more. */
  untilMs?: number;
}

/** What a transport needs beside its faults. */
export interface FaultSources {
  clock: Clock;
  random: Random;
  /** The newest revision as it was so long ago; for stale lists. */
  revisionBefore?: (agoMs: number) => string | undefined;
  /** Called once, at the write of `faults.crash`. */
  onCrash?: () => void;
  /** Told of every write that reaches the server. */
  onWrite?: (request: ApiRequest) => void;
}

/** The component is dead: it hears and says nothing any more. */
class CrashedError extends Error {
  override readonly name = "CrashedError";
}

const REPEATED_MAX = 5;

/** The API server as one component sees it during one of its lives. */
export class FaultTransport implements Transport {
  writes = 0;
  hasCrashed = false;
  /** Objects that were created although the component was told, or must think, otherwise. */
  unknownCreates = 0;
  readonly #inner: Transport;
  readonly #faults: Faults;
  readonly #sources: FaultSources;
  /** The last events of each watch, by path: a server may repeat them after a reconnect. */
  readonly #recent = new Map<string, { type: "MODIFIED" | "ADDED"; object: unknown }[]>();
  readonly #expired = new Set<string>();

  constructor(inner: Transport, faults: Faults, sources: FaultSources) {
    this.#inner = inner;
    this.#faults = faults;
    this.#sources = sources;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.#checkAlive();
    if (request.method === "GET") return this.#read(request);
    const { crash, lostAnswers = 0 } = this.#faults;
    const isLast = ++this.writes === crash?.atWrite;
    if (isLast) this.#crash();
    if (isLast && crash?.when === "before") throw new CrashedError();
    if (!isLast) this.#refuse();
    const isLost = this.#strikes(lostAnswers);
    if (isLost && this.#sources.random.float() < 0.5) throw timeout();
    this.#sources.onWrite?.(request);
    const response = await this.#inner.request(request);
    if (request.method === "POST" && (isLost || this.hasCrashed)) this.unknownCreates++;
    this.#checkAlive();
    if (isLost) throw timeout();
    return response;
  }

  async watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
    this.#checkAlive();
    this.#refuse();
    const [key = ""] = request.path.split("?");
    if (this.#expired.delete(key)) throw new StatusError("Expired", "too old resource version");
    const { clock, random } = this.#sources;
    const { watchLifeMs = 0, expiries = 0, duplicates = 0 } = this.#faults;
    const isOver = () => this.hasCrashed;
    const recent = this.#recent.get(key) ?? [];
    this.#recent.set(key, recent);
    // Only what arrived may come again: what a broken connection lost comes in its turn.
    const remembering: WatchSink = {
      event: (type, object) => {
        sink.event(type, object);
        if (type !== "ADDED" && type !== "MODIFIED") return;
        recent.push({ type, object });
        if (recent.length > REPEATED_MAX) recent.shift();
      },
      closed: (error) => sink.closed(error),
    };
    const delivery = new Delivery(remembering, { faults: this.#faults, sources: this.#sources });
    if (this.#strikes(duplicates)) {
      // Each one that arrives is remembered anew.
      const repeated = recent.slice();
      for (const { object } of repeated) delivery.event("MODIFIED", object, isOver);
    }
    const watch = await this.#inner.watch(request, {
      event: (type, object) => {
        delivery.event(type, object, isOver);
        if (type !== "ADDED" && type !== "MODIFIED") return;
        if (this.#strikes(duplicates)) delivery.event("MODIFIED", object, isOver);
      },
      closed: (error) => delivery.closed(error, isOver),
    });
    if (watchLifeMs > 0 && this.#isActive()) {
      clock.setTimer(random.float() * watchLifeMs, () => {
        if (this.hasCrashed || !delivery.isOpen) return;
        if (this.#strikes(expiries)) this.#expired.add(key);
        // What was on its way is lost with the connection.
        delivery.break(new Error("connection reset"));
        watch[Symbol.dispose]();
      });
    }
    return {
      [Symbol.dispose]() {
        delivery.isOpen = false;
        watch[Symbol.dispose]();
      },
    };
  }

  async #read(request: ApiRequest): Promise<ApiResponse> {
    this.#refuse();
    const { staleListMs = 0 } = this.#faults;
    const { revisionBefore } = this.#sources;
    let { path } = request;
    if (staleListMs > 0 && this.#isActive() && /[?&]resourceVersion=0(&|$)/.test(path)) {
      const revision = revisionBefore?.(staleListMs);
      const older = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
      if (revision) path = path.replace("resourceVersion=0", older);
    }
    const response = await this.#inner.request({ ...request, path });
    this.#checkAlive();
    return response;
  }

  #crash(): void {
    this.hasCrashed = true;
    this.#sources.onCrash?.();
  }

  #checkAlive(): void {
    if (this.hasCrashed) throw new CrashedError();
  }

  #isActive(): boolean {
    return this.#sources.clock.monotonicMs() < (this.#faults.untilMs ?? Infinity);
  }

  #strikes(share: number): boolean {
    return share > 0 && this.#isActive() && this.#sources.random.float() < share;
  }

  #refuse(): void {
    if (!this.#strikes(this.#faults.refusals ?? 0)) return;
    const refusals = [
      () => new StatusError("Conflict", "the object has been modified"),
      () => new StatusError("TooManyRequests", "too many requests", { retryAfterSeconds: 1 }),
      () => new StatusError("InternalError", "an error on the server"),
      () => new StatusError("ServiceUnavailable", "the server is starting"),
    ];
    const at = Math.floor(this.#sources.random.float() * refusals.length);
    throw (refusals[at] as () => StatusError)();
  }
}

function timeout(): Error {
  return new Error("request timed out");
}

/** Hands the events of one watch on, in order, some of them late. */
class Delivery {
  isOpen = true;
  readonly #sink: WatchSink;
  readonly #faults: Faults;
  readonly #sources: FaultSources;
  #dueMs = 0;
  #waiting = 0;

  constructor(sink: WatchSink, of: { faults: Faults; sources: FaultSources }) {
    this.#sink = sink;
    this.#faults = of.faults;
    this.#sources = of.sources;
  }

  event(type: Parameters<WatchSink["event"]>[0], object: unknown, isOver: () => boolean): void {
    this.#later(isOver, () => this.#sink.event(type, object));
  }

  closed(error: unknown, isOver: () => boolean): void {
    this.#later(isOver, () => this.#sink.closed(error));
  }

  break(error: unknown): void {
    this.isOpen = false;
    this.#sink.closed(error);
  }

  #later(isOver: () => boolean, deliver: () => void): void {
    const { clock, random } = this.#sources;
    const { delayMs = 0, freezes = 0, freezeMs = 0, untilMs = Infinity } = this.#faults;
    const nowMs = clock.monotonicMs();
    const isActive = nowMs < untilMs;
    let dueMs = nowMs;
    if (isActive && delayMs > 0) dueMs += random.float() * delayMs;
    if (isActive && freezes > 0 && random.float() < freezes) dueMs += random.float() * freezeMs;
    this.#dueMs = Math.max(dueMs, this.#dueMs);
    const guarded = () => {
      if (this.isOpen && !isOver()) deliver();
    };
    // What came before may be due at this very instant and still wait for its turn.
    if (this.#dueMs <= nowMs && this.#waiting === 0) {
      guarded();
      return;
    }
    this.#waiting++;
    clock.setTimer(this.#dueMs - nowMs, () => {
      this.#waiting--;
      guarded();
    });
  }
}
