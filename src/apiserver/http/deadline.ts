import { StatusError } from "../../api/errors.ts";
import { parseDuration } from "../../lib/cel/functions/time-text.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Query } from "../request/query.ts";

/** What is neither watched nor streamed takes no longer; upstream's `--request-timeout`. */
export const REQUEST_MAX_MS = 60_000;

/**
 * How long a request may take: the server's limit, or less if its `timeout` asks for less. Zero
 * and negative ask for nothing. @throws StatusError BadRequest for text that is no duration of Go
 */
export function allowedMs(query: Query): number {
  const text = query.get("timeout");
  if (text === undefined) return REQUEST_MAX_MS;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) {
    throw new StatusError(
      "BadRequest",
      `invalid timeout specified in the request URL - time: invalid duration "${text}"`,
    );
  }
  const asked = Number(nanoseconds) / 1e6;
  return asked > 0 ? Math.min(asked, REQUEST_MAX_MS) : REQUEST_MAX_MS;
}

/**
 * Waits for `work`, which goes on by itself when it is too late: what it wrote stays written.
 * @throws StatusError Timeout
 */
export async function withinMs<T>(
  limitMs: number,
  { clock, work }: { clock: Clock; work: Promise<T> },
): Promise<T> {
  const { promise: late, timer } = expiry(limitMs, clock);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.cancel();
  }
}

function expiry(limitMs: number, clock: Clock) {
  let expire!: (error: StatusError) => void;
  const promise = new Promise<never>((_resolve, reject) => (expire = reject));
  const timer = clock.setTimer(limitMs, () => {
    const text = "Timeout: request did not complete within the allotted timeout";
    expire(new StatusError("Timeout", text));
  });
  return { promise, timer };
}
