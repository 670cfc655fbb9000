/** One thing to do for a pod. Steps are data: `planPod` names them, executors do them. */
export type Step =
  | { do: "prepare-volumes" }
  /** Network and sandbox. */
  | { do: "create-sandbox" }
  | { do: "ensure-image"; container: string }
  | { do: "start-container"; container: string; attempt: number }
  | ({ do: "stop-container"; replaces?: boolean; isTold?: boolean } & ContainerEnd)
  /** What comes before the signal: the event and the preStop hook. */
  | ({ do: "pre-stop" } & ContainerEnd)
  /** Gives running containers, and the pod, the limits that they have now. */
  | { do: "resize" }
  | { do: "remove-container"; container: string; id: string }
  /** Gives back sandbox, network and volumes. */
  | { do: "release" }
  /** Ends the pod in the API; comes after `release`. */
  | { do: "delete-object" };

/** How a container is to end. */
export interface ContainerEnd {
  container: string;
  graceMs: number;
  /** Of the event. */
  message: string;
  /** How often less grace was given meanwhile: a shorter end overtakes a patient one. */
  round?: number;
}

/** Two steps with the same key never run at once. */
export function stepKey(step: Step): string {
  switch (step.do) {
    case "pre-stop":
    case "stop-container":
      return `${step.do}/${step.container}${step.round ? `/${step.round}` : ""}`;
    case "remove-container":
      return `${step.do}/${step.id}`;
    case "ensure-image":
    case "start-container":
      return `${step.do}/${step.container}`;
    default:
      return step.do;
  }
}
