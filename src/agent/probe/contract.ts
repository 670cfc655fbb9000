import type { Container, LifecycleHandler, Pod } from "../../api/generated/types/core-v1.ts";
import type { Outcome } from "./outcome.ts";

/** Asks containers how they are, and runs their lifecycle hooks. */
export interface Prober {
  /** Runs the container's probes until disposed; reports every failure and change of mind. */
  watch(target: ProbeTarget, report: (report: ProbeReport) => void): Disposable;
  /** Runs a hook to its end. @throws HookError */
  runHook(hook: LifecycleHandler, target: ProbeTarget, options: HookOptions): Promise<void>;
}

/** How a hook is run. */
export interface HookOptions {
  timeoutMs: number;
  /** The server of an HTTPS hook, at this address, speaks HTTP, and took the hook that way. */
  onFallback?: (address: string) => void;
}

/** A running container. */
export interface ProbeTarget {
  pod: Pod;
  container: Container;
  containerId: string;
  /** Where its ports listen, as seen from the node. */
  podIp: string;
  startedAtMs: number;
}

/** The three questions. Readiness and liveness are not asked before startup succeeded. */
export type ProbeKind = "startup" | "readiness" | "liveness";

/** What a probe learned. */
export interface ProbeReport {
  probe: ProbeKind;
  /** Set when a threshold was passed: the answer from now on. */
  verdict?: "healthy" | "unhealthy";
  /** What a single attempt has to tell, even if no threshold was passed yet. */
  told?: Exclude<Outcome, { result: "success" }>;
}

/** A lifecycle hook failed; the message is worded for an event. */
export class HookError extends Error {
  override name = "HookError";
}
