import { type Clock, sleep } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { UsageSample } from "./usage-sample.ts";

/** A sample serves every request of this long. */
const FRESH_MS = 10_000;
/** Rates over longer than this tell too little about now. */
const WINDOW_MAX_MS = 120_000;
/** Between the first two samples of a node, so that the first answer has a rate. */
const FIRST_WINDOW_MS = 1_000;

/** Two moments of one node. */
export interface UsageWindow {
  before: UsageSample;
  now: UsageSample;
}

/** How a sampler reaches agents. */
export interface UsageSamplerOptions {
  clock: Clock;
  logger: Logger;
  /** Asks the agent of a node. @throws when it does not answer */
  sample(node: string): Promise<UsageSample>;
}

/**
 * Use of nodes and pods, asked from the agents when somebody wants to know it: while nobody looks,
 * nothing is polled.
 */
export class UsageSampler implements Disposable {
  readonly #options: UsageSamplerOptions;
  readonly #windows = new Map<string, UsageWindow>();
  readonly #pending = new Map<string, Promise<UsageWindow | undefined>>();
  readonly #stop = new AbortController();

  constructor(options: UsageSamplerOptions) {
    this.#options = options;
  }

  /** Windows of those nodes whose agents answer, by name. */
  async read(nodes: Iterable<string>): Promise<Map<string, UsageWindow>> {
    const found = new Map<string, UsageWindow>();
    const reads = [...new Set(nodes)].map(async (node) => {
      const window = await this.#window(node);
      if (window) found.set(node, window);
    });
    await Promise.all(reads);
    return found;
  }

  /** Drops what is known of nodes that are gone. */
  retain(isNode: (name: string) => boolean): void {
    for (const name of this.#windows.keys()) if (!isNode(name)) this.#windows.delete(name);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#windows.clear();
  }

  #window(node: string): Promise<UsageWindow | undefined> {
    const known = this.#windows.get(node);
    const ageMs = known ? this.#options.clock.now() - known.now.atMs : Infinity;
    if (known && ageMs < FRESH_MS) return Promise.resolve(known);
    const pending = this.#pending.get(node) ?? this.#renew(node, known);
    this.#pending.set(node, pending);
    return pending;
  }

  async #renew(node: string, known: UsageWindow | undefined): Promise<UsageWindow | undefined> {
    const { logger } = this.#options;
    try {
      const now = await this.#options.sample(node);
      const isRecent = known && now.atMs - known.now.atMs <= WINDOW_MAX_MS;
      const window = isRecent ? { before: known.now, now } : await this.#first(node, now);
      if (!this.#stop.signal.aborted) this.#windows.set(node, window);
      return window;
    } catch (error) {
      logger.debug("cannot read the use of a node", { node, error });
      return undefined;
    } finally {
      this.#pending.delete(node);
    }
  }

  async #first(node: string, before: UsageSample): Promise<UsageWindow> {
    await sleep(this.#options.clock, FIRST_WINDOW_MS, this.#stop.signal);
    return { before, now: await this.#options.sample(node) };
  }
}
