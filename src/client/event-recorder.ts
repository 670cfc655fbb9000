/** Writes Kubernetes Events about an object; repeated ones are merged into a count. */
export interface EventRecorder {
  /** Never throws and never blocks: the queue is bounded, the oldest entry is dropped. */
  record(event: RecordedEvent): void;
}

/** One thing worth telling the object's owner. */
export interface RecordedEvent {
  /** The object that it is about: apiVersion, kind and metadata are read from it. */
  about: object;
  type: "Normal" | "Warning";
  /** CamelCase, such as "FailedScheduling". */
  reason: string;
  message: string;
  /** Part of the object, such as "spec.containers{web}". */
  fieldPath?: string;
  annotations?: Readonly<Record<string, string>>;
}
