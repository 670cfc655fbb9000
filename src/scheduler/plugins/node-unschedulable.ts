import type { Taint } from "../../api/generated/types/core-v1.ts";
import { isTolerated } from "../../api/taint.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";

const UNSCHEDULABLE_TAINT: Taint = {
  key: "node.kubernetes.io/unschedulable",
  effect: "NoSchedule",
};

/** Cordoned nodes take only pods that tolerate the taint that stands for it. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  filter: ({ state, profile }) => ({
    slotOnly: true,
    begin: () => !isTolerated(UNSCHEDULABLE_TAINT, profile.tolerations),
    test: (slot) => (state.nodes[slot]?.unschedulable ? 1 : 0),
    explain: () => ({ reasons: ["node(s) were unschedulable"], unresolvable: true }),
  }),
  hint(event, _pod, state) {
    if (event.kind !== "node-added" && event.kind !== "node-changed") return false;
    const wasOpen = event.kind === "node-changed" && !event.before.spec?.unschedulable;
    return !wasOpen && !state.nodes[event.slot]?.unschedulable;
  },
};
