import type { Node } from "../../api/generated/types/core-v1.ts";
import { judgeZones, type ZoneHealth, zoneOf } from "./zone-disruption.ts";

/** Nodes of a zone per second that are given up; the defaults of kube-controller-manager. */
const RATE = 0.1;
/** The same in a large zone of which most nodes are not ready; in a small one none is. */
const DISRUPTED_RATE = 0.01;
/** Zones with more nodes are large. */
const LARGE_ZONE = 50;

interface ZoneQueue {
  /** Nodes per second. */
  rate: number;
  /** When the next node may be given up; one that was not used is kept, more are not. */
  freeAtMs: number;
  /** Since when nodes wait, by name, in the order in which they were lost. */
  readonly waiting: Map<string, number>;
  /** Those who may be, and were perhaps not written yet. */
  readonly admitted: Set<string>;
}

/**
 * Decides when pods may leave a node that was lost. Nodes of a zone are given up one after another,
 * slower or not at all when most of the zone is lost, and none when no node of any zone is ready:
 * then rather whoever watches them is cut off than they, and their pods most likely still run.
 */
export class EvictionLimiter {
  readonly #zones = new Map<string, ZoneQueue>();
  #isStopped = false;
  #judgedMs = Number.NEGATIVE_INFINITY;

  /** Whether no node is ready at all, so that even those given up are taken back. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Learns how all nodes are at a time in ms that never goes back. */
  judge(nodes: readonly Node[], nowMs: number): void {
    this.#judgedMs = nowMs;
    const zones = judgeZones(nodes);
    this.#isStopped = zones.size > 0 && [...zones.values()].every(({ state }) => state === "full");
    for (const name of this.#zones.keys()) if (!zones.has(name)) this.#zones.delete(name);
    for (const [name, health] of zones) {
      const zone = this.#zones.get(name);
      if (zone) swapRate(zone, { rate: this.#rateOf(health), nowMs });
      else this.#add(name, this.#rateOf(health));
      if (this.#isStopped) this.#zones.get(name)?.admitted.clear();
    }
  }

  /** Whether pods may leave this lost node now. Who may once, may until it is forgotten. */
  admits(node: Node, nowMs: number): boolean {
    const { name = "" } = node.metadata ?? {};
    const zone = this.#zones.get(zoneOf(node)) ?? this.#add(zoneOf(node), RATE);
    if (zone.admitted.has(name)) return true;
    const sinceMs = zone.waiting.get(name) ?? nowMs;
    zone.waiting.set(name, sinceMs);
    const [first] = zone.waiting.keys();
    // All nodes are judged again with this one among the lost: it may be the last one.
    if (first !== name || sinceMs >= this.#judgedMs || nowMs < zone.freeAtMs) return false;
    zone.waiting.delete(name);
    zone.admitted.add(name);
    zone.freeAtMs = nowMs + 1000 / zone.rate;
    return true;
  }

  /** The node is back, or gone. */
  forget(name: string): void {
    for (const { waiting, admitted } of this.#zones.values()) {
      waiting.delete(name);
      admitted.delete(name);
    }
  }

  #rateOf({ state, size }: ZoneHealth): number {
    if (this.#isStopped) return 0;
    if (state !== "partial") return RATE;
    return size > LARGE_ZONE ? DISRUPTED_RATE : 0;
  }

  #add(name: string, rate: number): ZoneQueue {
    const freeAtMs = rate === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const zone = {
      rate,
      freeAtMs,
      waiting: new Map<string, number>(),
      admitted: new Set<string>(),
    };
    this.#zones.set(name, zone);
    return zone;
  }
}

/** Whoever had to wait at the old rate waits a whole turn of the new one. */
function swapRate(zone: ZoneQueue, { rate, nowMs }: { rate: number; nowMs: number }): void {
  if (zone.rate === rate) return;
  zone.rate = rate;
  if (rate === 0) zone.freeAtMs = Number.POSITIVE_INFINITY;
  else if (nowMs < zone.freeAtMs) zone.freeAtMs = nowMs + 1000 / rate;
}
