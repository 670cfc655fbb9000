import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import {
  type EvictionSignal,
  type EvictionThresholds,
  NO_PRESSURE,
  type NodePressure,
  type SignalReadings,
} from "./contract.ts";
import {
  evictionMessage,
  heldPressure,
  nextVictim,
  type PodUse,
  shortagesOf,
} from "./eviction-plan.ts";
import { hasLocalLimits, type LocalStorageUse, localStorageExcess } from "./local-storage.ts";

/** What evicting needs from the rest of the agent. */
export interface EvictionOptions {
  clock: Clock;
  logger: Logger;
  thresholds: EvictionThresholds;
  /** How long a condition stays after its cause is gone. */
  holdMs: number;
  readings: () => SignalReadings;
  /** Pods that run and have not been evicted. */
  pods: () => Pod[];
  /** What a pod uses of what a signal measures; undefined when it has just gone. */
  useOf: (pod: Pod, signal: EvictionSignal) => Promise<number | undefined>;
  localStorageOf: (pod: Pod) => Promise<LocalStorageUse>;
  evict: (pod: Pod, message: string) => void;
  /** The conditions have changed. */
  onPressure: () => void;
}

/** Keeps the node alive at the price of pods, until disposed. */
export interface EvictionManager extends AsyncDisposable {
  pressure(): NodePressure;
}

const ROUND_MS = 10_000;

/** Looks every ten seconds; evicts at most one pod a round, as its end may be enough. */
export function startEviction(options: EvictionOptions): EvictionManager {
  const { clock, logger, thresholds, holdMs } = options;
  const seenAtMs: Partial<Record<keyof NodePressure, number>> = {};
  let pressure = NO_PRESSURE;
  let timer: Timer;
  let disposed = false;
  let round = Promise.resolve();

  const look = () => {
    const shortages = shortagesOf(options.readings(), thresholds);
    const next = heldPressure(shortages, { seenAtMs, nowMs: clock.now(), holdMs });
    const changed = JSON.stringify(next) !== JSON.stringify(pressure);
    pressure = next;
    if (changed) options.onPressure();
    return shortages;
  };

  const run = async () => {
    const [shortage] = look();
    const evicted = await evictBeyondLimits(options);
    if (!shortage || evicted) return;
    const uses: PodUse[] = [];
    for (const pod of options.pods()) {
      const used = await options.useOf(pod, shortage.signal);
      if (used !== undefined) uses.push({ pod, used });
    }
    const victim = nextVictim(shortage.signal, uses);
    if (victim) options.evict(victim.pod, evictionMessage(shortage, victim));
    else logger.warn("the node is short of a resource, and no pod may be evicted", { ...shortage });
  };

  const again = () => {
    timer = clock.setTimer(ROUND_MS, () => {
      round = run()
        .catch((error: unknown) => logger.warn("cannot look after the node's resources", { error }))
        .then(() => void (disposed || again()));
    });
  };
  look();
  again();
  return {
    pressure: () => pressure,
    async [Symbol.asyncDispose]() {
      disposed = true;
      timer.cancel();
      await round;
    },
  };
}

/** Pods that broke a limit of their own go, whatever the node has left. */
async function evictBeyondLimits(options: EvictionOptions): Promise<boolean> {
  let evicted = false;
  for (const pod of options.pods()) {
    if (!hasLocalLimits(pod)) continue;
    const excess = localStorageExcess(pod, await options.localStorageOf(pod));
    if (excess === undefined) continue;
    options.evict(pod, excess);
    evicted = true;
  }
  return evicted;
}
