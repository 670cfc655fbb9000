import type { Resource } from "../../api/resource.ts";
import type { Change, Informer } from "../../client/informer.ts";

/** The true state of a cluster, of which every change is seen once and in order. */
export interface View {
  follow<T>(resource: Resource<T>, onChange?: (change: Change<T>) => void): Informer<T>;
  /** How many objects exist although the part that made them was never told so. */
  unknownCreates(): number;
  /** Whether the part sees changes late: what it decides then may be right for the past only. */
  isBlind(part: string): boolean;
  /**
   * Some part began again with a list older than what it had seen before, as several API servers
   * may cause. Nothing tells it what it did since, so it may do more than it should for a while.
   */
  hasTravelledBack(): boolean;
  /** Whether the server was away: what came and went meanwhile the onlooker did not see. */
  hasGap(): boolean;
  /** Acts once the onlooker has seen all that is there now, on however many watches it comes. */
  later(act: () => void): void;
}

/** Something that must hold at every moment, whatever goes wrong. */
export interface Invariant {
  name: string;
  /** Called once, before anything happens; `breach` is told what was seen. */
  observe(view: View, breach: (text: string) => void): void;
}
