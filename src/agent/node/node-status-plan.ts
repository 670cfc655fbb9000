import type { Node, NodeCondition, NodeStatus } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import type { NodePressure } from "./node-facts.ts";

/** What the conditions follow from. */
export interface NodeHealth {
  pressure: NodePressure;
  /** Why pods cannot run now; absent when they can. */
  problem?: string | undefined;
}

type PressureWords = { pressed: [string, string]; fine: [string, string] };

/** Reason and message of each pressure condition, in upstream's words: tools match on them. */
const PRESSURES: readonly [type: string, signal: keyof NodePressure, words: PressureWords][] = [
  [
    "MemoryPressure",
    "memory",
    {
      pressed: ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
      fine: ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    },
  ],
  [
    "DiskPressure",
    "disk",
    {
      pressed: ["KubeletHasDiskPressure", "kubelet has disk pressure"],
      fine: ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    },
  ],
  [
    "PIDPressure",
    "pids",
    {
      pressed: ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
      fine: ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    },
  ],
];

/** Conditions of the node; a condition that did not change keeps its transition time. */
export function conditionsOf(
  health: NodeHealth,
  before: readonly NodeCondition[],
  nowMs: number,
): NodeCondition[] {
  const now = formatTime(nowMs);
  const condition = (fields: Pick<NodeCondition, "type" | "status" | "reason" | "message">) => {
    const old = before.find(({ type }) => type === fields.type);
    const same = old?.status === fields.status;
    const lastTransitionTime = (same ? old.lastTransitionTime : undefined) ?? now;
    return { ...fields, lastHeartbeatTime: now, lastTransitionTime };
  };
  const pressures = PRESSURES.map(([type, signal, words]) => {
    const pressed = health.pressure[signal];
    const [reason, message] = pressed ? words.pressed : words.fine;
    return condition({ type, status: pressed ? "True" : "False", reason, message });
  });
  const ready = condition({
    type: "Ready",
    status: health.problem === undefined ? "True" : "False",
    reason: health.problem === undefined ? "KubeletReady" : "KubeletNotReady",
    message: health.problem ?? "the node agent is ready to run pods",
  });
  return [...pressures, ready];
}

/** Whether anything but heartbeats differs, so that a write is worth it. */
export function statusChanged(before: NodeStatus | undefined, after: NodeStatus): boolean {
  return fingerprint(before ?? {}) !== fingerprint(after);
}

function fingerprint(status: NodeStatus): string {
  const conditions = (status.conditions ?? []).map(({ type, status: value, reason, message }) => {
    return { type, value, reason, message };
  });
  const { capacity, allocatable, addresses, daemonEndpoints, nodeInfo, images } = status;
  return JSON.stringify([
    conditions,
    capacity,
    allocatable,
    addresses,
    daemonEndpoints,
    nodeInfo,
    images,
  ]);
}

/** Labels that every node carries. */
export function nodeLabels(node: { name: string; architecture: string }): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": node.architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": node.architecture,
    "kubernetes.io/hostname": node.name,
    "kubernetes.io/os": "linux",
  };
}

/** Labels of `wanted` that the node lacks or has otherwise. */
export function missingLabels(node: Node, wanted: Record<string, string>): Record<string, string> {
  const present = node.metadata?.labels ?? {};
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => present[key] !== value),
  );
}
