import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../lib/clock.ts";

/** Node.js fires timers beyond this at once (delays are 32-bit signed). */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers are unreferenced: alone they do not keep a process running. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer,
};

function setTimer(delayMs: number, fire: () => void): Timer {
  const dueMs = performance.now() + delayMs;
  let handle = arm();

  function arm(): NodeJS.Timeout {
    const restMs = dueMs - performance.now();
    const elapsed = restMs > DELAY_MAX_MS ? () => (handle = arm()) : fire;
    return setTimeout(elapsed, Math.min(Math.max(0, restMs), DELAY_MAX_MS)).unref();
  }

  return { cancel: () => clearTimeout(handle) };
}
