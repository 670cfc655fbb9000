import type { LifecycleHandler } from "../../api/generated/types/core-v1.ts";
import type { ProbeTarget } from "../probe/contract.ts";
import { referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";

/** Runs a hook to its end, and tells of one that went over HTTP. @throws HookError */
export async function runLifecycleHook(
  hook: LifecycleHandler,
  target: ProbeTarget,
  { parts, timeoutMs }: { parts: PodParts; timeoutMs: number },
): Promise<void> {
  await parts.prober.runHook(hook, target, {
    timeoutMs,
    onFallback(address) {
      parts.metrics.count("lifecycle_handler_http_fallbacks_total");
      parts.events.record({
        about: referenceTo(target.pod),
        type: "Warning",
        reason: "LifecycleHTTPFallback",
        message: `request to HTTPS lifecycle hook ${address} got HTTP response, retry with HTTP succeeded`,
      });
    },
  });
}
