import type { SchedulerPlugin } from "../framework/contract.ts";

/** The more important pod goes first. */
export const prioritySort: SchedulerPlugin = {
  name: "PrioritySort",
  compare: (a, b) => b.profile.priority - a.profile.priority,
};
