import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { isStoreError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { fieldOf, textOf } from "./kube-object.ts";
import type { CachedObject } from "./watch-cache/cached-object.ts";
import type { WatchCache } from "./watch-cache/watch-cache.ts";

/** How long things are kept. */
export interface MaintenanceTimes {
  /** History is kept for one to two of these; upstream's is five minutes. */
  compactionIntervalMs: number;
  /** Events are removed this long after they were last written. */
  eventTtlMs: number;
}

export const DEFAULT_TIMES: MaintenanceTimes = {
  compactionIntervalMs: 300_000,
  eventTtlMs: 3_600_000,
};

export interface MaintenanceParts {
  store: Store;
  clock: Clock;
  logger: Logger;
  /** The cache of `core/events`. */
  events: WatchCache;
  times: MaintenanceTimes;
}

/** Forgets history that nobody needs and Events that are old, again and again. */
export function startMaintenance(parts: MaintenanceParts): Disposable {
  const { store, clock, logger, times } = parts;
  let seenRevision = 0;
  let timer: Timer | undefined;
  let closed = false;
  const arm = () => {
    if (!closed) timer = clock.setTimer(times.compactionIntervalMs, () => void run());
  };
  const run = async () => {
    try {
      if (seenRevision > 0) await store.compact(seenRevision);
      seenRevision = await store.revision();
      await expireEvents(parts);
    } catch (error) {
      if (!isStoreError(error, "closed")) logger.error("the store was not tidied", { error });
    }
    arm();
  };
  arm();
  return {
    [Symbol.dispose]: () => {
      closed = true;
      timer?.cancel();
    },
  };
}

async function expireEvents({ store, clock, events, times }: MaintenanceParts): Promise<void> {
  const before = clock.now() - times.eventTtlMs;
  const old = [...events.keys("")].flatMap((key) => {
    const event = events.get(key);
    return event && lastWritten(event) < before ? [event] : [];
  });
  for (const { key, revision } of old) {
    try {
      await store.delete("core/events", key, revision);
    } catch (error) {
      // Written again or gone meanwhile: it is not old, or not there.
      if (!isStoreError(error, "conflict") && !isStoreError(error, "not-found")) throw error;
    }
  }
}

/** The newest of the times that an Event carries. */
function lastWritten(cached: CachedObject): number {
  const event = cached.copy();
  const texts = [
    event.metadata.creationTimestamp,
    event["lastTimestamp"],
    event["eventTime"],
    fieldOf(event, "series")["lastObservedTime"],
  ];
  return Math.max(...texts.map((text) => Date.parse(textOf(text)) || 0));
}
