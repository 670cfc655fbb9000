import type { Pod, TopologySpreadConstraint } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector } from "../../lib/labels.ts";
import { byLabelKeys, type PodSelector, podSelector } from "./pod-selector.ts";

/** A compiled topology spread constraint. */
export interface SpreadConstraint {
  selector: PodSelector;
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  honorAffinity: boolean;
  honorTaints: boolean;
}

/** The pod's own constraints; hard ones filter, soft ones score. */
export function spreadConstraints(pod: Pod): {
  hard: readonly SpreadConstraint[];
  soft: readonly SpreadConstraint[];
} {
  const own = pod.spec?.topologySpreadConstraints ?? [];
  const isHard = (one: TopologySpreadConstraint) => one.whenUnsatisfiable !== "ScheduleAnyway";
  return {
    hard: own.filter(isHard).map((one) => compileSpread(one, pod)),
    soft: own.filter((one) => !isHard(one)).map((one) => compileSpread(one, pod)),
  };
}

function compileSpread(one: TopologySpreadConstraint, pod: Pod): SpreadConstraint {
  const labels = pod.metadata?.labels ?? {};
  const requirements = one.labelSelector
    ? [
        ...(compileLabelSelector(one.labelSelector) ?? []),
        ...byLabelKeys(one.matchLabelKeys, labels),
      ]
    : undefined;
  return {
    selector: podSelector({ namespaces: [pod.metadata?.namespace ?? ""], requirements }),
    topologyKey: one.topologyKey ?? "",
    maxSkew: one.maxSkew ?? 1,
    minDomains: one.minDomains ?? 1,
    honorAffinity: (one.nodeAffinityPolicy ?? "Honor") === "Honor",
    honorTaints: one.nodeTaintsPolicy === "Honor",
  };
}

/** Kinds whose pods are alike and spread by default; a Job's or DaemonSet's are not. */
const SPREAD_OWNERS: ReadonlySet<string> = new Set([
  "ReplicaSet",
  "ReplicationController",
  "StatefulSet",
]);

/**
 * The pods that default constraints balance: those of the same controller. (Upstream derives a
 * selector from the controller's and from Services; it names the same pods.)
 */
export function defaultSpreadSelector(pod: Pod): PodSelector | undefined {
  const owner = pod.metadata?.ownerReferences?.find((one) => one.controller === true);
  if (!owner?.uid || !SPREAD_OWNERS.has(owner.kind ?? "")) return undefined;
  return podSelector({ namespaces: [pod.metadata?.namespace ?? ""], ownerUid: owner.uid });
}
