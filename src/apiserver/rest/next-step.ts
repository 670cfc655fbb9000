/**
 * Awaited where a step of a write ends: others that have come as far take theirs before any goes
 * on, so that a processor reads the code of each step once for all of them. It takes no turn of the
 * event loop, and nothing of others may be taken for granted after it.
 */
export const NEXT_STEP: Promise<void> = Promise.resolve();
