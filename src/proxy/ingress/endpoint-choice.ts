import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { Endpoint } from "./upstream.ts";

/** Spreads requests over endpoints and remembers which could not be reached. */
export interface EndpointChoice {
  /**
   * The less busy of two taken at random, none of `tried`; those that lately could not be reached
   * only when there is no other.
   */
  pick(endpoints: readonly Endpoint[], tried: ReadonlySet<Endpoint>): Endpoint | undefined;
  /** Counts a request until the returned function is called. */
  started(endpoint: Endpoint): () => void;
  /** No connection came about. */
  failed(endpoint: Endpoint): void;
}

const AVOID_MS = 5_000;
/** Beyond it the whole memory is dropped: it is only an advice. */
const FAILURES_MAX = 1_024;

export function createEndpointChoice({
  clock,
  random,
}: {
  clock: Clock;
  random: Random;
}): EndpointChoice {
  const active = new Map<string, number>();
  const avoidUntilMs = new Map<string, number>();

  const isAvoided = (endpoint: Endpoint) => {
    const key = keyOf(endpoint);
    const untilMs = avoidUntilMs.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > clock.monotonicMs()) return true;
    avoidUntilMs.delete(key);
    return false;
  };
  const lessBusy = (candidates: readonly Endpoint[]): Endpoint | undefined => {
    const one = candidates[Math.floor(random.float() * candidates.length)];
    const other = candidates[Math.floor(random.float() * candidates.length)];
    if (!one || !other) return undefined;
    return (active.get(keyOf(other)) ?? 0) < (active.get(keyOf(one)) ?? 0) ? other : one;
  };

  return {
    pick(endpoints, tried) {
      if (tried.size === 0 && avoidUntilMs.size === 0) return lessBusy(endpoints);
      const untried = endpoints.filter((endpoint) => !tried.has(endpoint));
      return lessBusy(untried.filter((endpoint) => !isAvoided(endpoint))) ?? lessBusy(untried);
    },
    started(endpoint) {
      const key = keyOf(endpoint);
      active.set(key, (active.get(key) ?? 0) + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const count = (active.get(key) ?? 1) - 1;
        if (count > 0) active.set(key, count);
        else active.delete(key);
      };
    },
    failed(endpoint) {
      if (avoidUntilMs.size >= FAILURES_MAX) avoidUntilMs.clear();
      avoidUntilMs.set(keyOf(endpoint), clock.monotonicMs() + AVOID_MS);
    },
  };
}

function keyOf({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}
