import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";
import type { ClusterEvent, QueueingHint } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import { Heap } from "./heap.ts";

/** How the queue orders and delays. */
export interface SchedulingQueueOptions {
  /** Negative when `a` goes first; equals go by arrival, or by their last attempt. */
  compare: (a: PodRecord, b: PodRecord) => number;
  /** Hints by plugin name; a plugin without one is helped by every event. */
  hints: ReadonlyMap<string, QueueingHint>;
  backoff?: BackoffPolicy;
}

const BACKOFF: BackoffPolicy = { baseMs: 1000, maxMs: 10_000 };
/** A pod asleep for this long is tried again whatever happened. */
const ASLEEP_MAX_MS = 5 * 60_000;
const NOBODY: ReadonlySet<string> = new Set();
/** After so many events one of them will have helped. */
const MISSED_MAX = 1000;

/** What happened while somebody else was asked about a pod. */
interface Missed {
  events: { event: ClusterEvent; state: ClusterState }[];
  isChanged: boolean;
}

interface Entry {
  pod: PodRecord;
  /** Order among equals: whoever was tried goes behind those that wait. */
  sequence: number;
  attempts: number;
  /** When the pod was first seen. */
  addedAtMs: number;
  /** Not tried before this time. */
  readyAtMs: number;
  /** "taken" between `next` and the outcome: nothing else may try the pod then. */
  state: "active" | "taken" | "backoff" | "asleep" | "gone";
  sleptAtMs: number;
  rejectedBy: ReadonlySet<string>;
  /** Which place in a heap is the entry's own; older ones are leftovers. */
  ticket: number;
}

interface Ticket {
  entry: Entry;
  number: number;
  readyAtMs: number;
}

/**
 * Pods that wait for a node: ready ones in order, refused ones asleep until an event may help
 * them, but never tried more often than their back-off allows. Bounded by the pods that exist.
 */
export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #active: Heap<Ticket>;
  readonly #backoff = new Heap<Ticket>((a, b) => a.readyAtMs < b.readyAtMs);
  /** Sleeping pods by the plugins that turned them down; "" holds those that none named. */
  readonly #asleep = new Map<string, Set<Entry>>();
  /** Sleeping pods, the longest asleep first. */
  readonly #asleepByAge = new Set<Entry>();
  readonly #pondered = new Map<Entry, Missed>();
  readonly #hints: ReadonlyMap<string, QueueingHint>;
  readonly #backoffPolicy: BackoffPolicy;
  #sequence = 0;
  #tickets = 0;

  constructor(options: SchedulingQueueOptions) {
    const { compare } = options;
    this.#active = new Heap(({ entry: a }, { entry: b }) => {
      const order = compare(a.pod, b.pod);
      return order < 0 || (order === 0 && a.sequence < b.sequence);
    });
    this.#hints = options.hints;
    this.#backoffPolicy = options.backoff ?? BACKOFF;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(uid: string): PodRecord | undefined {
    return this.#entries.get(uid)?.pod;
  }

  /** Since when the pod waits, and how often it was tried. */
  history(uid: string): { addedAtMs: number; attempts: number } {
    const { addedAtMs = 0, attempts = 0 } = this.#entries.get(uid) ?? {};
    return { addedAtMs, attempts };
  }

  /** Pods by what they wait for; goes through all of them. */
  pending(): { active: number; backoff: number; unschedulable: number } {
    const pending = { active: 0, backoff: 0, unschedulable: 0 };
    for (const { state } of this.#entries.values()) {
      if (state === "asleep") pending.unschedulable++;
      else if (state === "backoff") pending.backoff++;
      else if (state === "active") pending.active++;
    }
    return pending;
  }

  /** Whether the pod was refused and nothing happened since that may help it. */
  isAsleep(uid: string): boolean {
    return this.#entries.get(uid)?.state === "asleep";
  }

  /** Adds a pod, or replaces its record; a changed pod is tried at once, after its back-off. */
  add(pod: PodRecord, nowMs: number): void {
    const known = this.#entries.get(pod.uid);
    if (known) {
      known.pod = pod;
      const missed = this.#pondered.get(known);
      if (missed) missed.isChanged = true;
      if (known.state === "asleep") this.#wake(known, nowMs);
      return;
    }
    const entry: Entry = {
      pod,
      sequence: this.#sequence++,
      attempts: 0,
      addedAtMs: nowMs,
      readyAtMs: nowMs,
      state: "active",
      sleptAtMs: nowMs,
      rejectedBy: NOBODY,
      ticket: 0,
    };
    this.#entries.set(pod.uid, entry);
    this.#activate(entry);
  }

  /** Keeps what is known of a waiting pod current without trying it again for it. */
  refresh(pod: PodRecord): void {
    const known = this.#entries.get(pod.uid);
    if (known) known.pod = pod;
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    this.#pondered.delete(entry);
    this.#leaveSleep(entry);
    entry.state = "gone";
    entry.ticket = 0;
  }

  /** The pod to decide on now. It stays known until `refused`, `failed` or `remove`. */
  next(): PodRecord | undefined {
    for (let ticket = this.#active.pop(); ticket; ticket = this.#active.pop()) {
      const { entry } = ticket;
      if (entry.ticket !== ticket.number) continue;
      entry.attempts++;
      entry.state = "taken";
      return entry.pod;
    }
    return undefined;
  }

  /** The decision on a pod takes longer: what happens until then counts for it too. */
  ponder(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry) this.#pondered.set(entry, { events: [], isChanged: false });
  }

  /** No node was fit: sleep until an event may help. */
  refused(uid: string, at: { rejectedBy: ReadonlySet<string>; nowMs: number }): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.rejectedBy = at.rejectedBy;
    this.#delay(entry, at.nowMs);
    if (this.#isHelpedAlready(entry)) {
      this.#wake(entry, at.nowMs);
      return;
    }
    entry.state = "asleep";
    this.#asleepByAge.add(entry);
    for (const plugin of refusersOf(entry)) {
      const entries = this.#asleep.get(plugin);
      if (entries) entries.add(entry);
      else this.#asleep.set(plugin, new Set([entry]));
    }
  }

  /** The attempt failed for a reason that time may cure, such as a refused binding. */
  failed(uid: string, nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#pondered.delete(entry);
    this.#delay(entry, nowMs);
    this.#wake(entry, nowMs);
  }

  /** Lets a pod be tried at once, whatever its back-off says. */
  activate(uid: string): void {
    const entry = this.#entries.get(uid);
    const missed = entry && this.#pondered.get(entry);
    if (missed) missed.isChanged = true;
    if (!entry || entry.state === "active" || entry.state === "taken") return;
    this.#leaveSleep(entry);
    this.#activate(entry);
  }

  /** Something changed: pods that it may help are tried again. True when there are any. */
  wakeUp(event: ClusterEvent, at: { state: ClusterState; nowMs: number }): boolean {
    for (const { events } of this.#pondered.values()) {
      if (events.length < MISSED_MAX) events.push({ event, state: at.state });
    }
    if (this.#asleepByAge.size === 0) return false;
    const woken: Entry[] = [];
    for (const [plugin, entries] of this.#asleep) {
      const hint = this.#hints.get(plugin);
      for (const entry of entries) if (!hint || hint(event, entry.pod, at.state)) woken.push(entry);
    }
    for (const entry of woken) if (entry.state === "asleep") this.#wake(entry, at.nowMs);
    return woken.length > 0;
  }

  /** Moves pods whose time has come; returns the delay until the next one, if any waits. */
  advance(nowMs: number): number | undefined {
    for (let first = this.#backoff.peek(); first; first = this.#backoff.peek()) {
      const isStale = first.entry.ticket !== first.number;
      if (!isStale && first.readyAtMs > nowMs) break;
      this.#backoff.pop();
      if (!isStale) this.#activate(first.entry);
    }
    let nextMs = this.#backoff.peek()?.readyAtMs;
    for (const entry of this.#asleepByAge) {
      const dueMs = entry.sleptAtMs + ASLEEP_MAX_MS;
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs ?? dueMs, dueMs);
        break;
      }
      this.#leaveSleep(entry);
      this.#activate(entry);
    }
    return nextMs === undefined ? undefined : nextMs - nowMs;
  }

  #isHelpedAlready(entry: Entry): boolean {
    const missed = this.#pondered.get(entry);
    if (!missed) return false;
    this.#pondered.delete(entry);
    if (missed.isChanged || missed.events.length >= MISSED_MAX) return true;
    const hints = [...refusersOf(entry)].map((plugin) => this.#hints.get(plugin));
    return missed.events.some(({ event, state }) =>
      hints.some((hint) => !hint || hint(event, entry.pod, state)),
    );
  }

  #delay(entry: Entry, nowMs: number): void {
    entry.sequence = this.#sequence++;
    entry.sleptAtMs = nowMs;
    entry.readyAtMs = nowMs + backoffDelayMs(this.#backoffPolicy, entry.attempts);
  }

  #wake(entry: Entry, nowMs: number): void {
    this.#leaveSleep(entry);
    if (entry.readyAtMs <= nowMs) {
      this.#activate(entry);
      return;
    }
    entry.state = "backoff";
    this.#backoff.push(this.#ticketFor(entry));
  }

  #leaveSleep(entry: Entry): void {
    if (!this.#asleepByAge.delete(entry)) return;
    for (const plugin of refusersOf(entry)) {
      const entries = this.#asleep.get(plugin);
      entries?.delete(entry);
      if (entries?.size === 0) this.#asleep.delete(plugin);
    }
  }

  #activate(entry: Entry): void {
    entry.state = "active";
    this.#active.push(this.#ticketFor(entry));
  }

  #ticketFor(entry: Entry): Ticket {
    entry.ticket = ++this.#tickets;
    return { entry, number: entry.ticket, readyAtMs: entry.readyAtMs };
  }
}

/** Plugins that turned a pod down; "" if it was none of them. */
function refusersOf({ rejectedBy }: Entry): Iterable<string> {
  return rejectedBy.size > 0 ? rejectedBy : [""];
}
