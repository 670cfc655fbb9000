import type { ClusterState, NodeEntry } from "./cluster-state.ts";
import { spreadCounts } from "./filters.ts";
import type { AffinityTerm, PodProfile, PodSelector } from "./pod-profile.ts";
import { isTolerated } from "../api/taint.ts";

/** Highest score a part may give before its weight. */
const SCORE_MAX = 100;
const MIB = 1024 * 1024;
const IMAGE_SMALL_BYTES = 23 * MIB;
const IMAGE_LARGE_BYTES = 1000 * MIB;

/** One opinion on feasible slots: scores 0..100 in the same order, and its weight. */
interface Opinion {
  weight: number;
  scores: readonly number[];
}

/** Weighted sums of all opinions, in the order of `slots`. Weights are upstream's. */
export function scoreSlots(
  state: ClusterState,
  pod: PodProfile,
  slots: readonly number[],
): number[] {
  const opinions = [
    leastAllocated(state, pod, slots),
    balancedAllocation(state, pod, slots),
    taintPreference(state, pod, slots),
    nodePreference(state, pod, slots),
    imageLocality(state, pod, slots),
    softSpread(state, pod, slots),
    podPreference(state, pod, slots),
  ];
  const sums = slots.map(() => 0);
  for (const opinion of opinions) {
    if (!opinion) continue;
    for (let at = 0; at < sums.length; at++) {
      sums[at] = (sums[at] ?? 0) + opinion.weight * (opinion.scores[at] ?? 0);
    }
  }
  return sums;
}

type Scorer = (
  state: ClusterState,
  pod: PodProfile,
  slots: readonly number[],
) => Opinion | undefined;

const leastAllocated: Scorer = (state, pod, slots) => {
  const parts = (["cpu", "memory"] as const).map((resource) => ({
    allocatable: state.allocatable.get(resource),
    used: state.scored[resource],
    wanted: pod.scored.get(resource) ?? 0,
  }));
  const scores = slots.map((slot) => {
    let sum = 0;
    let known = 0;
    for (const { allocatable, used, wanted } of parts) {
      const all = allocatable?.[slot] ?? 0;
      if (all === 0) continue;
      const after = (used[slot] ?? 0) + wanted;
      known++;
      if (after < all) sum += Math.floor(((all - after) * SCORE_MAX) / all);
    }
    return known === 0 ? 0 : Math.floor(sum / known);
  });
  return { weight: 1, scores };
};

const balancedAllocation: Scorer = (state, pod, slots) => {
  const parts = ["cpu", "memory"].map((resource) => ({
    allocatable: state.allocatable.get(resource),
    used: state.requested.get(resource),
    wanted: pod.requests.get(resource) ?? 0,
  }));
  const scores = slots.map((slot) => {
    const fractions = parts.map(({ allocatable, used, wanted }) => {
      const all = allocatable?.[slot] ?? 0;
      return all === 0 ? 1 : Math.min(1, ((used?.[slot] ?? 0) + wanted) / all);
    });
    const deviation = Math.abs((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2;
    return Math.floor((1 - deviation) * SCORE_MAX);
  });
  return { weight: 1, scores };
};

const taintPreference: Scorer = (state, pod, slots) => {
  const counts = slots.map((slot) => {
    const { taints } = state.nodes[slot] as NodeEntry;
    return taints.filter(
      (taint) => taint.effect === "PreferNoSchedule" && !isTolerated(taint, pod.tolerations),
    ).length;
  });
  return normalized({ weight: 3, scores: counts }, "fewer");
};

const nodePreference: Scorer = (state, pod, slots) => {
  if (pod.preferredNodes.length === 0) return undefined;
  const sums = slots.map((slot) => {
    const { labels, name } = state.nodes[slot] as NodeEntry;
    return pod.preferredNodes.reduce(
      (sum, { weight, test }) => sum + (test(labels, name) ? weight : 0),
      0,
    );
  });
  return normalized({ weight: 2, scores: sums }, "more");
};

const imageLocality: Scorer = (state, pod, slots) => {
  const total = state.live.length;
  const spread = pod.images.map(
    (image) => state.live.filter((slot) => state.nodes[slot]?.images.has(image)).length / total,
  );
  if (spread.every((share) => share === 0)) return undefined;
  const large = IMAGE_LARGE_BYTES * pod.images.length;
  const scores = slots.map((slot) => {
    const { images } = state.nodes[slot] as NodeEntry;
    const bytes = pod.images.reduce(
      (sum, image, at) => sum + (images.get(image) ?? 0) * (spread[at] ?? 0),
      0,
    );
    const capped = Math.max(IMAGE_SMALL_BYTES, Math.min(bytes, large));
    return Math.floor((SCORE_MAX * (capped - IMAGE_SMALL_BYTES)) / (large - IMAGE_SMALL_BYTES));
  });
  return { weight: 1, scores };
};

const softSpread: Scorer = (state, pod, slots) => {
  const own = pod.spreadSoft;
  if (own.length === 0) return undefined;
  const keys = own.map(({ topologyKey }) => topologyKey);
  const rules = own.map((constraint) => {
    // A default constraint on a label that no node carries says nothing.
    const perValue = spreadCounts(state, { pod, constraint, keys: [constraint.topologyKey] });
    return {
      values: state.topology(constraint.topologyKey),
      perValue,
      factor: Math.log(perValue.size + 2),
      slack: constraint.maxSkew - 1,
    };
  });
  if (keys.length > 0 && rules.every(({ perValue }) => perValue.size === 0)) return undefined;
  const costs = slots.map((slot) =>
    rules.reduce((sum, { values, perValue, factor, slack }) => {
      const value = values[slot];
      return value === undefined ? sum : sum + (perValue.get(value) ?? 0) * factor + slack;
    }, 0),
  );
  const most = Math.max(...costs);
  const least = Math.min(...costs);
  const scores = costs.map((cost) =>
    most === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (most + least - cost)) / most),
  );
  return { weight: 2, scores };
};

const podPreference: Scorer = (state, pod, slots) => {
  const sums = slots.map(() => 0);
  const add = (term: AffinityTerm, of: { counts: readonly number[]; factor: number }) => {
    const values = state.topology(term.topologyKey);
    const perValue = new Map<string, number>();
    for (const slot of state.live) {
      const value = values[slot];
      const count = of.counts[slot] ?? 0;
      if (value !== undefined && count > 0) perValue.set(value, (perValue.get(value) ?? 0) + count);
    }
    slots.forEach((slot, at) => {
      const value = values[slot];
      if (value !== undefined) sums[at] = (sums[at] ?? 0) + (perValue.get(value) ?? 0) * of.factor;
    });
  };
  const counts = (selector: PodSelector) => state.countsOf(selector);
  for (const term of pod.preferredAffinity) {
    add(term, { counts: counts(term.selector), factor: term.weight });
  }
  for (const term of pod.preferredAntiAffinity) {
    add(term, { counts: counts(term.selector), factor: -term.weight });
  }
  // What pods that are there already prefer, about this one.
  for (const { term, kind, counts: placed } of state.placedTerms.values()) {
    if (kind === "antiAffinity" || !state.selects(term.selector, pod)) continue;
    const factor = kind === "preferredAntiAffinity" ? -term.weight : term.weight;
    add(term, { counts: placed, factor });
  }
  const least = Math.min(...sums);
  const range = Math.max(...sums) - least;
  if (range === 0) return undefined;
  const scores = sums.map((sum) => Math.floor((SCORE_MAX * (sum - least)) / range));
  return { weight: 2, scores };
};

/** Stretches raw numbers to 0..100 by their maximum. */
function normalized(raw: Opinion, better: "more" | "fewer"): Opinion | undefined {
  const most = Math.max(...raw.scores);
  if (most === 0) return undefined;
  const scores = raw.scores.map((score) => {
    const scaled = Math.floor((score * SCORE_MAX) / most);
    return better === "more" ? scaled : SCORE_MAX - scaled;
  });
  return { weight: raw.weight, scores };
}
