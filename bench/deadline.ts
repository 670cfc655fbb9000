import { setTimeout as delay } from "node:timers/promises";

/** What `promise` comes to. @throws Error when that takes too long; the work itself goes on */
export async function within<T>(
  promise: Promise<T>,
  { ms, what }: { ms: number; what: string },
): Promise<T> {
  const settled = new AbortController();
  const late = delay(ms, undefined, { signal: settled.signal }).then(() => {
    throw new Error(`${what} took more than ${ms} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
    late.catch(() => {});
  }
}
