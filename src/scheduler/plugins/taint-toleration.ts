import type { Taint } from "../../api/generated/types/core-v1.ts";
import { isTolerated, untoleratedTaint } from "../../api/taint.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import { addNormalized } from "../framework/normalize.ts";
import { perNode } from "../framework/per-node.ts";

/** Taints keep pods away that do not tolerate them; PreferNoSchedule only counts against a node. */
export const taintToleration: SchedulerPlugin = {
  name: "TaintToleration",
  filter({ state, profile }) {
    const seen: Taint[] = [];
    const codes = new Map<string, number>();
    return {
      slotOnly: true,
      begin: () => true,
      test(slot) {
        const taints = state.nodes[slot]?.taints ?? [];
        if (taints.length === 0) return 0;
        const taint = untoleratedTaint(taints, profile.tolerations);
        if (!taint) return 0;
        const text = `${taint.key}: ${taint.value ?? ""}`;
        let code = codes.get(text);
        if (code === undefined) codes.set(text, (code = seen.push(taint)));
        return code;
      },
      explain(code) {
        const taint = seen[code - 1];
        return {
          reasons: [`node(s) had untolerated taint {${taint?.key}: ${taint?.value ?? ""}}`],
          unresolvable: true,
        };
      },
    };
  },
  score({ state, profile }) {
    // Only tolerations that are about preferences soften one.
    const tolerations = profile.tolerations.filter(
      ({ effect }) => !effect || effect === "PreferNoSchedule",
    );
    const counts = perNode(state, (slot) => {
      let count = 0;
      for (const taint of state.nodes[slot]?.taints ?? []) {
        if (taint.effect === "PreferNoSchedule" && !isTolerated(taint, tolerations)) count++;
      }
      return count;
    });
    return {
      addScores(_pod, slots, out) {
        const column = counts.current();
        if (!counts.isZero) addNormalized(column, slots, { ...out, better: "fewer" });
      },
    };
  },
  hint(event, { profile: { tolerations } }, state) {
    if (event.kind !== "node-added" && event.kind !== "node-changed") return false;
    const isTaken = (taints: readonly Taint[] | undefined) =>
      !untoleratedTaint(taints ?? [], tolerations);
    if (event.kind === "node-changed" && isTaken(event.before.spec?.taints)) return false;
    return isTaken(state.nodes[event.slot]?.taints);
  },
};
