import type { Node, NodeCondition, Taint, TaintEffect } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { jsonEqual } from "../json-equal.ts";

export const NOT_READY = "node.kubernetes.io/not-ready";
export const UNREACHABLE = "node.kubernetes.io/unreachable";

/** Conditions that say nothing any more once the node is silent. */
const REPORTED: readonly NodeCondition["type"][] = [
  "Ready",
  "MemoryPressure",
  "DiskPressure",
  "PIDPressure",
];

/** Which status of which condition keeps new pods away, and by which taint. */
const TAINT_BY_CONDITION: readonly [type: string, status: string, key: string][] = [
  ["Ready", "False", NOT_READY],
  ["Ready", "Unknown", UNREACHABLE],
  ["MemoryPressure", "True", "node.kubernetes.io/memory-pressure"],
  ["DiskPressure", "True", "node.kubernetes.io/disk-pressure"],
  ["PIDPressure", "True", "node.kubernetes.io/pid-pressure"],
  ["NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"],
];
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** When a sign of life was last seen, by this process's own clock. */
export interface NodeHealth {
  lastSignMs: number;
  graceMs: number;
  nowMs: number;
  givesUp: GivesUp;
}

/**
 * When pods leave the node if it is lost: "later" leaves those be that leave already, "never" holds
 * them.
 */
export type GivesUp = "now" | "later" | "never";

/** One write to a node. */
export type NodeHealthStep =
  | { do: "conditions"; conditions: NodeCondition[] }
  | { do: "taints"; taints: Taint[] };

/** Marks a silent node's conditions Unknown and keeps the taints that follow from conditions. */
export function planNodeHealth(node: Node, health: NodeHealth): NodeHealthStep[] {
  const silent = health.nowMs - health.lastSignMs > health.graceMs;
  const before = node.status?.conditions ?? [];
  const conditions = silent ? silenced(node, health.nowMs) : before;
  const taints = taintsOf(node, { ...health, conditions });
  const steps: NodeHealthStep[] = [];
  if (!jsonEqual(before, conditions)) steps.push({ do: "conditions", conditions });
  if (!jsonEqual(node.spec?.taints ?? [], taints)) steps.push({ do: "taints", taints });
  return steps;
}

function silenced(node: Node, nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs);
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of REPORTED) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const old = conditions[at];
    if (old?.status === "Unknown") continue;
    const next: NodeCondition = {
      type,
      status: "Unknown",
      reason: old ? "NodeStatusUnknown" : "NodeStatusNeverUpdated",
      message: old ? "Kubelet stopped posting node status." : "Kubelet never posted node status.",
      lastHeartbeatTime: old?.lastHeartbeatTime ?? node.metadata?.creationTimestamp ?? now,
      lastTransitionTime: now,
    };
    if (at >= 0) conditions[at] = next;
    else conditions.push(next);
  }
  return conditions;
}

/** Whether pods leave the node because it was lost. */
export function isGivenUp({ spec }: Node): boolean {
  return (spec?.taints ?? []).some(
    ({ key, effect }) => effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE),
  );
}

/** Taints of other owners stay as they are; ours are exactly those the conditions ask for. */
function taintsOf(
  node: Node,
  at: { conditions: readonly NodeCondition[]; nowMs: number; givesUp: GivesUp },
): Taint[] {
  const before = node.spec?.taints ?? [];
  const executes = at.givesUp === "now" || (at.givesUp === "later" && isGivenUp(node));
  const statusOf = (type: string) => at.conditions.find((one) => one.type === type)?.status;
  const wanted: { key: string; effect: TaintEffect }[] = [];
  for (const [type, status, key] of TAINT_BY_CONDITION) {
    if (statusOf(type) !== status) continue;
    wanted.push({ key, effect: "NoSchedule" });
    if (type === "Ready" && executes) wanted.push({ key, effect: "NoExecute" });
  }
  if (node.spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: "NoSchedule" });
  const managed = new Set([UNSCHEDULABLE, ...TAINT_BY_CONDITION.map(([, , key]) => key)]);
  const isWanted = (taint: Taint) =>
    wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const kept = before.filter((taint) => !managed.has(taint.key) || isWanted(taint));
  const added = wanted
    .filter(({ key, effect }) => !kept.some((one) => one.key === key && one.effect === effect))
    .map(({ key, effect }) => ({ key, effect, timeAdded: formatTime(at.nowMs) }));
  return [...kept, ...added];
}
