import { exactJson } from "../../format/json-text.ts";
import { type Clock, formatTime } from "../../lib/clock.ts";
import { deepFreeze } from "../kube-object.ts";

type Condition = Record<string, unknown>;

/** What a binding makes of a pod's status. */
export interface BoundStatus {
  /** Frozen. */
  value: Record<string, unknown>;
  /** What the JSON of such a pod ends with, from the end of the fields of its spec on. */
  endBefore: Buffer;
  /** The same of the bound pod. */
  endAfter: string;
}

/**
 * The pods of a burst wait with one status and are bound within a second: all that the statuses
 * of their bindings are made from is made once.
 */
export class BoundStatuses {
  readonly #clock: Pick<Clock, "now">;
  #second = Number.NaN;
  #time = "";
  #before: unknown;
  #latest: BoundStatus | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Of a frozen status, for a binding that happens now. */
  of(before: unknown): BoundStatus {
    const nowMs = this.#clock.now();
    const second = Math.floor(nowMs / 1_000);
    if (this.#latest && second === this.#second && before === this.#before) return this.#latest;
    if (second !== this.#second) this.#time = formatTime(nowMs);
    const fields = typeof before === "object" && before !== null ? before : {};
    const { conditions } = fields as { conditions?: unknown };
    const value = deepFreeze({ ...fields, conditions: withScheduled(conditions, this.#time) });
    const endBefore = Buffer.from(endWith(before));
    this.#latest = { value, endBefore, endAfter: endWith(value) };
    this.#second = second;
    this.#before = before;
    return this.#latest;
  }
}

/** What canonical JSON of a pod ends with, from the end of the fields of its spec on. */
export function endWith(status: unknown): string {
  return `},"status":${exactJson(status)}}`;
}

/** The conditions of a pod that was placed at that time (RFC 3339). */
export function withScheduled(conditions: unknown, time: string): Condition[] {
  const scheduled = {
    type: "PodScheduled",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: time,
  };
  if (!Array.isArray(conditions)) return [scheduled];
  const others = (conditions as Condition[]).filter(({ type }) => type !== "PodScheduled");
  return [...others, scheduled];
}
