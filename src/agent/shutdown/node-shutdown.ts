import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type Clock, sleep } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ShutdownStage } from "./contract.ts";
import { planShutdown } from "./shutdown-plan.ts";

/** What a shutdown needs from the rest of the agent. */
export interface NodeShutdownOptions {
  stages: readonly ShutdownStage[];
  /** Pods that have not ended. */
  pods: () => Pod[];
  /** Ends a pod; resolves when nothing of it runs and the API knows. */
  end: (pod: Pod, graceMs: number) => Promise<void>;
  clock: Clock;
  logger: Logger;
}

/** What removing a pod's remains may take beyond its grace. */
const MARGIN_MS = 1_000;

/**
 * Ends all pods of the node, stage by stage. Resolves when they have ended, or when the time of
 * the last stage is over: a host that shuts down waits no longer.
 */
export async function shutDownPods(options: NodeShutdownOptions): Promise<void> {
  const { stages, clock, logger } = options;
  for (const { graceMs, pods } of planShutdown(options.pods(), stages)) {
    logger.info("ending pods as the node shuts down", { pods: pods.length, graceMs });
    const ends = pods.map((one) => options.end(one.pod, one.graceMs));
    const stop = new AbortController();
    await Promise.race([Promise.allSettled(ends), sleep(clock, graceMs + MARGIN_MS, stop.signal)]);
    stop.abort();
  }
}
