import type { TopologySpreadConstraint } from "../../api/generated/types/core-v1.ts";
import {
  SCORE_MAX,
  type NodeFilter,
  type NodeScorer,
  type PluginContext,
  type SchedulerPlugin,
} from "../framework/contract.ts";
import type { PodSelector } from "../pod/pod-selector.ts";
import type { PodProfile } from "../pod/pod-profile.ts";
import type { SpreadConstraint } from "../pod/spread-constraints.ts";
import { type SpreadCounts, spreadCounts } from "./spread-domains.ts";

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
  const byDefault = (profile: PodProfile, isHard: boolean) =>
    profile.defaultSpread
      ? defaults
          .filter((one) => (one.whenUnsatisfiable !== "ScheduleAnyway") === isHard)
          .map((one) => defaultConstraint(one, profile.defaultSpread as PodSelector))
      : [];
  const hard = (profile: PodProfile): Constraints => ({
    list: profile.defaultSpread ? byDefault(profile, true) : profile.spreadHard,
    everyKey: true,
  });
  const soft = (profile: PodProfile): Constraints => ({
    list: profile.defaultSpread ? byDefault(profile, false) : profile.spreadSoft,
    everyKey: !profile.defaultSpread || !isSystem,
  });
  return {
    name: "PodTopologySpread",
    filter: (context) => spreadFilter(context, hard(context.profile)),
    score: (context) => spreadScorer(context, soft(context.profile)),
    hint(event, { profile }, state) {
      const { list } = hard(profile);
      if (event.kind === "storage-changed") return false;
      if (event.kind === "node-added" || event.kind === "node-changed") {
        const labels = state.nodes[event.slot]?.labels ?? {};
        return list.every(({ topologyKey }) => labels[topologyKey] !== undefined);
      }
      return list.some(({ selector }) => state.selects(selector, event.pod.profile));
    },
  };
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
  const rules = list.map((constraint) => ({
    constraint,
    counts: spreadCounts(context, { constraint, list: everyKey ? list : [] }),
    ids: NONE,
    perDomain: NONE,
    seen: NONE,
    mark: 0,
  }));
  return {
    score(_pod, slots, { count, into }) {
      for (const rule of rules) {
        rule.perDomain = rule.counts.view.current();
        rule.ids = rule.counts.view.column.ids;
      }
      into.fill(0, 0, count);
      const counted = everyKey ? ignoreIncomplete(rules, { slots, count, into }) : count;
      for (const rule of rules) addCosts(rule, { slots, count, into, counted });
      return fromCosts(into, count);
    },
    [Symbol.dispose]: () => release(rules),
  };
}

/** Marks nodes without one of the keys with -1: they get no score. Returns how many are left. */
function ignoreIncomplete(
  rules: readonly ScoreRule[],
  of: { slots: Int32Array; count: number; into: Float64Array },
): number {
  let left = of.count;
  for (const { ids } of rules) {
    for (let at = 0; at < of.count; at++) {
      if ((ids[of.slots[at] as number] as number) >= 0 || of.into[at] === -1) continue;
      of.into[at] = -1;
      left--;
    }
  }
  return left;
}

interface ScoreRule {
  constraint: SpreadConstraint;
  ids: Int32Array;
  perDomain: Int32Array;
  seen: Int32Array;
  mark: number;
}

/** Adds what one constraint holds against each node. */
function addCosts(
  rule: ScoreRule,
  of: { slots: Int32Array; count: number; into: Float64Array; counted: number },
): void {
  const { slots, count, into } = of;
  const { ids, perDomain, constraint } = rule;
  const domains =
    constraint.topologyKey === HOSTNAME ? of.counted : domainsAmong(rule, { slots, count, into });
  const factor = Math.log(domains + 2);
  const slack = constraint.maxSkew - 1;
  for (let at = 0; at < count; at++) {
    if (into[at] === -1) continue;
    const domain = ids[slots[at] as number] as number;
    if (domain >= 0)
      into[at] = (into[at] as number) + (perDomain[domain] as number) * factor + slack;
  }
}

/** How many domains the nodes in question are in. */
function domainsAmong(
  rule: ScoreRule,
  of: { slots: Int32Array; count: number; into: Float64Array },
): number {
  if (rule.seen.length < rule.perDomain.length) rule.seen = new Int32Array(rule.perDomain.length);
  rule.mark++;
  let found = 0;
  for (let at = 0; at < of.count; at++) {
    const domain = rule.ids[of.slots[at] as number] as number;
    if (domain < 0 || of.into[at] === -1 || rule.seen[domain] === rule.mark) continue;
    rule.seen[domain] = rule.mark;
    found++;
  }
  return found;
}

/** The lower the cost, the higher the score; false when all are alike. */
function fromCosts(into: Float64Array, count: number): boolean {
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    if (into[at] === -1) continue;
    const cost = Math.round(into[at] as number);
    into[at] = cost;
    if (cost > most) most = cost;
    if (cost < least) least = cost;
  }
  let isAlike = true;
  for (let at = 0; at < count; at++) {
    const cost = into[at] as number;
    if (cost === -1) into[at] = 0;
    else if (most === 0) into[at] = SCORE_MAX;
    else into[at] = Math.floor((SCORE_MAX * (most + least - cost)) / most);
    if (into[at] !== into[0]) isAlike = false;
  }
  return !isAlike;
}
