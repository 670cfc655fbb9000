/** What of a node can run short; the more urgent first. */
export const EVICTION_SIGNALS = [
  "memory.available",
  "allocatableMemory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "pid.available",
] as const;

/** One of `EVICTION_SIGNALS`. */
export type EvictionSignal = (typeof EVICTION_SIGNALS)[number];

/** How much of a thing there is. */
export interface SignalReading {
  available: number;
  capacity: number;
}

/** One reading of all signals; a signal without capacity is not measured. */
export type SignalReadings = Readonly<Record<EvictionSignal, SignalReading>>;
/** A signal that is not measured. */
export const NOT_MEASURED: SignalReading = { available: 0, capacity: 0 };

/** An amount, or a share (0 to 1) of the capacity. */
export type Threshold = { amount: number } | { share: number };

/** Below which amount, or share of the capacity, pods have to go. */
export type EvictionThresholds = Readonly<Partial<Record<EvictionSignal, Threshold>>>;

/** A shortage that is borne for `graceMs`. */
export interface SoftThreshold {
  below: Threshold;
  graceMs: number;
}

/** When pods have to go, and how. */
export interface EvictionRules {
  /** At once. */
  hard: EvictionThresholds;
  soft: Readonly<Partial<Record<EvictionSignal, SoftThreshold>>>;
  /** How much more than the threshold has to be there until the shortage counts as over. */
  minimumReclaim: EvictionThresholds;
  /** The most that a pod gets to end after a soft threshold. */
  softGraceMaxMs: number;
  /** How long a condition stays after its cause is gone. */
  transitionMs: number;
}

/** A kubelet's rules. */
export const DEFAULT_RULES: EvictionRules = {
  hard: {
    "memory.available": { amount: 100 << 20 },
    "nodefs.available": { share: 0.1 },
    "nodefs.inodesFree": { share: 0.05 },
    "imagefs.available": { share: 0.15 },
    "imagefs.inodesFree": { share: 0.05 },
  },
  soft: {},
  minimumReclaim: {},
  softGraceMaxMs: 0,
  transitionMs: 300_000,
};

/** What the node's conditions say. */
export interface NodePressure {
  memory: boolean;
  disk: boolean;
  pids: boolean;
}

/** A node that has enough of everything. */
export const NO_PRESSURE: NodePressure = { memory: false, disk: false, pids: false };

/** How a pod is evicted. */
export interface Eviction {
  message: string;
  /** What there was too little of: a signal, or one of a pod's own limits. */
  signal: string;
  graceMs: number;
  /** Of the event: what was short, and which containers took more than they asked for. */
  annotations?: Readonly<Record<string, string>>;
  /** Message of the condition that says the pod is not at fault; none for one that is. */
  disruption?: string;
}

/** What a pod uses of what a signal measures. */
export interface ResourceUse {
  /** Of the whole pod. */
  used: number;
  /** By container, in bytes; empty for what is not measured in bytes. */
  containers: ReadonlyMap<string, number>;
}
