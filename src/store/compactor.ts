import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { isStoreError } from "./errors.ts";
import type { Store } from "./store.ts";

/** As upstream: watches and pages may fall five to ten minutes behind. */
const INTERVAL_MS = 5 * 60_000;

/**
 * Forgets history that is older than one interval, once per interval. Without it a store grows
 * with every write. Failures are logged and tried again; disposing stops it, also under way.
 */
export function startCompactor(
  store: Store,
  { clock, logger, intervalMs = INTERVAL_MS }: CompactorOptions,
): Disposable {
  let previous = 0;
  let stopped = false;
  let timer: Timer;

  async function compact(): Promise<void> {
    try {
      const newest = await store.revision();
      if (previous > 0) await store.compact(previous);
      previous = newest;
    } catch (error) {
      if (isStoreError(error, "closed")) stopped = true;
      else logger.warn("cannot compact the store", { error });
    }
    if (!stopped) arm();
  }

  function arm(): void {
    timer = clock.setTimer(intervalMs, () => void compact());
  }

  arm();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      timer.cancel();
    },
  };
}

/** What a compactor needs from outside. */
export interface CompactorOptions {
  clock: Clock;
  logger: Logger;
  intervalMs?: number;
}
