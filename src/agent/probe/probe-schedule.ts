import type { Probe } from "../../api/generated/types/core-v1.ts";
import type { Outcome } from "./outcome.ts";

/** A probe's settings with upstream's defaults, in milliseconds. */
export interface ProbeSettings {
  initialDelayMs: number;
  periodMs: number;
  timeoutMs: number;
  successThreshold: number;
  failureThreshold: number;
}

/** Reads the settings of a probe. */
export function settingsOf(probe: Probe): ProbeSettings {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: (probe.periodSeconds ?? 10) * 1000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  };
}

/** How a probe stands; changed only by `judge`. */
export interface ProbeStanding {
  verdict?: "healthy" | "unhealthy";
  /** Attempts in a row with the same outcome. */
  successes: number;
  failures: number;
  /** Extra attempts before the first success. */
  early: number;
}

/** A probe that was not asked yet. */
export const UNASKED: ProbeStanding = { successes: 0, failures: 0, early: 0 };

const EARLY_FIRST_MS = 25;

/** What follows from an attempt. */
export interface Judgement {
  standing: ProbeStanding;
  /** Until the next attempt. */
  waitMs: number;
  /** The next attempt is an extra one, before its period. */
  early: boolean;
  /** The attempt is worth an event, if it has something to tell. */
  told: boolean;
  /** A threshold was passed just now. */
  changed: boolean;
}

/**
 * Judges one attempt. Until a probe succeeds for the first time, it is asked again after 25 ms,
 * then twice as long each time until the period is reached; these early failures do not count. So a
 * container is seen ready when it is, not up to a period later, and no threshold gets stricter.
 * What nobody could ask changes no mind.
 */
export function judge(
  standing: ProbeStanding,
  result: Outcome["result"],
  settings: ProbeSettings,
): Judgement {
  if (result === "success" || result === "warning") {
    const successes = standing.successes + 1;
    const passed = successes >= settings.successThreshold && standing.verdict !== "healthy";
    return {
      standing: { ...standing, successes, failures: 0, ...(passed ? { verdict: "healthy" } : {}) },
      waitMs: settings.periodMs,
      early: false,
      told: result === "warning",
      changed: passed,
    };
  }
  const earlyMs = EARLY_FIRST_MS * 2 ** standing.early;
  const untouched = standing.verdict === undefined && standing.failures === 0;
  if (untouched && standing.successes === 0 && earlyMs < settings.periodMs) {
    return {
      standing: { ...standing, early: standing.early + 1 },
      waitMs: earlyMs,
      early: true,
      told: false,
      changed: false,
    };
  }
  if (result === "error") {
    return { standing, waitMs: settings.periodMs, early: false, told: true, changed: false };
  }
  const failures = standing.failures + 1;
  const passed = failures >= settings.failureThreshold && standing.verdict !== "unhealthy";
  return {
    standing: { ...standing, successes: 0, failures, ...(passed ? { verdict: "unhealthy" } : {}) },
    waitMs: settings.periodMs,
    early: false,
    told: true,
    changed: passed,
  };
}
