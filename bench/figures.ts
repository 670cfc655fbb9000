/** The value that `share` (0 to 1) of the times lie below; 0 for none. */
export function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;
}

/** To hundredths. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
