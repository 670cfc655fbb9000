/** The text is no cron schedule. */
export class CronError extends Error {
  override readonly name = "CronError";
}

/** The minutes at which something is due; each set holds the values that match. */
export interface CronFields {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  daysOfMonth: ReadonlySet<number>;
  months: ReadonlySet<number>;
  /** 0 is Sunday. */
  daysOfWeek: ReadonlySet<number>;
  /** Days must match both fields when one of them is `*`, else either. */
  everyDay: boolean;
}

/** A schedule by calendar, or one that repeats after a fixed time. */
export type CronSchedule = CronFields | { everyMs: number };

interface FieldRange {
  name: string;
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const RANGES: readonly FieldRange[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day of week", min: 0, max: 6, names: DAYS },
];
const MACROS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const MINUTE_MS = 60_000;
/** Clocks are changed at quarters of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A day that never comes (February 30th) is given up after this many days. */
const SEARCH_DAYS_MAX = 366 * 5;
/** What was due lately is found without counting everything before it. */
const SEARCH_WINDOWS_MS = [HOUR_MS, DAY_MS, 32 * DAY_MS, 366 * DAY_MS, SEARCH_DAYS_MAX * DAY_MS];

/** Parses five fields, or "@hourly" and the like, or "@every 1h30m". @throws CronError */
export function parseCron(text: string): CronSchedule {
  const trimmed = text.trim();
  if (trimmed === "") throw new CronError("empty spec string");
  if (trimmed.startsWith("@every ")) return { everyMs: parseInterval(trimmed.slice(7)) };
  const macro = MACROS.get(trimmed);
  if (trimmed.startsWith("@") && macro === undefined) {
    throw new CronError(`unrecognized descriptor: ${trimmed}`);
  }
  const fields = (macro ?? trimmed).split(/\s+/);
  if (fields.length !== 5) {
    throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = RANGES.map((range, at) =>
    parseField(fields[at] ?? "", range),
  );
  const none = new Set<number>();
  return {
    minutes: minutes ?? none,
    hours: hours ?? none,
    daysOfMonth: daysOfMonth ?? none,
    months: months ?? none,
    daysOfWeek: daysOfWeek ?? none,
    everyDay: isStar(fields[2]) || isStar(fields[4]),
  };
}

function isStar(field = ""): boolean {
  return /^[*?]/.test(field);
}

function parseInterval(text: string): number {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new CronError(`failed to parse duration @every ${text}`);
  }
  const total = parts.reduce((sum, [, size, unit]) => {
    return sum + Number(size) * (UNITS_MS[unit ?? ""] ?? 0);
  }, 0);
  return Math.max(1000, Math.floor(total / 1000) * 1000);
}

function parseField(field: string, range: FieldRange): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [span = "", stepText, ...rest] = part.split("/");
    if (rest.length > 0) throw new CronError(`too many slashes: ${part}`);
    const [low = "", high, ...more] = span.split("-");
    if (more.length > 0) throw new CronError(`too many hyphens: ${part}`);
    const all = low === "*" || low === "?";
    const start = all ? range.min : valueOf(low, range);
    let end = all ? range.max : start;
    if (!all && high !== undefined) end = valueOf(high, range);
    else if (!all && stepText !== undefined) end = range.max;
    const step = stepText === undefined ? 1 : numberOf(stepText);
    if (start < range.min) {
      throw new CronError(`beginning of range (${start}) below minimum (${range.min}): ${part}`);
    }
    if (end > range.max) {
      throw new CronError(`end of range (${end}) above maximum (${range.max}): ${part}`);
    }
    if (start > end) {
      throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${part}`);
    }
    if (step === 0) throw new CronError(`step of range should be a positive number: ${part}`);
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return values;
}

function valueOf(text: string, { names, min }: FieldRange): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : numberOf(text);
}

function numberOf(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new CronError(`failed to parse int from ${text}`);
  return Number(text);
}

/** How far local clocks are ahead of UTC at an instant, in milliseconds; whole minutes. */
export type ZoneOffset = (epochMs: number) => number;

const UTC: ZoneOffset = () => 0;

/**
 * The first time after `afterMs` that is due, in milliseconds since 1970; `undefined` when none
 * comes within five years. Local clocks decide: what they skip is not due that day, and what they
 * show twice is due twice.
 */
export function nextCronTime(
  schedule: CronSchedule,
  afterMs: number,
  { offsetAt = UTC }: { offsetAt?: ZoneOffset } = {},
): number | undefined {
  if ("everyMs" in schedule) return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs;
  let at = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const end = at + SEARCH_DAYS_MAX * DAY_MS;
  while (at < end) {
    const offset = offsetAt(at);
    const steps = stepsPast(schedule, at + offset);
    const [shortest] = steps.slice(-1);
    if (shortest === undefined) return at;
    // No step may pass a change of the clock, after which it would end elsewhere.
    at += steps.find((step) => offsetAt(at + step) === offset) ?? shortest;
  }
  return undefined;
}

/**
 * The last time at or before `untilMs`, and after `afterMs`, that is due. A schedule that repeats
 * does so from `afterMs`.
 */
export function lastCronTime(
  schedule: CronSchedule,
  span: { afterMs: number; untilMs: number; offsetAt?: ZoneOffset },
): number | undefined {
  const { afterMs, untilMs } = span;
  if ("everyMs" in schedule) {
    const { everyMs } = schedule;
    const startMs = Math.floor(afterMs / 1000) * 1000;
    const times = Math.floor((untilMs - startMs) / everyMs);
    return times < 1 ? undefined : startMs + times * everyMs;
  }
  for (const window of SEARCH_WINDOWS_MS) {
    const sinceMs = Math.max(afterMs, untilMs - window);
    let last: number | undefined;
    let next = nextCronTime(schedule, sinceMs, span);
    for (; next !== undefined && next <= untilMs; next = nextCronTime(schedule, next, span)) {
      last = next;
    }
    if (last !== undefined || sinceMs === afterMs) return last;
  }
  return undefined;
}

/** Steps from a wall time to where it may be due, the longest first; none when it is due. */
function stepsPast(fields: CronFields, wall: number): number[] {
  const date = new Date(wall);
  const to = (unit: number) => unit - (wall % unit);
  const inDay = [to(HOUR_MS), to(QUARTER_MS)];
  if (!fields.months.has(date.getUTCMonth() + 1)) {
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - wall;
    return [month, to(DAY_MS), ...inDay];
  }
  const byDate = fields.daysOfMonth.has(date.getUTCDate());
  const byWeekday = fields.daysOfWeek.has(date.getUTCDay());
  const isDay = fields.everyDay ? byDate && byWeekday : byDate || byWeekday;
  if (!isDay) return [to(DAY_MS), ...inDay];
  if (!fields.hours.has(date.getUTCHours())) return inDay;
  return fields.minutes.has(date.getUTCMinutes()) ? [] : [MINUTE_MS];
}
