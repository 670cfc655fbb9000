/** A pending timer; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time above the adapters, so that a simulation can own it. */
export interface Clock {
  /** Wall clock in milliseconds since 1970-01-01 UTC. May jump. */
  now(): number;
  /** Milliseconds, with fractions, since an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`. Does not keep the process alive by itself. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** Resolves after `delayMs`, or at once (without error) when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = () => {
      timer.cancel();
      resolve();
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** RFC 3339 in UTC with whole seconds: the wire form of `metav1.Time`. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with microseconds: the wire form of `metav1.MicroTime`. */
export function formatMicroTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;
}
