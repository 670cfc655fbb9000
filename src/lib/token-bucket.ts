import type { Clock } from "./clock.ts";

/** Lets things happen at a rate, and a few of them at once. */
export interface TokenBucket {
  /** Takes one token; false, at once, when there is none. */
  tryTake(): boolean;
}

/** A bucket that starts full; a rate of 0 or less is no limit. */
export function createTokenBucket(options: {
  perSecond: number;
  burst: number;
  clock: Clock;
}): TokenBucket {
  const { perSecond, burst, clock } = options;
  let tokens = burst;
  let filledMs = clock.monotonicMs();
  return {
    tryTake() {
      if (perSecond <= 0) return true;
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - filledMs) / 1000) * perSecond);
      filledMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
