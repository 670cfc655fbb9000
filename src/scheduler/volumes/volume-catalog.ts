import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
} from "../../api/generated/types/storage-v1.ts";
import { Attachments } from "./attachments.ts";

/** Set on a claim whose binding to its volume is complete. */
const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** Names the node for which a claim's volume is to be made. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** Storage class of claims and volumes that were made before there was a field for it. */
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** What a decision promised a claim before the API server shows it. */
export interface AssumedClaim {
  /** The volume that is to be bound; undefined when one is to be made. */
  volume: string | undefined;
  node: string;
}

/** How a claim stands. */
export type ClaimState = "bound" | "immediate" | "waits-for-pod";

/** Storage objects as the scheduler knows them, and what decisions promised meanwhile. */
export class VolumeCatalog {
  readonly volumes: Map<string, PersistentVolume> = new Map();
  /** By "namespace/name". */
  readonly claims: Map<string, PersistentVolumeClaim> = new Map();
  readonly classes: Map<string, StorageClass> = new Map();
  readonly csiNodes: Map<string, CSINode> = new Map();
  readonly csiDrivers: Map<string, CSIDriver> = new Map();
  /** By "namespace/name": each driver publishes them where it runs. */
  readonly capacities: Map<string, CSIStorageCapacity> = new Map();
  readonly attachments: Attachments = new Attachments();
  readonly #assumedClaims = new Map<string, AssumedClaim>();
  /** Claim by the name of the volume that it was promised. */
  readonly #assumedVolumes = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  /** To be called after every change of the maps. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  assume(claim: string, promise: AssumedClaim): void {
    this.#assumedClaims.set(claim, promise);
    if (promise.volume !== undefined) this.#assumedVolumes.set(promise.volume, claim);
  }

  forget(claim: string): void {
    const volume = this.#assumedClaims.get(claim)?.volume;
    if (volume !== undefined) this.#assumedVolumes.delete(volume);
    this.#assumedClaims.delete(claim);
  }

  assumedOf(claim: string): AssumedClaim | undefined {
    return this.#assumedClaims.get(claim);
  }

  /** The claim that a volume is promised to or bound to, by the API or by a decision. */
  claimOf({ metadata, spec }: PersistentVolume): string | undefined {
    const ref = spec?.claimRef;
    if (ref?.name) return `${ref.namespace ?? ""}/${ref.name}`;
    return this.#assumedVolumes.get(metadata?.name ?? "");
  }

  classOf(claim: PersistentVolumeClaim): StorageClass | undefined {
    return this.classes.get(claimClassName(claim));
  }

  stateOf(claim: PersistentVolumeClaim): ClaimState {
    const { volumeName } = claim.spec ?? {};
    if (volumeName && claim.metadata?.annotations?.[BIND_COMPLETED] !== undefined) return "bound";
    // A claim that names its volume is bound by the volume controller, whatever its class.
    if (volumeName) return "immediate";
    const mode = this.classOf(claim)?.volumeBindingMode;
    return mode === "WaitForFirstConsumer" ? "waits-for-pod" : "immediate";
  }
}

/** The class that a claim asks for; "" is none. */
export function claimClassName({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}

/** The class of a volume; "" is none. */
export function volumeClassName({ metadata, spec }: PersistentVolume): string {
  return metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}
