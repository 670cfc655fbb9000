import { isNotFound } from "../../api/errors.ts";
import { EVENTS } from "../../api/generated/resources.ts";
import type { Event } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf, uidOf } from "../ownership.ts";

const KEY = { name: "all" };
const SWEEP_MS = 60_000;
const TTL_MS = 60 * 60_000;
/** Deletions in one sweep; the rest follows in the next, so no sweep floods the server. */
const SWEEP_MAX = 2000;

/** When an event was last told. */
export function lastToldMs(event: Event): number {
  const { metadata, lastTimestamp, eventTime, series } = event;
  const times = [metadata?.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? "") || 0));
}

/** Forgets events an hour after they were last told. */
export function eventTtlController(options: { ttlMs?: number } = {}): ControllerDefinition {
  const ttlMs = options.ttlMs ?? TTL_MS;
  let sweepAtMs = 0;
  return defineController({
    name: "event-ttl",
    inputs: { events: input(EVENTS, () => [KEY]) },
    outputs: [{ resource: EVENTS, verbs: ["delete"] }],
    workers: 1,
    async reconcile({ inputs, client, clock }) {
      // Every event that is told comes here, and a sweep looks at all there are.
      const waitMs = sweepAtMs - clock.now();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      sweepAtMs = clock.now() + SWEEP_MS;
      const events = inputs.events.list();
      const dueMs = (event: Event) => lastToldMs(event) + ttlMs;
      const expired = events.filter((event) => dueMs(event) <= clock.now());
      for (const event of expired.slice(0, SWEEP_MAX)) {
        await client
          .for(EVENTS)
          .delete(refOf(event), { preconditions: { uid: uidOf(event) } })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
      }
      return events.length > expired.length ? { requeueAfterMs: SWEEP_MS } : {};
    },
  });
}
