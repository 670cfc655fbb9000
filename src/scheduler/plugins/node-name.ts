import type { SchedulerPlugin } from "../framework/contract.ts";

/** A pod that names its node goes there or nowhere. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  filter({ state, profile }) {
    const wanted = profile.nodeName;
    if (wanted === undefined) return undefined;
    return {
      slotOnly: true,
      begin: () => true,
      test: (slot) => (state.nodes[slot]?.name === wanted ? 0 : 1),
      explain: () => ({
        reasons: ["node(s) didn't match the requested node name"],
        unresolvable: true,
      }),
    };
  },
  hint: (event, { profile }, state) =>
    event.kind === "node-added" && state.nodes[event.slot]?.name === profile.nodeName,
};
