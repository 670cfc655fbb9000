import type { Affinity, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector, type Labels } from "../../lib/labels.ts";
import { byLabelKeys, type PodSelector, podSelector } from "./pod-selector.ts";

/** A compiled (anti-)affinity term. */
export interface AffinityTerm {
  selector: PodSelector;
  topologyKey: string;
  weight: number;
}

/** What a pod asks about other pods; the kinds are told apart wherever terms are kept. */
export interface PodAffinities {
  affinity: readonly AffinityTerm[];
  antiAffinity: readonly AffinityTerm[];
  preferredAffinity: readonly AffinityTerm[];
  preferredAntiAffinity: readonly AffinityTerm[];
}

interface Own {
  namespace: string;
  labels: Labels;
}

/** Compiles the terms about other pods. */
export function podAffinities(spec: Affinity | undefined, own: Own): PodAffinities {
  const { podAffinity, podAntiAffinity } = spec ?? {};
  const required = (list: readonly PodAffinityTerm[] | undefined) =>
    (list ?? []).map((term) => affinityTerm(term, { ...own, weight: 1 }));
  const preferred = (
    list: readonly { weight?: number; podAffinityTerm?: PodAffinityTerm }[] | undefined,
  ) =>
    (list ?? []).map(({ weight = 1, podAffinityTerm }) =>
      affinityTerm(podAffinityTerm ?? { topologyKey: "" }, { ...own, weight }),
    );
  return {
    affinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(
      podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    ),
  };
}

function affinityTerm(term: PodAffinityTerm, of: Own & { weight: number }): AffinityTerm {
  const listed = term.namespaces ?? [];
  const namespaces = listed.length > 0 || term.namespaceSelector ? listed : [of.namespace];
  const requirements = [
    ...(compileLabelSelector(term.labelSelector) ?? []),
    ...byLabelKeys(term.matchLabelKeys, { labels: of.labels, operator: "In" }),
    ...byLabelKeys(term.mismatchLabelKeys, { labels: of.labels, operator: "NotIn" }),
  ];
  const selector = podSelector({
    namespaces,
    namespaceSelector: term.namespaceSelector,
    requirements: term.labelSelector ? requirements : undefined,
  });
  return { selector, topologyKey: term.topologyKey ?? "", weight: of.weight };
}
