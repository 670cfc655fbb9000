const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to `below` seconds, a duration is written in `unit`, with `fine` units while they matter. */
interface Step {
  below: number;
  unit: [size: number, letter: string];
  fine?: [size: number, letter: string];
}

const STEPS: readonly Step[] = [
  { below: 2 * MINUTE, unit: [1, "s"] },
  { below: 10 * MINUTE, unit: [MINUTE, "m"], fine: [1, "s"] },
  { below: 3 * HOUR, unit: [MINUTE, "m"] },
  { below: 8 * HOUR, unit: [HOUR, "h"], fine: [MINUTE, "m"] },
  { below: 2 * DAY, unit: [HOUR, "h"] },
  { below: 8 * DAY, unit: [DAY, "d"], fine: [HOUR, "h"] },
  { below: 2 * YEAR, unit: [DAY, "d"] },
  { below: 8 * YEAR, unit: [YEAR, "y"], fine: [DAY, "d"] },
  { below: Number.POSITIVE_INFINITY, unit: [YEAR, "y"] },
];

/**
 * A duration as kubectl prints ages: "45s", "2m10s", "5d3h". Up to a second below zero counts as
 * zero, as clocks differ; anything earlier is "<invalid>".
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return "<invalid>";
  const size = Math.max(0, seconds);
  const step = STEPS.find(({ below }) => size < below);
  if (!step) return "<invalid>";
  const [unit, letter] = step.unit;
  const text = `${Math.floor(size / unit)}${letter}`;
  const [fine, fineLetter] = step.fine ?? [0, ""];
  const rest = fine === 0 ? 0 : Math.floor((size % unit) / fine);
  return rest === 0 ? text : `${text}${rest}${fineLetter}`;
}
