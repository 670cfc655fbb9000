import type {
  Node,
  NodeCondition,
  NodeRuntimeHandler,
  NodeStatus,
} from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { NodePressure } from "../eviction/contract.ts";
import type { RuntimeHandler } from "../runtime/contract.ts";
import type { NodeResources } from "./node-facts.ts";

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
    message: health.problem ?? "kubelet is posting ready status",
  });
  return [...pressures, ready];
}

/** Reasons of events: what of the conditions is not as it was, or is told for the first time. */
export function conditionNews(
  before: readonly NodeCondition[],
  after: readonly NodeCondition[],
): string[] {
  return after.flatMap(({ type, status }) => {
    const isNews = before.find((old) => old.type === type)?.status !== status;
    const reasons = NEWS[type];
    return isNews && reasons ? [reasons[status === "True" ? 0 : 1]] : [];
  });
}

/** What is told of a condition that is true, and of one that is not. */
const NEWS: Readonly<Record<string, readonly [string, string]>> = {
  MemoryPressure: ["NodeHasInsufficientMemory", "NodeHasSufficientMemory"],
  DiskPressure: ["NodeHasDiskPressure", "NodeHasNoDiskPressure"],
  PIDPressure: ["NodeHasInsufficientPID", "NodeHasSufficientPID"],
  Ready: ["NodeReady", "NodeNotReady"],
};

/**
 * `allocatable` as the node has to tell it: its own resources, and the extended ones that others
 * have put into the stored capacity. Null takes away what is in the capacity no more.
 */
export function allocatableOf(
  own: { capacity: NodeResources; allocatable: NodeResources },
  stored: NodeStatus,
): Record<string, string | null> {
  const capacity = { ...stored.capacity, ...own.capacity };
  const gone = Object.keys(stored.allocatable ?? {}).filter((name) => !(name in capacity));
  return {
    ...Object.fromEntries(gone.map((name) => [name, null])),
    ...stored.capacity,
    ...own.allocatable,
  };
}

/** A status to merge into the stored one; null removes a resource. */
export type NodeStatusPatch = Omit<NodeStatus, "allocatable"> & {
  allocatable: Record<string, string | null>;
};

/** Whether anything that the node tells, but heartbeats, differs from what is stored. */
export function statusChanged(stored: NodeStatus, told: NodeStatusPatch): boolean {
  const { capacity = {}, allocatable, conditions = [] } = told;
  const differs = (have: Readonly<Record<string, string>> = {}, want: object): boolean =>
    Object.entries(want).some(([name, value]) => (have[name] ?? null) !== value);
  const sameCondition = (condition: NodeCondition): boolean => {
    const old = stored.conditions?.find(({ type }) => type === condition.type);
    const { status, reason, message } = condition;
    return old?.status === status && old.reason === reason && old.message === message;
  };
  return (
    differs(stored.capacity, capacity) ||
    differs(stored.allocatable, allocatable) ||
    !conditions.every(sameCondition) ||
    !(["addresses", "daemonEndpoints", "nodeInfo", "images", "runtimeHandlers"] as const).every(
      (field) => deepEqual(stored[field] ?? [], told[field] ?? []),
    )
  );
}

/** `status.runtimeHandlers`: the default one has an empty name too. */
export function runtimeHandlersOf(handlers: readonly RuntimeHandler[]): NodeRuntimeHandler[] {
  return handlers.flatMap(({ name, isDefault, hasUserNamespaces, hasRecursiveReadOnly }) => {
    const features = {
      recursiveReadOnlyMounts: hasRecursiveReadOnly,
      userNamespaces: hasUserNamespaces,
    };
    return (isDefault ? ["", name] : [name]).map((one) => ({ name: one, features }));
  });
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
