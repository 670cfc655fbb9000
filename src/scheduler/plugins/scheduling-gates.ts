import type { SchedulerPlugin } from "../framework/contract.ts";

/** A pod with gates waits for whoever set them. */
export const schedulingGates: SchedulerPlugin = {
  name: "SchedulingGates",
  preEnqueue({ spec }) {
    const gates = spec?.schedulingGates ?? [];
    if (gates.length === 0) return undefined;
    return `waiting for scheduling gates: [${gates.map(({ name }) => name).join(" ")}]`;
  },
};
