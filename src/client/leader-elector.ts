import { isAlreadyExists, isConflict, isNotFound } from "../api/errors.ts";
import { LEASES } from "../api/generated/resources.ts";
import type { Lease } from "../api/generated/types/coordination-v1.ts";
import { type Clock, formatMicroTime, sleep } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Client } from "./client.ts";

/** The usual periods of Kubernetes' own components. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

/** Which lease to hold, as whom, and what to do with it. */
export interface LeaderElectorOptions {
  client: Client;
  clock: Clock;
  random: Random;
  logger: Logger;
  lease: { namespace: string; name: string };
  /** Unique among all candidates. */
  identity: string;
  leaseMs?: number;
  renewDeadlineMs?: number;
  retryMs?: number;
  /**
   * Runs while this candidate leads; `signal` aborts when it no longer may. A new term starts only
   * after the promise of the term before has settled.
   */
  lead(signal: AbortSignal): Promise<void>;
}

/** A candidate; disposing gives the lease back, so that another need not wait for its end. */
export interface LeaderElector extends AsyncDisposable {
  readonly isLeader: boolean;
}

/** Starts to compete for a lease. At most one of all candidates believes to hold it. */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  return new LeaseElector(options);
}

class LeaseElector implements LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #leaseMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #leading = false;
  #lease: Lease | undefined;
  /** When the current state of the lease was first seen here; clocks of others are not trusted. */
  #seenMs = 0;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#running = this.#run();
  }

  get isLeader(): boolean {
    return this.#leading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stop.signal.aborted) {
      if (await this.#tryToHold()) await this.#leadTerm();
      if (this.#stop.signal.aborted) break;
      await sleep(clock, this.#retryMs * (1 + 0.2 * random.float()), this.#stop.signal);
    }
    await this.#release();
  }

  async #leadTerm(): Promise<void> {
    const { clock, logger, identity, lead } = this.#options;
    const term = new AbortController();
    const stop = () => term.abort();
    this.#stop.signal.addEventListener("abort", stop, { once: true });
    this.#leading = true;
    logger.info("leading", { identity });
    const leading = lead(term.signal).catch((error) => logger.error("leader failed", { error }));
    let heldMs = clock.monotonicMs();
    while (!term.signal.aborted) {
      const deadlineMs = heldMs + this.#renewDeadlineMs;
      await sleep(clock, this.#retryMs, term.signal);
      if (term.signal.aborted) break;
      const startMs = clock.monotonicMs();
      if (await this.#tryBefore(deadlineMs)) heldMs = startMs;
      else if (clock.monotonicMs() >= deadlineMs || this.#isLost()) term.abort();
    }
    this.#stop.signal.removeEventListener("abort", stop);
    await leading;
    this.#leading = false;
    logger.info("stopped leading", { identity });
  }

  /** A renewal that hangs must not keep a leader believing in itself. */
  async #tryBefore(deadlineMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const done = new AbortController();
    const late = sleep(clock, deadlineMs - clock.monotonicMs(), done.signal).then(() => false);
    try {
      return await Promise.race([this.#tryToHold(), late]);
    } finally {
      done.abort();
    }
  }

  #isLost(): boolean {
    const holder = this.#lease?.spec?.holderIdentity;
    return holder !== undefined && holder !== this.#options.identity;
  }

  async #tryToHold(): Promise<boolean> {
    const { client, logger, lease, identity } = this.#options;
    try {
      const current = await client.for(LEASES).get(lease);
      this.#notice(current);
      const isFree = !current.spec?.holderIdentity || this.#hasExpired();
      if (!isFree && current.spec?.holderIdentity !== identity) return false;
      this.#notice(await client.for(LEASES).update(this.#claim(current)));
      return true;
    } catch (error) {
      if (isNotFound(error)) return this.#createLease();
      if (!isConflict(error)) logger.debug("cannot take lease", { lease: lease.name, error });
      return false;
    }
  }

  async #createLease(): Promise<boolean> {
    const { client, logger, lease } = this.#options;
    try {
      this.#notice(await client.for(LEASES).create(this.#claim({ metadata: { ...lease } })));
      return true;
    } catch (error) {
      if (!isAlreadyExists(error)) logger.debug("cannot create lease", { error });
      return false;
    }
  }

  #notice(lease: Lease): void {
    const isNew = lease.metadata?.resourceVersion !== this.#lease?.metadata?.resourceVersion;
    this.#lease = lease;
    if (isNew) this.#seenMs = this.#options.clock.monotonicMs();
  }

  #hasExpired(): boolean {
    const durationMs = (this.#lease?.spec?.leaseDurationSeconds ?? 0) * 1_000;
    return this.#options.clock.monotonicMs() - this.#seenMs >= durationMs;
  }

  #claim(current: Lease): Lease {
    const { clock, identity } = this.#options;
    const now = formatMicroTime(clock.now());
    const { spec = {} } = current;
    const isRenewal = spec.holderIdentity === identity;
    return {
      ...current,
      spec: {
        ...spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseMs / 1_000),
        acquireTime: isRenewal && spec.acquireTime ? spec.acquireTime : now,
        renewTime: now,
        leaseTransitions: (spec.leaseTransitions ?? -1) + (isRenewal ? 0 : 1),
      },
    };
  }

  async #release(): Promise<void> {
    const { client, identity, logger } = this.#options;
    const lease = this.#lease;
    if (lease?.spec?.holderIdentity !== identity) return;
    try {
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 };
      await client.for(LEASES).update({ ...lease, spec });
    } catch (error) {
      logger.debug("cannot give the lease back", { error });
    }
  }
}
