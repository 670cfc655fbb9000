import type { Pod } from "../api/generated/types/core-v1.ts";
import { isMirrorPod, isStaticPod } from "./static-pod/contract.ts";

const SYSTEM_CRITICAL = 2_000_000_000;

/** A part of the system, which a node does not do without: it takes the room that it needs. */
export function isCritical(pod: Pod): boolean {
  return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL;
}

/** Whether a pod gives way to a critical one. */
export function yieldsTo(pod: Pod, critical: Pod): boolean {
  const [own, other] = [pod.spec?.priority, critical.spec?.priority];
  return !isCritical(pod) || (own !== undefined && other !== undefined && other > own);
}
