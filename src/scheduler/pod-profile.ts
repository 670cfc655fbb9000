import type {
  Pod,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "../api/generated/types/core-v1.ts";
import { type NodeTest, requiredNodeTest, termTest } from "../api/node-affinity.ts";
import {
  compileLabelSelector,
  type LabelRequirement,
  type LabelRequirements,
  type Labels,
  type LabelSelectorSpec,
} from "../lib/labels.ts";
import {
  type Amounts,
  filteredRequests,
  podRequests,
  scoredRequests,
} from "./resource-requests.ts";

/** A port of the node that a container binds. */
export interface HostPort {
  protocol: string;
  port: number;
  ip: string;
}

/** A set of pods: those of some namespaces that a selector matches. `key` tells sets apart. */
export interface PodSelector {
  key: string;
  namespaces: readonly string[];
  /** Adds namespaces by their labels; undefined adds none. */
  namespaceSelector: LabelRequirements | undefined;
  requirements: LabelRequirements | undefined;
  /** Set instead of `requirements`: pods of one controller. */
  ownerUid?: string;
}

/** A compiled (anti-)affinity term. */
export interface AffinityTerm {
  selector: PodSelector;
  topologyKey: string;
  weight: number;
}

/** A compiled topology spread constraint. */
export interface SpreadConstraint {
  selector: PodSelector;
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  honorAffinity: boolean;
  honorTaints: boolean;
}

/** A pod compiled once into what filters and scores ask for again and again. */
export interface PodProfile {
  uid: string;
  namespace: string;
  name: string;
  labels: Labels;
  ownerUid: string | undefined;
  terminating: boolean;
  priority: number;
  requests: Amounts;
  scored: Amounts;
  images: readonly string[];
  hostPorts: readonly HostPort[];
  tolerations: readonly Toleration[];
  /** From `spec.nodeName` of a pod that still has to be admitted there. */
  nodeName: string | undefined;
  /** `nodeSelector` and required node affinity; undefined accepts every node. */
  fitsNode: NodeTest | undefined;
  preferredNodes: readonly { weight: number; test: NodeTest }[];
  spreadHard: readonly SpreadConstraint[];
  spreadSoft: readonly SpreadConstraint[];
  affinity: readonly AffinityTerm[];
  antiAffinity: readonly AffinityTerm[];
  preferredAffinity: readonly AffinityTerm[];
  preferredAntiAffinity: readonly AffinityTerm[];
}

/** Compiles a pod. @throws LabelSelectorError for a selector that validation let through */
export function profileOf(pod: Pod): PodProfile {
  const spec = pod.spec;
  const namespace = pod.metadata?.namespace ?? "";
  const labels = pod.metadata?.labels ?? {};
  const owner = pod.metadata?.ownerReferences?.find((one) => one.controller === true);
  const { podAffinity, podAntiAffinity, nodeAffinity } = spec?.affinity ?? {};
  const terms = (list: readonly PodAffinityTerm[] | undefined) =>
    (list ?? []).map((term) => affinityTerm(term, { namespace, labels, weight: 1 }));
  const weighted = (
    list: readonly { weight?: number; podAffinityTerm?: PodAffinityTerm }[] | undefined,
  ) =>
    (list ?? []).map(({ weight = 1, podAffinityTerm }) =>
      affinityTerm(podAffinityTerm ?? { topologyKey: "" }, { namespace, labels, weight }),
    );
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const spread = spreadConstraints(pod, owner?.uid);
  return {
    uid: pod.metadata?.uid ?? "",
    namespace,
    name: pod.metadata?.name ?? "",
    labels,
    ownerUid: owner?.uid,
    terminating: pod.metadata?.deletionTimestamp !== undefined,
    priority: spec?.priority ?? 0,
    requests: podRequests(pod, filteredRequests),
    scored: podRequests(pod, scoredRequests),
    images: (spec?.containers ?? []).map(({ image = "" }) => image),
    hostPorts: containers
      .flatMap(({ ports }) => ports ?? [])
      .filter(({ hostPort }) => (hostPort ?? 0) > 0)
      .map(({ hostPort = 0, protocol = "TCP", hostIP }) => ({
        port: hostPort,
        protocol,
        ip: hostIP || "0.0.0.0",
      })),
    tolerations: spec?.tolerations ?? [],
    nodeName: spec?.nodeName || undefined,
    fitsNode: requiredNodeTest(
      spec?.nodeSelector,
      nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    ),
    preferredNodes: (nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, preference }) => ({ weight, test: termTest(preference) }),
    ),
    spreadHard: spread.hard,
    spreadSoft: spread.soft,
    affinity: terms(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: terms(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: weighted(
      podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    ),
  };
}

function affinityTerm(
  term: PodAffinityTerm,
  of: { namespace: string; labels: Labels; weight: number },
): AffinityTerm {
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

function byLabelKeys(
  keys: readonly string[] | undefined,
  of: { labels: Labels; operator: "In" | "NotIn" },
): LabelRequirement[] {
  return (keys ?? []).flatMap((key) => {
    const value = of.labels[key];
    return value === undefined ? [] : [{ key, operator: of.operator, values: [value] }];
  });
}

function podSelector(of: {
  namespaces: readonly string[];
  namespaceSelector?: LabelSelectorSpec | undefined;
  requirements: LabelRequirements | undefined;
  ownerUid?: string;
}): PodSelector {
  const namespaceSelector = compileLabelSelector(of.namespaceSelector);
  const key = JSON.stringify([
    of.namespaces,
    namespaceSelector ?? null,
    of.requirements ?? null,
    of.ownerUid ?? null,
  ]);
  const { namespaces, requirements, ownerUid } = of;
  const owned = ownerUid === undefined ? {} : { ownerUid };
  return { key, namespaces, namespaceSelector, requirements, ...owned };
}

const DEFAULT_SPREAD: readonly [topologyKey: string, maxSkew: number][] = [
  ["topology.kubernetes.io/zone", 3],
  ["kubernetes.io/hostname", 5],
];

/**
 * The pod's own constraints, or the default ones: pods of one controller spread softly over zones
 * and nodes. (Upstream derives the default selector from Services and workloads; the controller
 * itself names the same pods.)
 */
function spreadConstraints(
  pod: Pod,
  ownerUid: string | undefined,
): { hard: SpreadConstraint[]; soft: SpreadConstraint[] } {
  const own = pod.spec?.topologySpreadConstraints ?? [];
  const namespaces = [pod.metadata?.namespace ?? ""];
  if (own.length > 0) {
    const labels = pod.metadata?.labels ?? {};
    const compile = (one: TopologySpreadConstraint): SpreadConstraint => ({
      selector: podSelector({
        namespaces,
        requirements: one.labelSelector
          ? [
              ...(compileLabelSelector(one.labelSelector) ?? []),
              ...byLabelKeys(one.matchLabelKeys, { labels, operator: "In" }),
            ]
          : undefined,
      }),
      topologyKey: one.topologyKey ?? "",
      maxSkew: one.maxSkew ?? 1,
      minDomains: one.minDomains ?? 1,
      honorAffinity: (one.nodeAffinityPolicy ?? "Honor") === "Honor",
      honorTaints: one.nodeTaintsPolicy === "Honor",
    });
    const isHard = (one: TopologySpreadConstraint) => one.whenUnsatisfiable !== "ScheduleAnyway";
    return {
      hard: own.filter(isHard).map(compile),
      soft: own.filter((one) => !isHard(one)).map(compile),
    };
  }
  if (ownerUid === undefined) return { hard: [], soft: [] };
  const selector = podSelector({ namespaces, requirements: [], ownerUid });
  const soft = DEFAULT_SPREAD.map(([topologyKey, maxSkew]) => ({
    selector,
    topologyKey,
    maxSkew,
    minDomains: 1,
    honorAffinity: true,
    honorTaints: false,
  }));
  return { hard: [], soft };
}
