import {
  SCORE_MAX,
  type ScoreOutput,
  type NodeFilter,
  type NodeScorer,
  type PluginContext,
  type SchedulerPlugin,
} from "../framework/contract.ts";
import { affinityHint } from "./inter-pod-affinity-hint.ts";
import type { AffinityTerm } from "../pod/affinity-terms.ts";
import { intersection } from "../pod/pod-selector.ts";
import type { ClusterState, Tally } from "../state/cluster-state.ts";
import type { PlacedTerm } from "../state/placed-terms.ts";
import type { DomainCounts } from "../state/pod-counts.ts";

/** Arguments of the plugin, as in `InterPodAffinityArgs`. */
export interface InterPodAffinityArgs {
  hardPodAffinityWeight?: number;
  ignorePreferredTermsOfExistingPods?: boolean;
}

const UNMATCHED = 1;
const REPELLED = 2;
const UNWELCOME = 3;
const REASONS = [
  "",
  "node(s) didn't match pod affinity rules",
  "node(s) didn't match pod anti-affinity rules",
  "node(s) didn't satisfy existing pods anti-affinity rules",
];

/** Pods that want to be near other pods, or away from them, and those that others want away. */
export function interPodAffinity(args: InterPodAffinityArgs = {}): SchedulerPlugin {
  return {
    name: "InterPodAffinity",
    filter: (context) => affinityFilter(context),
    score: (context) => affinityScorer(context, args),
    hint: affinityHint,
  };
}

/** A domain view of a term, ready to be asked per slot. */
interface Rule {
  view: DomainCounts;
  ids: Int32Array;
  perDomain: Int32Array;
}

function ruleOf(view: DomainCounts): Rule {
  return { view, ids: view.column.ids, perDomain: view.current() };
}

function refresh(rule: Rule): void {
  rule.perDomain = rule.view.current();
  rule.ids = rule.view.column.ids;
}

/** The placed terms of some kinds that mean the pod, found again when terms come or go. */
class TermsAboutPod implements Disposable {
  readonly #context: PluginContext;
  readonly #kinds: readonly PlacedTerm["kind"][];
  #found: { rule: Rule; placed: PlacedTerm }[] = [];
  #version = -1;

  constructor(context: PluginContext, kinds: readonly PlacedTerm["kind"][]) {
    this.#context = context;
    this.#kinds = kinds;
  }

  current(): readonly { rule: Rule; placed: PlacedTerm }[] {
    const { state, profile } = this.#context;
    if (this.#version !== state.placedTerms.version) {
      this.#version = state.placedTerms.version;
      this[Symbol.dispose]();
      state.placedTerms.candidates(profile, (placed) => {
        if (!this.#kinds.includes(placed.kind)) return;
        if (!state.selects(placed.selector, profile)) return;
        const view = placed.counts.view(state.column(placed.term.topologyKey));
        this.#found.push({ placed, rule: ruleOf(view) });
      });
    }
    for (const { rule } of this.#found) refresh(rule);
    return this.#found;
  }

  [Symbol.dispose](): void {
    for (const { rule } of this.#found) rule.view[Symbol.dispose]();
    this.#found = [];
  }
}

/** Tallies of the pod's own terms; released together. */
class OwnTerms implements Disposable {
  readonly #state: ClusterState;
  readonly #tallies: Tally[] = [];
  readonly #views: DomainCounts[] = [];

  constructor(state: ClusterState) {
    this.#state = state;
  }

  rule(selector: AffinityTerm["selector"], topologyKey: string): Rule {
    const tally = this.#state.acquireTally(selector, { withTerminating: true });
    const view = tally.counts.view(this.#state.column(topologyKey));
    this.#tallies.push(tally);
    this.#views.push(view);
    return ruleOf(view);
  }

  [Symbol.dispose](): void {
    for (const view of this.#views) view[Symbol.dispose]();
    for (const tally of this.#tallies) this.#state.releaseTally(tally);
  }
}

function affinityFilter(context: PluginContext): NodeFilter {
  const { state, profile } = context;
  const own = new OwnTerms(state);
  // A pod is a partner only if it matches every affinity term; each anti-affinity term is its own.
  const partners = intersection(profile.affinity.map(({ selector }) => selector));
  const wanted = profile.affinity.map(({ topologyKey }) => own.rule(partners, topologyKey));
  const unwanted = profile.antiAffinity.map(({ selector, topologyKey }) =>
    own.rule(selector, topologyKey),
  );
  const others = new TermsAboutPod(context, ["antiAffinity"]);
  let repelling: readonly { rule: Rule }[] = [];
  let isFirst = false;
  return {
    begin() {
      wanted.forEach(refresh);
      unwanted.forEach(refresh);
      repelling = others.current();
      // The first pod of a group that wants to be together may go anywhere.
      isFirst = wanted.every(({ view }) => view.total === 0) && state.selects(partners, profile);
      return wanted.length + unwanted.length + repelling.length > 0;
    },
    test(slot) {
      for (const { ids, perDomain } of wanted) {
        const domain = ids[slot] as number;
        if (domain < 0 || (!isFirst && perDomain[domain] === 0)) return UNMATCHED;
      }
      for (const { ids, perDomain } of unwanted) {
        const domain = ids[slot] as number;
        if (domain >= 0 && (perDomain[domain] as number) > 0) return REPELLED;
      }
      for (const { rule } of repelling) {
        const domain = rule.ids[slot] as number;
        if (domain >= 0 && (rule.perDomain[domain] as number) > 0) return UNWELCOME;
      }
      return 0;
    },
    explain: (code) => ({
      reasons: [REASONS[code] ?? ""],
      unresolvable: code === UNMATCHED,
    }),
    [Symbol.dispose]() {
      own[Symbol.dispose]();
      others[Symbol.dispose]();
    },
  };
}

function affinityScorer(context: PluginContext, args: InterPodAffinityArgs): NodeScorer {
  const { state, profile } = context;
  const hardWeight = args.hardPodAffinityWeight ?? 1;
  const own = new OwnTerms(state);
  const weighted = (terms: readonly AffinityTerm[], sign: 1 | -1) =>
    terms.map(({ selector, topologyKey, weight }) => ({
      rule: own.rule(selector, topologyKey),
      factor: sign * weight,
    }));
  const preferences = [
    ...weighted(profile.preferredAffinity, 1),
    ...weighted(profile.preferredAntiAffinity, -1),
  ];
  const kinds: PlacedTerm["kind"][] = hardWeight > 0 ? ["affinity"] : [];
  if (!args.ignorePreferredTermsOfExistingPods) {
    kinds.push("preferredAffinity", "preferredAntiAffinity");
  }
  const others = new TermsAboutPod(context, kinds);
  const factorOf = ({ kind, term }: PlacedTerm) => {
    if (kind === "affinity") return hardWeight;
    return kind === "preferredAntiAffinity" ? -term.weight : term.weight;
  };
  let sums = new Float64Array(0);
  return {
    addScores(_pod, slots, out) {
      const rules = [
        ...preferences,
        ...others.current().map(({ rule, placed }) => ({ rule, factor: factorOf(placed) })),
      ];
      if (rules.length === 0) return;
      if (sums.length < slots.length) sums = new Float64Array(slots.length);
      const { count } = out;
      sums.fill(0, 0, count);
      for (const { rule, factor } of rules) {
        refresh(rule);
        const { ids, perDomain } = rule;
        for (let at = 0; at < count; at++) {
          const domain = ids[slots[at] as number] as number;
          if (domain >= 0) sums[at] = (sums[at] as number) + (perDomain[domain] as number) * factor;
        }
      }
      addStretched(sums, out);
    },
    [Symbol.dispose]() {
      own[Symbol.dispose]();
      others[Symbol.dispose]();
    },
  };
}

/** From the least sum to the most becomes 0 to 100. */
function addStretched(sums: Float64Array, { count, weight, totals }: ScoreOutput): void {
  let most = Number.NEGATIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const sum = sums[at] as number;
    if (sum > most) most = sum;
    if (sum < least) least = sum;
  }
  const range = most - least;
  if (range === 0) return;
  for (let at = 0; at < count; at++) {
    const score = Math.floor(SCORE_MAX * (((sums[at] as number) - least) / range));
    totals[at] = (totals[at] as number) + weight * score;
  }
}
