/** Whose step it is. */
export interface TracedPod {
  uid: string;
  name: string;
  namespace: string;
}

/** Follows what is done for pods; there is none where no configuration asks for one. */
export interface PodTracer {
  /** Does a step of a pod's way, and records it if the pod is recorded now. */
  step<T>(pod: TracedPod, name: string, work: () => Promise<T>): Promise<T>;
}
