import type { TopologySpreadConstraint } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector } from "../../lib/labels.ts";
import {
  SCORE_MAX,
  type ScoreOutput,
  type NodeFilter,
  type NodeScorer,
  type PluginContext,
  type SchedulerPlugin,
} from "../framework/contract.ts";
import { type PodSelector, podSelector } from "../pod/pod-selector.ts";
import type { PodProfile } from "../pod/pod-profile.ts";
import type { SpreadConstraint } from "../pod/spread-constraints.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import { type SpreadCounts, spreadCounts } from "./spread-domains.ts";
import { spreadHint } from "./spread-hint.ts";

/** Arguments of the plugin, as in `PodTopologySpreadArgs`. */
export interface PodTopologySpreadArgs {
  defaultConstraints?: readonly TopologySpreadConstraint[];
  defaultingType?: "System" | "List";
}

const HOSTNAME = "kubernetes.io/hostname";
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, maxSkew: 3, whenUnsatisfiable: "ScheduleAnyway" },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, whenUnsatisfiable: "ScheduleAnyway" },
];
const REASON = "node(s) didn't match pod topology spread constraints";

/** Constraints of one kind for one profile. */
interface Constraints {
  list: readonly SpreadConstraint[];
  /** Only nodes that carry every key count. System defaults do not ask for that. */
  everyKey: boolean;
}

/** Spreads the pods that a constraint selects over the domains of a label. */
export function podTopologySpread(args: PodTopologySpreadArgs = {}): SchedulerPlugin {
  const isSystem = args.defaultingType !== "List";
  const defaults = isSystem ? SYSTEM_DEFAULTS : (args.defaultConstraints ?? []);
  const byDefault = (selector: PodSelector, isHard: boolean) =>
    defaults
      .filter((one) => (one.whenUnsatisfiable !== "ScheduleAnyway") === isHard)
      .map((one) => defaultConstraint(one, selector));
  const hard = ({ state, profile }: PluginContext): Constraints => {
    const selector = defaultSelector(state, profile);
    return { list: selector ? byDefault(selector, true) : profile.spreadHard, everyKey: true };
  };
  const soft = ({ state, profile }: PluginContext): Constraints => {
    const selector = defaultSelector(state, profile);
    return selector
      ? { list: byDefault(selector, false), everyKey: !isSystem }
      : { list: profile.spreadSoft, everyKey: true };
  };
  return {
    name: "PodTopologySpread",
    filter: (context) => spreadFilter(context, hard(context)),
    score: (context) => spreadScorer(context, soft(context)),
    hint(event, { profile }, state) {
      const { list } = hard({ state, profile });
      return spreadHint(event, { list, profile, state });
    },
  };
}

/** Whom default constraints spread: the pods of one controller, or those behind the Services. */
function defaultSelector(state: ClusterState, profile: PodProfile): PodSelector | undefined {
  if (!profile.spreadsByServices) return profile.defaultSpread;
  const matchLabels = state.services.of(profile.namespace, profile.labels);
  if (!matchLabels) return undefined;
  const requirements = compileLabelSelector({ matchLabels });
  return podSelector({ namespaces: [profile.namespace], requirements });
}

function defaultConstraint(one: TopologySpreadConstraint, selector: PodSelector): SpreadConstraint {
  return {
    selector,
    topologyKey: one.topologyKey ?? "",
    maxSkew: one.maxSkew ?? 1,
    minDomains: 1,
    honorAffinity: true,
    honorTaints: false,
  };
}

const MISSING = 2;
const NONE: Int32Array = new Int32Array(0);

function spreadFilter(
  context: PluginContext,
  { list, everyKey }: Constraints,
): NodeFilter | undefined {
  if (list.length === 0) return undefined;
  const { state, profile } = context;
  const rules = list.map((constraint) => ({
    constraint,
    counts: spreadCounts(context, { constraint, list: everyKey ? list : [] }),
    ids: NONE,
    perDomain: NONE,
    most: 0,
  }));
  return {
    begin() {
      for (const rule of rules) {
        const { constraint, counts } = rule;
        const least = counts.view.least();
        const enough = counts.view.domains >= constraint.minDomains && least !== Infinity;
        rule.perDomain = counts.view.current();
        rule.ids = counts.view.column.ids;
        const self = state.selects(constraint.selector, profile) ? 1 : 0;
        rule.most = (enough ? least : 0) + constraint.maxSkew - self;
      }
      return true;
    },
    test(slot) {
      for (const { ids, perDomain, most } of rules) {
        const domain = ids[slot] as number;
        if (domain < 0) return MISSING;
        if ((perDomain[domain] as number) > most) return 1;
      }
      return 0;
    },
    explain: (code) =>
      code === MISSING
        ? { reasons: [`${REASON} (missing required label)`], unresolvable: true }
        : { reasons: [REASON] },
    [Symbol.dispose]: () => release(rules),
  };
}

function release(rules: readonly { counts: SpreadCounts }[]): void {
  for (const { counts } of rules) counts[Symbol.dispose]();
}

function spreadScorer(
  context: PluginContext,
  { list, everyKey }: Constraints,
): NodeScorer | undefined {
  if (list.length === 0) return undefined;
  const rules = list.map(
    (constraint): ScoreRule => ({
      constraint,
      counts: spreadCounts(context, { constraint, list: everyKey ? list : [] }),
      ids: NONE,
      perDomain: NONE,
      factor: 0,
      slack: constraint.maxSkew - 1,
      seen: NONE,
      mark: 0,
    }),
  );
  let costs = new Float64Array(0);
  const table = new Float64Array(TABLE_MAX);
  return {
    addScores(_pod, slots, out) {
      if (costs.length < slots.length) costs = new Float64Array(slots.length);
      const { count } = out;
      costs.fill(0, 0, count);
      for (const rule of rules) {
        rule.perDomain = rule.counts.view.current();
        rule.ids = rule.counts.view.column.ids;
      }
      const counted = everyKey ? ignoreIncomplete(rules, { slots, count, costs }) : count;
      const of = { slots, count, costs };
      const nodes = everyKey ? 0 : context.state.live.length;
      for (const rule of rules) {
        const isHostname = rule.constraint.topologyKey === HOSTNAME;
        rule.factor = Math.log((isHostname ? counted : domainsAmong(rule, { ...of, nodes })) + 2);
      }
      const [first, second] = rules;
      if (first && second && rules.length === 2) addPairOfCosts(first, second, of);
      else for (const rule of rules) addCosts(rule, of);
      addFromCosts(costs, { ...out, table });
    },
    [Symbol.dispose]: () => release(rules),
  };
}

interface ScoreRule {
  constraint: SpreadConstraint;
  counts: SpreadCounts;
  ids: Int32Array;
  perDomain: Int32Array;
  /** What a pod in the domain weighs; more in larger clusters. */
  factor: number;
  slack: number;
  seen: Int32Array;
  mark: number;
}

/** Slots, and what is held against each so far. */
interface Costs {
  slots: Int32Array;
  count: number;
  /** IGNORED for a slot that lacks one of the keys: it gets no score. */
  costs: Float64Array;
}

const IGNORED = -1;

/** Marks slots that lack one of the keys. Returns how many are left. */
function ignoreIncomplete(rules: readonly ScoreRule[], of: Costs): number {
  const { slots, count, costs } = of;
  let left = count;
  for (const { ids } of rules) {
    for (let at = 0; at < count; at++) {
      if ((ids[slots[at] as number] as number) >= 0 || costs[at] === IGNORED) continue;
      costs[at] = IGNORED;
      left--;
    }
  }
  return left;
}

/** Adds what one constraint holds against each slot. */
function addCosts(rule: ScoreRule, { slots, count, costs }: Costs): void {
  const { ids, perDomain, factor, slack } = rule;
  for (let at = 0; at < count; at++) {
    const domain = ids[slots[at] as number] as number;
    const cost = costs[at] as number;
    if (domain < 0 || cost === IGNORED) continue;
    costs[at] = cost + (perDomain[domain] as number) * factor + slack;
  }
}

/** The same for two: the system's defaults are a pair, and most pods have no others. */
function addPairOfCosts(first: ScoreRule, second: ScoreRule, of: Costs): void {
  const { slots, count, costs } = of;
  const { ids, perDomain, factor, slack } = first;
  const { ids: ids2, perDomain: perDomain2, factor: factor2, slack: slack2 } = second;
  for (let at = 0; at < count; at++) {
    const slot = slots[at] as number;
    let cost = costs[at] as number;
    if (cost === IGNORED) continue;
    const domain = ids[slot] as number;
    if (domain >= 0) cost += (perDomain[domain] as number) * factor + slack;
    const domain2 = ids2[slot] as number;
    if (domain2 >= 0) cost += (perDomain2[domain2] as number) * factor2 + slack2;
    costs[at] = cost;
  }
}

/** How many domains the slots are in. Those in none are one of their own where `nodes` is given. */
function domainsAmong(rule: ScoreRule, of: Costs & { nodes: number }): number {
  const { slots, count, costs, nodes } = of;
  const { ids, perDomain } = rule;
  if (rule.seen.length < perDomain.length) rule.seen = new Int32Array(perDomain.length);
  const { seen } = rule;
  const mark = ++rule.mark;
  const { domains, members } = rule.counts.view.column;
  const most = domains + (members < nodes ? 1 : 0);
  let found = 0;
  let outside = 0;
  for (let at = 0; at < count && found + outside < most; at++) {
    const domain = ids[slots[at] as number] as number;
    if (domain < 0 && nodes > 0) outside = 1;
    if (domain < 0 || seen[domain] === mark || costs[at] === IGNORED) continue;
    seen[domain] = mark;
    found++;
  }
  return found + outside;
}

/** Costs in so small a range get their scores from a table. */
const TABLE_MAX = 256;

/** The lower the cost, the higher the score. */
function addFromCosts(costs: Float64Array, out: ScoreOutput & { table: Float64Array }): void {
  const { count } = out;
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const exact = costs[at] as number;
    if (exact === IGNORED) continue;
    const cost = Math.floor(exact + 0.5);
    costs[at] = cost;
    if (cost > most) most = cost;
    if (cost < least) least = cost;
  }
  if (least !== Number.POSITIVE_INFINITY) addBetween(costs, { ...out, most, least });
}

function addBetween(
  costs: Float64Array,
  out: ScoreOutput & { table: Float64Array; most: number; least: number },
): void {
  const { count, weight, totals, table, most, least } = out;
  const scoreOf = (cost: number) =>
    weight * (most === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (most + least - cost)) / most));
  const isNarrow = most - least < TABLE_MAX;
  if (isNarrow) for (let cost = least; cost <= most; cost++) table[cost - least] = scoreOf(cost);
  for (let at = 0; at < count; at++) {
    const cost = costs[at] as number;
    if (cost === IGNORED) continue;
    const score = isNarrow ? (table[cost - least] as number) : scoreOf(cost);
    totals[at] = (totals[at] as number) + score;
  }
}
