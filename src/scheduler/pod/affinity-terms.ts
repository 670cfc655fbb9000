import type { Affinity, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector } from "../../lib/labels.ts";
import { type PodSelector, podSelector } from "./pod-selector.ts";

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

/** Compiles the terms about other pods. */
export function podAffinities(spec: Affinity | undefined, namespace: string): PodAffinities {
  const { podAffinity, podAntiAffinity } = spec ?? {};
  const required = (list: readonly PodAffinityTerm[] | undefined) =>
    (list ?? []).map((term) => affinityTerm(term, { namespace, weight: 1 }));
  const preferred = (
    list: readonly { weight?: number; podAffinityTerm?: PodAffinityTerm }[] | undefined,
  ) =>
    (list ?? []).map(({ weight = 1, podAffinityTerm }) =>
      affinityTerm(podAffinityTerm ?? { topologyKey: "" }, { namespace, weight }),
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

function affinityTerm(
  term: PodAffinityTerm,
  of: { namespace: string; weight: number },
): AffinityTerm {
  const listed = term.namespaces ?? [];
  const namespaces = listed.length > 0 || term.namespaceSelector ? listed : [of.namespace];
  // matchLabelKeys and mismatchLabelKeys are in the selector since the pod was created.
  const selector = podSelector({
    namespaces,
    namespaceSelector: term.namespaceSelector,
    requirements: compileLabelSelector(term.labelSelector),
  });
  return { selector, topologyKey: term.topologyKey ?? "", weight: of.weight };
}
