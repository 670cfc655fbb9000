import type { PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import type { NodeFilter, NodeScorer, Refusal, SchedulerPlugin } from "./contract.ts";

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

const UNKNOWN = 0;
const PASSES = 1;

/**
 * Filters and scorers of one profile over one state. What depends on a node object alone is asked
 * once and remembered until that node changes.
 */
export class Plan implements Disposable {
  readonly scorers: readonly { weight: number; scorer: NodeScorer }[];
  readonly #state: ClusterState;
  readonly #nodeOnly: PlannedFilter[] = [];
  readonly #others: PlannedFilter[] = [];
  /** Filters that may refuse a node in the decision at hand. */
  readonly #active: PlannedFilter[] = [];
  #activeNodeOnly: readonly PlannedFilter[] | undefined;
  #verdicts = new Uint8Array(0);
  #verdictsVersion = -1;

  constructor(of: {
    state: ClusterState;
    profile: PodProfile;
    plugins: readonly EnabledPlugin[];
  }) {
    const { state, profile, plugins } = of;
    this.#state = state;
    const scorers: { weight: number; scorer: NodeScorer }[] = [];
    for (const { plugin, scoreWeight } of plugins) {
      const filter = plugin.filter?.({ state, profile });
      if (filter) {
        (filter.nodeOnly ? this.#nodeOnly : this.#others).push({ plugin: plugin.name, filter });
      }
      const scorer = scoreWeight > 0 ? plugin.score?.({ state, profile }) : undefined;
      if (scorer) scorers.push({ weight: scoreWeight, scorer });
    }
    this.scorers = scorers;
  }

  [Symbol.dispose](): void {
    for (const { filter } of [...this.#nodeOnly, ...this.#others]) filter[Symbol.dispose]?.();
    for (const { scorer } of this.scorers) scorer[Symbol.dispose]?.();
  }

  /** Gets ready for one decision; a refusal means that no node will do. */
  begin(pod: PodRecord): NodeRefusal | undefined {
    const refusal = this.beginAgain(pod);
    if (refusal) return refusal;
    this.#activeNodeOnly ??= this.#nodeOnly.filter(({ filter }) => filter.begin(pod) === true);
    this.#refreshVerdicts();
    return undefined;
  }

  /** Takes over changes of placed pods within one decision. */
  beginAgain(pod: PodRecord): NodeRefusal | undefined {
    const active = this.#active;
    active.length = 0;
    for (const planned of this.#others) {
      const begun = planned.filter.begin(pod);
      if (begun === true) active.push(planned);
      else if (begun !== false) return { plugin: planned.plugin, ...begun };
    }
    return undefined;
  }

  passes(slot: number): boolean {
    const verdict = this.#verdicts[slot];
    if (verdict !== PASSES) {
      if (verdict !== UNKNOWN) return false;
      const failed = this.#activeNodeOnly?.some(({ filter }) => filter.test(slot) !== 0);
      this.#verdicts[slot] = failed ? 2 : PASSES;
      if (failed) return false;
    }
    const active = this.#active;
    for (let at = 0; at < active.length; at++) {
      if ((active[at] as PlannedFilter).filter.test(slot) !== 0) return false;
    }
    return true;
  }

  /** Why `passes` is false, from the first filter that says so. */
  refusal(slot: number): NodeRefusal | undefined {
    for (const filters of [this.#activeNodeOnly ?? [], this.#active]) {
      for (const { plugin, filter } of filters) {
        const code = filter.test(slot);
        if (code !== 0) return { plugin, ...filter.explain(code) };
      }
    }
    return undefined;
  }

  #refreshVerdicts(): void {
    const { nodesVersion, nodeVersions } = this.#state;
    if (this.#verdictsVersion === nodesVersion) return;
    if (this.#verdicts.length < nodeVersions.length) {
      this.#verdicts = new Uint8Array(nodeVersions.length);
    } else {
      for (let slot = 0; slot < nodeVersions.length; slot++) {
        if ((nodeVersions[slot] as number) > this.#verdictsVersion) this.#verdicts[slot] = UNKNOWN;
      }
    }
    this.#verdictsVersion = nodesVersion;
  }
}
