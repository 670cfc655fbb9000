import { formatTime } from "../lib/clock.ts";

/** The shape that conditions of workloads share. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The condition of that type. */
export function findCondition<C extends { type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The list with `wanted` in it. An equal status keeps its transition time, and an equal reason
 * keeps the whole old condition unless the message moved: the fixpoint writes nothing.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  wanted: C,
  nowMs: number,
): C[] {
  const list = [...(conditions ?? [])];
  const at = list.findIndex((condition) => condition.type === wanted.type);
  const old = list[at];
  if (old?.status === wanted.status && old.reason === wanted.reason) {
    if (old.message === wanted.message) return list;
  }
  const since = old?.status === wanted.status ? old.lastTransitionTime : undefined;
  const next = { ...old, ...wanted, lastTransitionTime: since ?? formatTime(nowMs) };
  if (at >= 0) list[at] = next;
  else list.push(next);
  return list;
}

/** The list without that type. */
export function withoutCondition<C extends { type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
