import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { MountEntry } from "../../sys/mount.ts";

/** Makes a pod's volumes exist under its directory, and keeps live ones current. */
export interface VolumeManager extends AsyncDisposable {
  /**
   * Prepares every volume that a container mounts; idempotent. @throws VolumeError "not-found" (a ConfigMap, say), whose
   * message becomes the event FailedMount; the caller retries with back-off.
   */
  prepare(pod: Pod, podDirectory: string): Promise<ReadonlyMap<string, PreparedVolume>>;
  /** Directories on the node's disk that exist for this pod alone, by volume name. */
  ownDirectories(pod: Pod, podDirectory: string): ReadonlyMap<string, string>;
  /** The pod changed: files that show its labels or annotations follow. */
  update(pod: Pod): void;
  /** How long the work took, for `/metrics`. */
  metrics(): MetricFamily[];
  /** Called with the UID of a pod when what its failed `prepare` missed has appeared. */
  onRetry(handler: (podUid: string) => void): Disposable;
  /** Unmounts; the caller removes the directory. Idempotent, also after a crash. */
  release(podUid: string, podDirectory: string): Promise<void>;
}

/** A volume that can be bind-mounted. */
export interface PreparedVolume {
  hostPath: string;
  readOnly: boolean;
  /** Group that the pod's processes are to be in, to use it. */
  groupId?: number;
  /** Programs on it cannot be run. */
  noExec?: boolean;
  /** It lies on a mount that may never answer: whoever touches it may wait forever. */
  farMount?: MountEntry;
}

/** A volume that cannot be prepared now. */
export class VolumeError extends Error {
  readonly code: "not-found" | "unsupported" | "invalid" | "in-use" | "io";

  constructor(code: VolumeError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "VolumeError";
    this.code = code;
  }
}
