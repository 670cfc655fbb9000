import { SCORE_MAX, type ScoreOutput } from "./contract.ts";

/** Adds numbers by slot, stretched to 0..100 by the largest of the slots in question. */
export function addNormalized(
  numbers: Float64Array,
  slots: Int32Array,
  of: ScoreOutput & { better: "more" | "fewer" },
): void {
  const { count, weight, totals } = of;
  let most = 0;
  for (let at = 0; at < count; at++) {
    const number = numbers[slots[at] as number] as number;
    if (number > most) most = number;
  }
  if (most === 0) return;
  const fewer = of.better === "fewer";
  for (let at = 0; at < count; at++) {
    const scaled = Math.floor(((numbers[slots[at] as number] as number) * SCORE_MAX) / most);
    totals[at] = (totals[at] as number) + weight * (fewer ? SCORE_MAX - scaled : scaled);
  }
}
