/** One field of an invalid object, or one conflict of server-side apply. */
export interface StatusCause {
  /** `metav1.CauseType`, such as "FieldValueRequired". */
  reason?: string;
  message?: string;
  /** Path such as "spec.containers[0].image". */
  field?: string;
}

/** `metav1.Status`: the body of every refusal. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: { continue?: string; resourceVersion?: string };
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code: number;
}
