const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** February 29th on a certain weekday comes within 40 years; nothing takes longer. */
const SEARCH_MAX_MS = 41 * 366 * DAY_MS;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** The times that a cron expression names. */
export interface CronSchedule {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** Days of the month and of the week: both must hold when one of them is `*`, else either. */
  eitherDay: boolean;
  /** Minutes from local wall time to UTC, at an instant. */
  offsetMs: (epochMs: number) => number;
}

/** The text is not a schedule. */
export class CronError extends Error {
  override readonly name = "CronError";
}

function parseNumber(text: string, names: readonly string[]): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return names === MONTHS ? named + 1 : named;
  if (!/^\d+$/.test(text)) throw new CronError(`Cannot read "${text}" as a number`);
  return Number(text);
}

function parseField(
  field: string,
  of: { min: number; max: number; names?: readonly string[] },
): Set<number> {
  const { min, max, names = [] } = of;
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", stepText] = part.split("/");
    const step = stepText === undefined ? 1 : parseNumber(stepText, []);
    let [first, last] = [min, max];
    if (range !== "*" && range !== "?") {
      const [from = "", to] = range.split("-");
      first = parseNumber(from, names);
      last = to === undefined ? (stepText === undefined ? first : max) : parseNumber(to, names);
    }
    if (first < min || last > max || first > last || step < 1) {
      throw new CronError(`Cannot use "${part}": must lie between ${min} and ${max}`);
    }
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

/** Reads five fields or a macro such as "@daily"; times are of `timeZone`, by default UTC. */
export function parseCron(text: string, timeZone: string | undefined): CronSchedule {
  const fields = (MACROS[text.trim()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) throw new CronError(`Cannot use "${text}": needs five fields`);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const weekdays = parseField(weekday, { min: 0, max: 7, names: WEEKDAYS });
  if (weekdays.delete(7)) weekdays.add(0);
  const open = (field: string) => /^[*?]/.test(field);
  return {
    minutes: parseField(minute, { min: 0, max: 59 }),
    hours: parseField(hour, { min: 0, max: 23 }),
    days: parseField(day, { min: 1, max: 31 }),
    months: parseField(month, { min: 1, max: 12, names: MONTHS }),
    weekdays,
    eitherDay: !open(day) && !open(weekday),
    offsetMs: zoneOffset(timeZone),
  };
}

function zoneOffset(timeZone: string | undefined): (epochMs: number) => number {
  if (!timeZone || timeZone === "UTC" || timeZone === "Etc/UTC") return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
  } catch {
    throw new CronError(`Cannot find time zone "${timeZone}"`);
  }
  return (epochMs) => {
    const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"));
    return wall - Math.floor(epochMs / MINUTE_MS) * MINUTE_MS;
  };
}

function dayMatches(schedule: CronSchedule, at: Date): boolean {
  const day = schedule.days.has(at.getUTCDate());
  const weekday = schedule.weekdays.has(at.getUTCDay());
  return schedule.eitherDay ? day || weekday : day && weekday;
}

/** How far a wall time may be moved without passing a match; 0 for a match. */
function gapMs(schedule: CronSchedule, at: Date): number {
  if (!schedule.months.has(at.getUTCMonth() + 1) || !dayMatches(schedule, at)) return DAY_MS;
  if (!schedule.hours.has(at.getUTCHours())) return HOUR_MS;
  return schedule.minutes.has(at.getUTCMinutes()) ? 0 : MINUTE_MS;
}

/** Wall time to the instant it names; of an hour that a clock change skips, the one after. */
function toEpoch(schedule: CronSchedule, wallMs: number): number {
  const guess = wallMs - schedule.offsetMs(wallMs);
  return wallMs - schedule.offsetMs(guess);
}

/** The first scheduled instant after `afterMs`, or undefined when there is none. */
export function nextRun(schedule: CronSchedule, afterMs: number): number | undefined {
  let wall = Math.floor((afterMs + schedule.offsetMs(afterMs)) / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const end = wall + SEARCH_MAX_MS;
  while (wall < end) {
    const gap = gapMs(schedule, new Date(wall));
    if (gap === 0) {
      const epoch = toEpoch(schedule, wall);
      if (epoch > afterMs) return epoch;
      wall += MINUTE_MS;
    } else {
      wall = Math.floor(wall / gap) * gap + gap;
    }
  }
  return undefined;
}

/** The last scheduled instant at or before `untilMs` and after `afterMs`. */
export function lastRun(
  schedule: CronSchedule,
  span: { afterMs: number; untilMs: number },
): number | undefined {
  const { afterMs, untilMs } = span;
  let wall = Math.floor((untilMs + schedule.offsetMs(untilMs)) / MINUTE_MS) * MINUTE_MS;
  const end = afterMs + schedule.offsetMs(afterMs) - HOUR_MS;
  while (wall > end) {
    const gap = gapMs(schedule, new Date(wall));
    if (gap === 0) {
      const epoch = toEpoch(schedule, wall);
      if (epoch <= untilMs) return epoch > afterMs ? epoch : undefined;
      wall -= MINUTE_MS;
    } else {
      wall = Math.floor(wall / gap) * gap - MINUTE_MS;
    }
  }
  return undefined;
}
