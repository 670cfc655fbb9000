import type { Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import type {
  EvictionSignal,
  EvictionThresholds,
  NodePressure,
  SignalReadings,
} from "./contract.ts";

/** Pods of this priority and above are part of the system and stay. */
const SYSTEM_CRITICAL = 2_000_000_000;
/** In this order, as memory that has run out ends more than a pod. */
const SIGNALS: readonly EvictionSignal[] = [
  "memory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "pid.available",
];

/** A signal below its threshold. */
export interface Shortage {
  signal: EvictionSignal;
  threshold: number;
  available: number;
}

/** What a pod uses of what is short. */
export interface PodUse {
  pod: Pod;
  used: number;
}

/** The signals that are below their thresholds, the most urgent first. */
export function shortagesOf(readings: SignalReadings, thresholds: EvictionThresholds): Shortage[] {
  return SIGNALS.flatMap((signal) => {
    const rule = thresholds[signal];
    const { available, capacity } = readings[signal];
    if (!rule || capacity <= 0) return [];
    const threshold = "amount" in rule ? rule.amount : rule.share * capacity;
    return available < threshold ? [{ signal, threshold, available }] : [];
  });
}

/** Which condition a signal belongs to. */
export function conditionOf(signal: EvictionSignal): keyof NodePressure {
  if (signal === "memory.available") return "memory";
  return signal === "pid.available" ? "pids" : "disk";
}

/** Whether the pod may be evicted at all. */
export function isEvictable(pod: Pod): boolean {
  const fromFile = pod.metadata?.annotations?.["kubernetes.io/config.source"] === "file";
  return !fromFile && (pod.spec?.priority ?? 0) < SYSTEM_CRITICAL;
}

/**
 * The pod to go first: one that uses more than it asked for, of the lowest priority, with the
 * largest excess. Undefined when none may go.
 */
export function nextVictim(signal: EvictionSignal, uses: readonly PodUse[]): PodUse | undefined {
  const asked = (pod: Pod) => requestOf(signal, pod);
  const priority = ({ spec }: Pod) => spec?.priority ?? 0;
  return uses
    .filter(({ pod }) => isEvictable(pod))
    .toSorted((a, b) => {
      const [aOver, bOver] = [a.used - asked(a.pod), b.used - asked(b.pod)];
      return (
        Number(bOver > 0) - Number(aOver > 0) || priority(a.pod) - priority(b.pod) || bOver - aOver
      );
    })[0];
}

/** What all containers of a pod ask for of what a signal measures. */
function requestOf(signal: EvictionSignal, { spec }: Pod): number {
  const name = RESOURCES[signal];
  if (!name) return 0;
  return (spec?.containers ?? []).reduce((sum, { resources }) => {
    const quantity = resources?.requests?.[name] ?? resources?.limits?.[name];
    return sum + (quantity === undefined ? 0 : quantityToNumber(quantity));
  }, 0);
}

const RESOURCES: Readonly<Partial<Record<EvictionSignal, string>>> = {
  "memory.available": "memory",
  "nodefs.available": "ephemeral-storage",
};

/** Why a pod was evicted, as a kubelet words it. */
export function evictionMessage({ signal, threshold, available }: Shortage, used: PodUse): string {
  const resource = RESOURCES[signal] ?? (signal === "pid.available" ? "pids" : "inodes");
  const inBytes = RESOURCES[signal] !== undefined;
  const amount = (value: number) =>
    inBytes ? `${Math.floor(value / 1024)}Ki` : `${Math.floor(value)}`;
  const head =
    `The node was low on resource: ${resource}. ` +
    `Threshold quantity: ${amount(threshold)}, available: ${amount(available)}. `;
  const request = amount(requestOf(signal, used.pod));
  const excess = `The pod was using ${amount(used.used)}, request is ${request}. `;
  return head + (used.used > 0 ? excess : "");
}

/** Keeps a condition true for a while after its cause is gone, so that it does not flicker. */
export function heldPressure(
  shortages: readonly Shortage[],
  held: { seenAtMs: Partial<Record<keyof NodePressure, number>>; nowMs: number; holdMs: number },
): NodePressure {
  for (const { signal } of shortages) held.seenAtMs[conditionOf(signal)] = held.nowMs;
  const holds = (name: keyof NodePressure) => {
    const seenAtMs = held.seenAtMs[name];
    return seenAtMs !== undefined && held.nowMs - seenAtMs < held.holdMs;
  };
  return { memory: holds("memory"), disk: holds("disk"), pids: holds("pids") };
}
