import type { Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import {
  EVICTION_SIGNALS,
  type EvictionRules,
  type EvictionSignal,
  type NodePressure,
  type SignalReading,
  type SignalReadings,
  type Threshold,
} from "./contract.ts";

/** Pods of this priority and above are part of the system and stay. */
const SYSTEM_CRITICAL = 2_000_000_000;

/** A signal below its threshold. */
export interface Shortage {
  signal: EvictionSignal;
  kind: "hard" | "soft";
  threshold: number;
  available: number;
}

/** What a pod uses of what is short. */
export interface PodUse {
  pod: Pod;
  used: number;
}

/** Since when each threshold, named "hard/memory.available", is not kept. */
export type ShortageHistory = ReadonlyMap<string, number>;

/** What the readings mean. */
export interface Judgement {
  /** All thresholds that are not kept. */
  observed: readonly Shortage[];
  /** Those to act on: the hard ones, and soft ones whose grace is over; the most urgent first. */
  due: readonly Shortage[];
  history: ShortageHistory;
}

/**
 * Compares the readings with the rules. A shortage that was seen before is over only when there is
 * more than the threshold by the amount to reclaim.
 */
export function judge(
  readings: SignalReadings,
  rules: EvictionRules,
  before: { history: ShortageHistory; nowMs: number },
): Judgement {
  const history = new Map<string, number>();
  const observed: Shortage[] = [];
  const due: Shortage[] = [];
  const consider = (kind: Shortage["kind"], signal: EvictionSignal) => {
    const soft = kind === "soft" ? rules.soft[signal] : undefined;
    const below = kind === "soft" ? soft?.below : rules.hard[signal];
    const reading = readings[signal];
    if (!below || reading.capacity <= 0) return;
    const threshold = amountOf(below, reading);
    const key = `${kind}/${signal}`;
    const sinceMs = before.history.get(key);
    const more = rules.minimumReclaim[signal];
    const reclaim = sinceMs === undefined || !more ? 0 : amountOf(more, reading);
    if (reading.available >= threshold + reclaim) return;
    const shortage = { signal, kind, threshold, available: reading.available };
    history.set(key, sinceMs ?? before.nowMs);
    observed.push(shortage);
    if (before.nowMs - (sinceMs ?? before.nowMs) >= (soft?.graceMs ?? 0)) due.push(shortage);
  };
  for (const signal of EVICTION_SIGNALS) {
    consider("hard", signal);
    consider("soft", signal);
  }
  return { observed, due, history };
}

function amountOf(threshold: Threshold, { capacity }: SignalReading): number {
  return "amount" in threshold ? threshold.amount : threshold.share * capacity;
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
  "imagefs.available": "ephemeral-storage",
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
