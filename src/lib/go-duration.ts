const SECOND = 1_000_000_000n;
const SMALL_UNITS = [
  ["ns", 1n],
  ["µs", 1_000n],
  ["ms", 1_000_000n],
] as const;

/** Nanoseconds as Go writes a duration: "0s", "1.5ms", "1m3.2s", "2h0m0s". */
export function formatGoDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatGoDuration(-nanos)}`;
  if (nanos === 0n) return "0s";
  const small = SMALL_UNITS.findLast(([, unit]) => nanos >= unit);
  if (nanos < SECOND && small) return `${decimal(nanos, small[1])}${small[0]}`;
  const minutes = nanos / (60n * SECOND);
  const seconds = `${decimal(nanos % (60n * SECOND), SECOND)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(amount: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(amount % unit)
    .padStart(digits, "0")
    .slice(0, digits)
    .replace(/0+$/, "");
  return fraction ? `${amount / unit}.${fraction}` : String(amount / unit);
}
