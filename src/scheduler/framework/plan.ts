import type { PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import type {
  NodeFilter,
  NodeScorer,
  Refusal,
  RelativeScorer,
  SchedulerPlugin,
  SlotScorer,
} from "./contract.ts";
import { type Collecting, SlotMemory } from "./slot-memory.ts";

/** A plugin in use, and how much its scores count; 0 leaves them out. */
export interface EnabledPlugin {
  plugin: SchedulerPlugin;
  scoreWeight: number;
}

interface PlannedFilter {
  plugin: string;
  filter: NodeFilter;
}

/** What a node that fails says: the plugin, and the refusal. */
export interface NodeRefusal extends Refusal {
  plugin: string;
}

/**
 * Filters and scorers of one profile over one state. What depends on a slot alone is asked once
 * and remembered until that slot changes.
 */
export class Plan implements Disposable {
  /** Scorers that compare nodes. */
  readonly #relative: readonly { weight: number; scorer: RelativeScorer }[];
  readonly #state: ClusterState;
  /** All, in the order of their plugins. */
  readonly #filters: readonly PlannedFilter[];
  readonly #scorers: readonly { weight: number; scorer: NodeScorer }[];
  readonly #bySlot: readonly { weight: number; scorer: SlotScorer }[];
  /** Filters of more than the slot that may refuse one in the decision at hand. */
  readonly #active: PlannedFilter[] = [];
  #activeBySlot: readonly PlannedFilter[] = [];
  #memory: SlotMemory | undefined;
  readonly #profile: PodProfile;
  #servicesVersion: number;

  constructor(of: {
    state: ClusterState;
    profile: PodProfile;
    plugins: readonly EnabledPlugin[];
  }) {
    const { state, profile, plugins } = of;
    this.#state = state;
    this.#profile = profile;
    this.#servicesVersion = state.services.version;
    this.#filters = plugins.flatMap(({ plugin }) => {
      const filter = plugin.filter?.({ state, profile });
      return filter ? [{ plugin: plugin.name, filter }] : [];
    });
    this.#scorers = plugins.flatMap(({ plugin, scoreWeight: weight }) => {
      const scorer = weight > 0 ? plugin.score?.({ state, profile }) : undefined;
      return scorer ? [{ weight, scorer }] : [];
    });
    this.#bySlot = this.#scorers.flatMap(({ weight, scorer }) =>
      "scoreOf" in scorer ? [{ weight, scorer }] : [],
    );
    this.#relative = this.#scorers.flatMap(({ weight, scorer }) =>
      "scoreOf" in scorer ? [] : [{ weight, scorer }],
    );
  }

  [Symbol.dispose](): void {
    for (const { filter } of this.#filters) filter[Symbol.dispose]?.();
    for (const { scorer } of this.#scorers) scorer[Symbol.dispose]?.();
  }

  /**
   * Gets ready for one decision, or takes over what changed within one; a refusal means that no
   * node will do.
   */
  begin(pod: PodRecord): NodeRefusal | undefined {
    const active = this.#active;
    active.length = 0;
    for (const planned of this.#filters) {
      if (planned.filter.slotOnly) continue;
      const begun = planned.filter.begin(pod);
      if (begun === true) active.push(planned);
      else if (begun !== false) return { plugin: planned.plugin, ...begun };
    }
    this.#memory ??= this.#remember(pod);
    this.#memory.refresh();
    return undefined;
  }

  /** Whether Services came or went that the plan rests on. */
  isOutdated(): boolean {
    if (this.#servicesVersion === this.#state.services.version) return false;
    this.#servicesVersion = this.#state.services.version;
    return this.#profile.spreadsByServices;
  }

  passes(slot: number): boolean {
    if (!this.#memory?.passes(slot)) return false;
    return !this.#isRefused(slot);
  }

  /** Fills `found` with slots that pass and returns their number. */
  collect(candidates: Int32Array, of: Omit<Collecting, "isRefused">): number {
    const isRefused = this.#active.length > 0 ? this.#isRefused : undefined;
    const { from, enough, found } = of;
    return this.#memory?.collect(candidates, { from, enough, found, isRefused }) ?? 0;
  }

  readonly #isRefused = (slot: number): boolean => {
    const active = this.#active;
    for (let at = 0; at < active.length; at++) {
      if ((active[at] as PlannedFilter).filter.test(slot) !== 0) return true;
    }
    return false;
  };

  /** Writes the weighted sums of all scores of the first `count` slots. */
  score(pod: PodRecord, slots: Int32Array, of: { count: number; totals: Float64Array }): void {
    const { count, totals } = of;
    this.#memory?.writeTotals(slots, of);
    for (const { scorer, weight } of this.#relative) {
      scorer.addScores(pod, slots, { count, totals, weight });
    }
  }

  /** Why `passes` is false, from the first filter that says so. */
  refusal(slot: number): NodeRefusal | undefined {
    for (const planned of this.#filters) {
      const { plugin, filter } = planned;
      const asked = filter.slotOnly ? this.#activeBySlot : this.#active;
      const code = asked.includes(planned) ? filter.test(slot) : 0;
      if (code !== 0) return { plugin, ...filter.explain(code) };
    }
    return undefined;
  }

  #remember(pod: PodRecord): SlotMemory {
    this.#activeBySlot = this.#filters.filter(
      ({ filter }) => filter.slotOnly && filter.begin(pod) === true,
    );
    const filters = this.#activeBySlot.map(({ filter }) => filter);
    return new SlotMemory(this.#state, { filters, scorers: this.#bySlot });
  }
}
