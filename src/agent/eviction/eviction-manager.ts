import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { isCritical } from "../pod-priority.ts";
import {
  type Eviction,
  type EvictionRules,
  type EvictionSignal,
  NO_PRESSURE,
  type NodePressure,
  type SignalReadings,
} from "./contract.ts";
import {
  evictionWords,
  heldPressure,
  judge,
  nextVictim,
  type PodUse,
  resourceOf,
  type Shortage,
  type ShortageHistory,
} from "./eviction-plan.ts";
import { hasLocalLimits, type LocalStorageUse, localStorageExcess } from "./local-storage.ts";

/** What evicting needs from the rest of the agent. */
export interface EvictionOptions {
  clock: Clock;
  logger: Logger;
  rules: EvictionRules;
  readings: () => SignalReadings;
  /** Pods that run and have not been evicted. */
  pods: () => Pod[];
  /** Undefined when the pod has just gone. */
  useOf: (pod: Pod, signal: EvictionSignal) => Promise<PodUse | undefined>;
  localStorageOf: (pod: Pod) => Promise<LocalStorageUse>;
  /** Gives back what no pod needs; resolves when that is done. */
  reclaim: (signal: EvictionSignal) => Promise<void>;
  /** Share of the time, 0 to 1, in which some process waited for memory; 0 when unknown. */
  memoryStall: () => number;
  /** Tells that a resource is about to be reclaimed, at the price of a pod if it has to be. */
  announce: (resource: string) => void;
  evict: (pod: Pod, how: Eviction) => void;
  /** The conditions have changed. */
  onPressure: () => void;
}

/** Keeps the node alive at the price of pods, until disposed. */
export interface EvictionManager extends AsyncDisposable {
  pressure(): NodePressure;
}

const ROUND_MS = 10_000;
/** While processes wait for memory, ten seconds are too long to look away. */
const URGENT_ROUND_MS = 1_000;
const URGENT_STALL = 0.1;

/** Looks every ten seconds; evicts at most one pod a round, as its end may be enough. */
export function startEviction(options: EvictionOptions): EvictionManager {
  const { clock, logger, rules } = options;
  const seenAtMs: Partial<Record<keyof NodePressure, number>> = {};
  let history: ShortageHistory = new Map();
  let pressure = NO_PRESSURE;
  let timer: Timer;
  let disposed = false;
  let round = Promise.resolve();

  const look = (): readonly Shortage[] => {
    const nowMs = clock.now();
    const judgement = judge(options.readings(), rules, { history, nowMs });
    history = judgement.history;
    const held = { seenAtMs, nowMs, holdMs: rules.transitionMs };
    const next = heldPressure(judgement.observed, held);
    const changed = JSON.stringify(next) !== JSON.stringify(pressure);
    pressure = next;
    if (changed) options.onPressure();
    return judgement.due;
  };

  const run = async () => {
    let [shortage] = look();
    const evicted = await evictBeyondLimits(options);
    if (!shortage || evicted) return;
    options.announce(resourceOf(shortage.signal));
    await options.reclaim(shortage.signal);
    [shortage] = look();
    if (!shortage) return;
    const uses: PodUse[] = [];
    for (const pod of options.pods()) {
      const use = await options.useOf(pod, shortage.signal);
      if (use) uses.push(use);
    }
    const victim = nextVictim(uses);
    if (!victim) {
      const message = "the node is short of a resource, and no pod may be evicted";
      return logger.warn(message, { ...shortage });
    }
    const graceMs = shortage.kind === "hard" ? 0 : softGraceOf(victim.pod, rules);
    const words = evictionWords(shortage, victim);
    const { signal } = shortage;
    options.evict(victim.pod, { ...words, signal, graceMs, disruption: words.message });
  };

  const again = () => {
    const urgent = options.memoryStall() >= URGENT_STALL;
    timer = clock.setTimer(urgent ? URGENT_ROUND_MS : ROUND_MS, () => {
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

function softGraceOf({ spec }: Pod, { softGraceMaxMs }: EvictionRules): number {
  return Math.min(softGraceMaxMs, (spec?.terminationGracePeriodSeconds ?? 30) * 1000);
}

/** Pods that broke a limit of their own go, whatever the node has left. */
async function evictBeyondLimits(options: EvictionOptions): Promise<boolean> {
  let evicted = false;
  for (const pod of options.pods()) {
    if (!hasLocalLimits(pod)) continue;
    if (isCritical(pod)) continue;
    const excess = localStorageExcess(pod, await options.localStorageOf(pod));
    if (excess === undefined) continue;
    options.evict(pod, { ...excess, graceMs: 0 });
    evicted = true;
  }
  return evicted;
}
