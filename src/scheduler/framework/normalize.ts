import { SCORE_MAX } from "./contract.ts";

/**
 * Stretches the first `count` numbers to 0..100 by their maximum, in place. False when they are
 * all the same, and so say nothing.
 */
export function normalize(
  scores: Float64Array,
  of: { count: number; better: "more" | "fewer" },
): boolean {
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < of.count; at++) {
    const score = scores[at] as number;
    if (score > most) most = score;
    if (score < least) least = score;
  }
  const fewer = of.better === "fewer";
  for (let at = 0; at < of.count; at++) {
    const scaled = most === 0 ? 0 : Math.floor(((scores[at] as number) * SCORE_MAX) / most);
    scores[at] = fewer ? SCORE_MAX - scaled : scaled;
  }
  return least !== most;
}
