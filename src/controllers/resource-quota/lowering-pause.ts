import type { ResourceQuota } from "../../api/generated/types/core-v1.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";

/** Longer than an admitted object takes to be stored and seen. */
export const LOWERING_PAUSE_MS = 1_000;

interface Pause {
  resourceVersion: string;
  sinceMs: number;
}

/**
 * Admission counts an object before it exists: what is seen of a namespace then is less than what
 * is promised. So usage is lowered only once a quota has stayed as it is for a while.
 */
export class LoweringPauses {
  readonly #pauses = new Map<string, Pause>();

  /** Whether the quota has been as it is for long enough, counted from the first question. */
  isOver({ metadata }: ResourceQuota, nowMs: number): boolean {
    const { uid = "", resourceVersion = "" } = metadata ?? {};
    const pause = this.#pauses.get(uid);
    if (pause?.resourceVersion === resourceVersion)
      return nowMs - pause.sinceMs >= LOWERING_PAUSE_MS;
    this.#pauses.set(uid, { resourceVersion, sinceMs: nowMs });
    return false;
  }

  forget({ metadata }: ResourceQuota): void {
    this.#pauses.delete(metadata?.uid ?? "");
  }
}

/** The larger of both, name by name of `seen`. */
export function withoutLowering(
  seen: Readonly<Record<string, string>>,
  known: Readonly<Record<string, string>>,
): { used: Record<string, string>; lowers: boolean } {
  const used = { ...seen };
  let lowers = false;
  for (const [name, amount] of Object.entries(seen)) {
    const before = known[name];
    if (before === undefined) continue;
    if (compareQuantities(parseQuantity(amount), parseQuantity(before)) >= 0) continue;
    used[name] = before;
    lowers = true;
  }
  return { used, lowers };
}
