/** Pods of at least `priority` get `graceMs` to end when the node shuts down. */
export interface ShutdownStage {
  priority: number;
  graceMs: number;
}

/** Why the pod has failed, in upstream's words: controllers replace such pods. */
export const SHUTDOWN_REASON = "Terminated";
export const SHUTDOWN_MESSAGE = "Pod was terminated in response to imminent node shutdown.";
