/** What of a node can run short. */
export type EvictionSignal =
  | "memory.available"
  | "nodefs.available"
  | "nodefs.inodesFree"
  | "pid.available";

/** How much of a thing there is. */
export interface SignalReading {
  available: number;
  capacity: number;
}

/** One reading of all signals. Images lie on the file system of the pods: imagefs is nodefs. */
export type SignalReadings = Readonly<Record<EvictionSignal, SignalReading>>;

/** Below which amount, or share of the capacity, pods have to go. */
export type EvictionThresholds = Readonly<
  Partial<Record<EvictionSignal, { amount: number } | { share: number }>>
>;

/** A kubelet's hard thresholds. */
export const DEFAULT_THRESHOLDS: EvictionThresholds = {
  "memory.available": { amount: 100 << 20 },
  "nodefs.available": { share: 0.1 },
  "nodefs.inodesFree": { share: 0.05 },
};

/** What the node's conditions say. */
export interface NodePressure {
  memory: boolean;
  disk: boolean;
  pids: boolean;
}

/** A node that has enough of everything. */
export const NO_PRESSURE: NodePressure = { memory: false, disk: false, pids: false };
