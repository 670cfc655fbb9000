import type { ContainerRuntime } from "../runtime/contract.ts";
import type { ProbeTarget } from "./contract.ts";

/** What became of an attempt, in a kubelet's words. */
export type Outcome =
  | { result: "success" }
  /** It counts as a success, and is worth telling of. */
  | { result: "warning"; message: string }
  | { result: "failure"; message: string }
  /** Nobody could be asked, or an answer broke off: it counts for nothing. */
  | { result: "error"; message: string };

/** Surroundings of an attempt. */
export interface AttemptContext {
  target: ProbeTarget;
  runtime: ContainerRuntime;
  timeoutMs: number;
  /** "kube-probe/1.32" or "kube-lifecycle/1.32". */
  userAgent: string;
  /** Of a hook: whatever an HTTP server answers, it was reached. */
  takesAnyAnswer?: boolean;
}

/** Nothing to tell. */
export const SUCCESS: Outcome = { result: "success" };
