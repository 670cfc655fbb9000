/** One thing to do for a pod. Steps are data: `planPod` names them, executors do them. */
export type Step =
  | { do: "prepare-volumes" }
  /** Network and sandbox. */
  | { do: "create-sandbox" }
  | { do: "ensure-image"; container: string }
  | { do: "start-container"; container: string; attempt: number }
  | { do: "stop-container"; container: string; graceMs: number; message: string }
  /** Gives running containers, and the pod, the limits that they have now. */
  | { do: "resize" }
  | { do: "remove-container"; container: string; id: string }
  /** Gives back sandbox, network and volumes. */
  | { do: "release" }
  /** Ends the pod in the API; comes after `release`. */
  | { do: "delete-object" };

/** Two steps with the same key never run at once. */
export function stepKey(step: Step): string {
  switch (step.do) {
    case "stop-container":
      // An immediate kill overtakes a patient stop that is under way.
      return `${step.do}/${step.container}${step.graceMs === 0 ? "/now" : ""}`;
    case "remove-container":
      return `${step.do}/${step.id}`;
    case "ensure-image":
    case "start-container":
      return `${step.do}/${step.container}`;
    default:
      return step.do;
  }
}
