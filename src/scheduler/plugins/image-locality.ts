import { SCORE_MAX, type SchedulerPlugin } from "../framework/contract.ts";

const MIB = 1024 * 1024;
const SMALL_BYTES = 23 * MIB;
const LARGE_BYTES = 1000 * MIB;

/** Prefers nodes that have the images: the larger and more widely spread, the more so. */
export const imageLocality: SchedulerPlugin = {
  name: "ImageLocality",
  score({ state, profile }) {
    const { images } = profile;
    let scores = new Float64Array(0);
    let known = "";
    const current = () => {
      const entries = images.flatMap((image) => state.images.get(image) ?? []);
      if (entries.length === 0) return undefined;
      const total = state.live.length;
      const now = `${total} ${state.size} ${entries.map(({ version }) => version).join(" ")}`;
      if (now === known) return scores;
      known = now;
      scores = new Float64Array(state.nodeVersions.length);
      for (const { sizes } of entries) {
        const share = sizes.size / total;
        for (const [slot, bytes] of sizes) {
          scores[slot] = (scores[slot] as number) + Math.floor(bytes * share);
        }
      }
      const large = LARGE_BYTES * images.length;
      for (let slot = 0; slot < scores.length; slot++) {
        const bytes = Math.max(SMALL_BYTES, Math.min(scores[slot] as number, large));
        scores[slot] = Math.floor((SCORE_MAX * (bytes - SMALL_BYTES)) / (large - SMALL_BYTES));
      }
      return scores;
    };
    return {
      addScores(_pod, slots, { count, weight, totals }) {
        const column = current();
        if (!column) return;
        for (let at = 0; at < count; at++) {
          totals[at] = (totals[at] as number) + weight * (column[slots[at] as number] as number);
        }
      },
    };
  },
};
