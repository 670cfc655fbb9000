import { CelError } from "../source-errors.ts";
import { type Duration, Timestamp } from "../values.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PIECE = /([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** Nanoseconds of "1h30m", "-1.5s"; undefined when the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0n;
  if (rest === "") return undefined;
  let nanos = 0n;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < rest.length) {
    const found = PIECE.exec(rest);
    if (!found) return undefined;
    const [, whole = "", fraction = "", unit = ""] = found;
    if (whole + fraction === "" || whole.length + fraction.length > 40) return undefined;
    const scale = UNITS[unit] ?? 1n;
    nanos += BigInt(whole || "0") * scale;
    if (fraction) nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  const signed = sign === "-" ? -nanos : nanos;
  return signed < -(2n ** 63n) || signed >= 2n ** 63n ? undefined : signed;
}

/** Seconds with as many decimals as it takes: "5400s", "1.5s". */
export function formatDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = fractionText(size % 1_000_000_000n);
  return `${nanos < 0n ? "-" : ""}${size / 1_000_000_000n}${fraction}s`;
}

function fractionText(nanos: bigint): string {
  if (nanos === 0n) return "";
  return `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Nanoseconds since 1970 of an RFC 3339 text; undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const found = RFC_3339.exec(text);
  if (!found) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map(Number);
  const [, , , , , , , fraction = "", sign, offsetHours, offsetMinutes] = found;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const valid = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!valid || hour > 23 || minute > 59 || second > 59) return undefined;
  date.setUTCHours(hour, minute, second);
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * 60_000;
  const ms = date.getTime() - (sign === "-" ? -offset : offset);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** RFC 3339 in UTC with as many decimals as it takes. */
export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, 1_000_000_000n);
  const fraction = fractionText(nanos - seconds * 1_000_000_000n);
  const iso = new Date(Number(seconds) * 1000).toISOString();
  return iso.replace(/\.\d{3}Z$/, `${fraction}Z`);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}

/** The date whose UTC fields are those of the time in a zone: a name, or "+02:00". */
export function dateIn({ nanos }: Timestamp, zone = "UTC"): Date {
  const ms = Number(floorDivide(nanos, 1_000_000n));
  if (zone === "" || zone === "UTC") return new Date(ms);
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(ms + (offset[1] === "-" ? -minutes : minutes) * 60_000);
  }
  return zonedDate(ms, zone);
}

function zonedDate(ms: number, zone: string): Date {
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    }).formatToParts(ms);
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
  const part = (name: string) => Number(parts.find(({ type }) => type === name)?.value ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(part("year"), part("month") - 1, part("day"));
  const milliseconds = ((ms % 1000) + 1000) % 1000;
  date.setUTCHours(part("hour"), part("minute"), part("second"), milliseconds);
  return date;
}
