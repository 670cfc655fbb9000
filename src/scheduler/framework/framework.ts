import type { PodProfile } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import { type BindingPlugins, bindingPlugins } from "./binding-plugins.ts";
import { type EnabledPlugin, Plan } from "./plan.ts";

/** Plans that are kept; the one that was not needed for longest makes room. */
const PLANS_MAX = 256;
const PLANS_MIN = 16;
/** A plan remembers a few numbers per slot: with many nodes fewer plans are kept. */
const SLOTS_MAX = 2 ** 20;

/** What one scheduler name schedules with. */
export interface FrameworkOptions {
  schedulerName: string;
  plugins: readonly EnabledPlugin[];
  /** Share of the nodes that is enough to choose among, 1 to 100; 0 lets their number decide. */
  percentageOfNodesToScore: number;
}

/** The plugins of one scheduler name over one state, with the plans of recent profiles. */
export class Framework implements Disposable {
  readonly schedulerName: string;
  readonly percentageOfNodesToScore: number;
  readonly plugins: readonly EnabledPlugin[];
  readonly binding: BindingPlugins;
  readonly state: ClusterState;
  /** Space for one decision, reused by the next. */
  readonly scratch: Scratch = new Scratch();
  readonly #plans = new Map<PodProfile, Plan>();

  constructor(state: ClusterState, options: FrameworkOptions) {
    this.state = state;
    this.schedulerName = options.schedulerName;
    this.plugins = options.plugins;
    this.binding = bindingPlugins(options.plugins);
    this.percentageOfNodesToScore = options.percentageOfNodesToScore;
  }

  planFor(profile: PodProfile): Plan {
    let plan = this.#plans.get(profile);
    if (plan?.isOutdated()) {
      this.#plans.delete(profile);
      plan[Symbol.dispose]();
      plan = undefined;
    }
    if (plan) {
      if (this.#plans.size === 1) return plan;
      this.#plans.delete(profile);
    } else {
      plan = new Plan({ state: this.state, profile, plugins: this.plugins });
      if (this.#plans.size >= this.#plansMax()) this.#dropOldest();
    }
    this.#plans.set(profile, plan);
    return plan;
  }

  [Symbol.dispose](): void {
    for (const plan of this.#plans.values()) plan[Symbol.dispose]();
    this.#plans.clear();
  }

  #plansMax(): number {
    const fitting = Math.floor(SLOTS_MAX / Math.max(1, this.state.size));
    return Math.max(PLANS_MIN, Math.min(PLANS_MAX, fitting));
  }

  #dropOldest(): void {
    for (const [profile, plan] of this.#plans) {
      this.#plans.delete(profile);
      plan[Symbol.dispose]();
      return;
    }
  }
}

/** Arrays as long as there are slots. */
class Scratch {
  feasible: Int32Array = new Int32Array(0);
  totals: Float64Array = new Float64Array(0);

  ensure(size: number): void {
    if (this.feasible.length >= size) return;
    this.feasible = new Int32Array(size);
    this.totals = new Float64Array(size);
  }
}
