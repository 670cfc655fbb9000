import type { Clock } from "../../lib/clock.ts";
import { createSemaphore } from "../../lib/semaphore.ts";
import { createTokenBucket } from "../../lib/token-bucket.ts";
import { ImageError, type PullOptions, type PullRules } from "./contract.ts";
import type { EnginePull, ImageEngine } from "./image-engine.ts";

/** Registries that are remembered as such; those who wait for more of them find out themselves. */
const UNREACHED_MAX = 64;

/** Lets pulls wait for each other in the order they came, as far as the rules want it. */
export function createImagePuller(options: {
  engine: ImageEngine;
  rules: PullRules;
  clock: Clock;
}): (request: EnginePull & Pick<PullOptions, "onTurn">) => Promise<string> {
  const { engine, rules, clock } = options;
  const slots = createSemaphore(rules.atOnceMax);
  const bucket = createTokenBucket({ ...rules.rate, clock });
  const unreached = new Map<string, { atMs: number; error: ImageError }>();
  return async ({ onTurn, ...request }) => {
    const { registry } = request.reference;
    const askedMs = clock.monotonicMs();
    using _slot = await slots.acquire(request.signal);
    // Who waited while it was found out need not find it out again, one after another.
    const known = unreached.get(registry);
    if (known && known.atMs > askedMs) throw known.error;
    unreached.delete(registry);
    if (!bucket.tryTake()) throw new ImageError("pull-failed", "pull QPS exceeded");
    onTurn?.();
    try {
      return await engine.pull(request);
    } catch (error) {
      if (error instanceof ImageError && error.code === "unreached") {
        if (unreached.size >= UNREACHED_MAX) unreached.clear();
        unreached.set(registry, { atMs: clock.monotonicMs(), error });
      }
      throw error;
    }
  };
}
