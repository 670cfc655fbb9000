import type { Pod } from "../../api/generated/types/core-v1.ts";

/** Pods that the node runs because a file says so, whatever the API says. */
export interface StaticPods extends Disposable {
  list(): Pod[];
  /** Called when `list` has changed. */
  onChange(handler: () => void): Disposable;
}

/** Fingerprint of a static pod's file: its UID on the node. */
export const CONFIG_HASH = "kubernetes.io/config.hash";
/** Where a pod came from: "file" for a static one. */
export const CONFIG_SOURCE = "kubernetes.io/config.source";
/** Marks an API object that only shows a static pod; its value is the fingerprint. */
export const CONFIG_MIRROR = "kubernetes.io/config.mirror";

/** Whether the pod comes from a file. */
export function isStaticPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[CONFIG_SOURCE] === "file" && !isMirrorPod(pod);
}

/** Whether the pod is an API object that shows a static one. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined;
}
