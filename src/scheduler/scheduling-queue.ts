import { type BackoffPolicy, backoffDelayMs } from "../lib/backoff.ts";
import type { FilterName } from "./filters.ts";
import type { PodProfile } from "./pod-profile.ts";

/** A change of the cluster that may make room for a pod that was turned down. */
export type WakeUp = "node-added" | "node-changed" | "pod-removed" | "pod-added";

/** Which changes can undo which refusal; others leave the pod asleep. */
const WORTH_A_TRY: Readonly<Record<FilterName, readonly WakeUp[]>> = {
  NodeUnschedulable: ["node-added", "node-changed"],
  NodeName: ["node-added"],
  TaintToleration: ["node-added", "node-changed"],
  NodeAffinity: ["node-added", "node-changed"],
  NodePorts: ["node-added", "pod-removed"],
  NodeResourcesFit: ["node-added", "node-changed", "pod-removed"],
  PodTopologySpread: ["node-added", "node-changed", "pod-removed", "pod-added"],
  InterPodAffinity: ["node-added", "node-changed", "pod-removed", "pod-added"],
};

const BACKOFF: BackoffPolicy = { baseMs: 1000, maxMs: 10_000 };
/** A pod asleep for this long is tried again whatever happened. */
const ASLEEP_MAX_MS = 5 * 60_000;

interface Entry {
  pod: PodProfile;
  /** Order among equal priorities. */
  sequence: number;
  attempts: number;
  /** Not tried before this time. */
  readyAtMs: number;
  /** "taken" between `next` and the outcome: nothing else may try the pod then. */
  state: "active" | "taken" | "backoff" | "asleep";
  sleptAtMs: number;
  rejectedBy: ReadonlySet<FilterName>;
}

/**
 * Pods that wait for a node: ready ones by priority and arrival, refused ones asleep until a
 * change concerns them, but never tried more often than their back-off allows. Bounded by the
 * number of pods that exist.
 */
export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  #active: Entry[] = [];
  #sorted = true;
  #sequence = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(uid: string): boolean {
    return this.#entries.has(uid);
  }

  /** Adds a pod, or replaces its profile; a changed pod is tried at once, after its back-off. */
  add(pod: PodProfile, nowMs: number): void {
    const known = this.#entries.get(pod.uid);
    if (known) {
      known.pod = pod;
      if (known.state === "asleep") this.#wake(known, nowMs);
      return;
    }
    const entry: Entry = {
      pod,
      sequence: this.#sequence++,
      attempts: 0,
      readyAtMs: nowMs,
      state: "active",
      sleptAtMs: nowMs,
      rejectedBy: new Set(),
    };
    this.#entries.set(pod.uid, entry);
    this.#push(entry);
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    if (entry.state === "active") this.#active = this.#active.filter((one) => one !== entry);
  }

  /** The pod to decide on now. It stays known until `refused`, `failed` or `remove`. */
  next(): PodProfile | undefined {
    if (!this.#sorted) {
      this.#active.sort((a, b) => a.pod.priority - b.pod.priority || b.sequence - a.sequence);
      this.#sorted = true;
    }
    const entry = this.#active.pop();
    if (!entry) return undefined;
    entry.attempts++;
    entry.state = "taken";
    return entry.pod;
  }

  /** No node was fit: sleep until something relevant happens. */
  refused(uid: string, at: { rejectedBy: ReadonlySet<FilterName>; nowMs: number }): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.rejectedBy = at.rejectedBy;
    entry.state = "asleep";
    this.#delay(entry, at.nowMs);
  }

  /** The attempt failed for a reason that time may cure, such as a refused binding. */
  failed(uid: string, nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#delay(entry, nowMs);
    this.#wake(entry, nowMs);
  }

  /** Something changed: pods that it may help are tried again. */
  wakeUp(change: WakeUp, nowMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== "asleep") continue;
      const { rejectedBy } = entry;
      const helps =
        rejectedBy.size === 0 ||
        [...rejectedBy].some((filter) => WORTH_A_TRY[filter].includes(change));
      if (helps) this.#wake(entry, nowMs);
    }
  }

  /** Moves pods whose time has come; returns the delay until the next one, if any waits. */
  advance(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.state === "active" || entry.state === "taken") continue;
      const dueMs = entry.state === "backoff" ? entry.readyAtMs : entry.sleptAtMs + ASLEEP_MAX_MS;
      if (dueMs <= nowMs) this.#push(entry);
      else next = Math.min(next ?? Number.POSITIVE_INFINITY, dueMs - nowMs);
    }
    return next;
  }

  #delay(entry: Entry, nowMs: number): void {
    entry.sleptAtMs = nowMs;
    entry.readyAtMs = nowMs + backoffDelayMs(BACKOFF, entry.attempts);
  }

  #wake(entry: Entry, nowMs: number): void {
    if (entry.readyAtMs <= nowMs) this.#push(entry);
    else entry.state = "backoff";
  }

  #push(entry: Entry): void {
    entry.state = "active";
    this.#active.push(entry);
    this.#sorted = this.#active.length === 1;
  }
}
