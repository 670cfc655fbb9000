import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;
const DEADLINE_MS = 30_000;

/** Asks until `probe` returns something true. @throws AssertionError with its last failure */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const endMs = Date.now() + DEADLINE_MS;
  let last: unknown;
  do {
    try {
      last = await probe();
      if (last) return last as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    await delay(POLL_MS);
  } while (Date.now() < endMs);
  assert.fail(`never: ${what}; the last answer was ${last instanceof Error ? last.message : last}`);
}
