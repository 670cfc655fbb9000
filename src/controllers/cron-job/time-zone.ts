import type { ZoneOffset } from "../../lib/cron.ts";

const MINUTE_MS = 60_000;

/** Nobody knows a time zone of that name. */
export class TimeZoneError extends Error {
  override readonly name = "TimeZoneError";
}

/** How far the clocks of a zone are ahead of UTC; without a zone they show UTC. */
export function zoneOffset(timeZone: string | undefined): ZoneOffset {
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
    throw new TimeZoneError(`Cannot find time zone "${timeZone}"`);
  }
  return (epochMs) => {
    const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"));
    return wall - Math.floor(epochMs / MINUTE_MS) * MINUTE_MS;
  };
}
