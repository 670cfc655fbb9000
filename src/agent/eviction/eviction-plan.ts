import type { Pod } from "../../api/generated/types/core-v1.ts";
import {
  canonicalQuantity,
  formatQuantity,
  type QuantityFormat,
  quantityToNumber,
} from "../../lib/quantity.ts";
import { isCritical } from "../pod-priority.ts";
import {
  EVICTION_SIGNALS,
  type Eviction,
  type EvictionRules,
  type EvictionSignal,
  type NodePressure,
  type ResourceUse,
  type SignalReading,
  type SignalReadings,
  type Threshold,
} from "./contract.ts";

/** A signal below its threshold. */
export interface Shortage {
  signal: EvictionSignal;
  kind: "hard" | "soft";
  threshold: number;
  available: number;
}

/** What a pod uses of what is short. */
export interface PodUse extends ResourceUse {
  pod: Pod;
  /** What all of the pod asked for. */
  requested: number;
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

/** Whether the node, or all of its pods together, have too little memory. */
export function isOfMemory(signal: EvictionSignal): boolean {
  return signal === "memory.available" || signal === "allocatableMemory.available";
}

/** Which condition a signal belongs to. */
export function conditionOf(signal: EvictionSignal): keyof NodePressure {
  if (isOfMemory(signal)) return "memory";
  return signal === "pid.available" ? "pids" : "disk";
}

/**
 * The pod to go first: one that uses more than it asked for, of the lowest priority, with the
 * largest excess. Undefined when none may go.
 */
export function nextVictim(uses: readonly PodUse[]): PodUse | undefined {
  const priority = ({ spec }: Pod) => spec?.priority ?? 0;
  return uses
    .filter(({ pod }) => !isCritical(pod))
    .toSorted((a, b) => {
      const [aOver, bOver] = [a.used - a.requested, b.used - b.requested];
      return (
        Number(bOver > 0) - Number(aOver > 0) || priority(a.pod) - priority(b.pod) || bOver - aOver
      );
    })[0];
}

const RESOURCES: Readonly<Partial<Record<EvictionSignal, string>>> = {
  "memory.available": "memory",
  "allocatableMemory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "imagefs.available": "ephemeral-storage",
};

/** The resource that a signal measures. */
export function resourceOf(signal: EvictionSignal): string {
  return RESOURCES[signal] ?? (signal === "pid.available" ? "pids" : "inodes");
}

/** Why a pod was evicted, and who in it is to blame, as a kubelet words it. */
export function evictionWords(
  { signal, threshold, available }: Shortage,
  { pod, containers }: PodUse,
): Pick<Eviction, "message" | "annotations"> {
  const resource = resourceOf(signal);
  const format = RESOURCES[signal] ? "BinarySI" : "DecimalSI";
  const head =
    `The node was low on resource: ${resource}. Threshold quantity: ` +
    `${amountText(threshold)}, available: ${amountText(available, format)}. `;
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const offending = all.flatMap(({ name, resources }) => {
    const bytes = containers.get(name) ?? 0;
    const request = resources?.requests?.[resource] ?? "0";
    return bytes > quantityToNumber(request) ? [{ name, used: amountText(bytes), request }] : [];
  });
  const excess = offending.map(({ name, used, request }) => {
    const what = `Container ${name} was using ${used}, request is ${canonicalQuantity(request)}`;
    return `${what}, has larger consumption of ${resource}. `;
  });
  return {
    message: head + excess.join(""),
    annotations: {
      offending_containers: offending.map(({ name }) => name).join(","),
      offending_containers_usage: offending.map(({ used }) => used).join(","),
      starved_resource: resource,
    },
  };
}

function amountText(amount: number, format: QuantityFormat = "BinarySI"): string {
  return formatQuantity({ nanos: BigInt(Math.trunc(amount)) * 1_000_000_000n, format });
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
