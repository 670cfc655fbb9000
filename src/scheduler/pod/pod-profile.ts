import type { Container, Pod, Toleration } from "../../api/generated/types/core-v1.ts";
import { type NodeTest, requiredNodeTest, termTest } from "../../api/node-affinity.ts";
import type { Labels } from "../../lib/labels.ts";
import { type PodAffinities, podAffinities } from "./affinity-terms.ts";
import { type DiskUse, disksOf } from "./disk-uses.ts";
import type { PodSelector } from "./pod-selector.ts";
import {
  type Amounts,
  filteredRequests,
  podRequests,
  scoredRequests,
} from "./resource-requests.ts";
import {
  defaultSpreadSelector,
  type SpreadConstraint,
  spreadConstraints,
} from "./spread-constraints.ts";

/** A port of the node that a container binds. */
export interface HostPort {
  protocol: string;
  port: number;
  ip: string;
}

/**
 * What placement asks of a pod, compiled once. Pods of one template share a profile, and with it
 * everything that is worked out for it: the equivalence class.
 */
export interface PodProfile extends PodAffinities {
  namespace: string;
  labels: Labels;
  ownerUid: string | undefined;
  priority: number;
  preempts: boolean;
  requests: Amounts;
  /** Requests with stand-ins for absent ones; only scores read them. */
  scored: Amounts;
  /** Normalised names, one per container and init container. */
  images: readonly string[];
  hostPorts: readonly HostPort[];
  tolerations: readonly Toleration[];
  /** From `spec.nodeName` of a pod that still has to be admitted there. */
  nodeName: string | undefined;
  /** `nodeSelector` and required node affinity; undefined accepts every node. */
  fitsNode: NodeTest | undefined;
  /** Set when required affinity names its nodes, as a DaemonSet's pods do. */
  onlyNodes: ReadonlySet<string> | undefined;
  preferredNodes: readonly { weight: number; test: NodeTest }[];
  spreadHard: readonly SpreadConstraint[];
  spreadSoft: readonly SpreadConstraint[];
  /** Whom default constraints spread, for a pod without constraints of its own. */
  defaultSpread: PodSelector | undefined;
  /** Default constraints spread it with the pods behind the same Services, if there are any. */
  spreadsByServices: boolean;
  /** Claims by name, those of generic ephemeral volumes too. */
  claims: readonly string[];
  /** Disks that it uses without a claim. */
  disks: readonly DiskUse[];
}

/** One pod: its profile and what is its own. */
export interface PodRecord {
  uid: string;
  namespace: string;
  name: string;
  profile: PodProfile;
  terminating: boolean;
  /** The object as last seen; shared, never edited. */
  pod: Pod;
  /** Where the state counts this record; it counts one of a pod. */
  slot: number | undefined;
}

/** Profiles that are remembered; more only means that equal pods share less. */
const PROFILES_MAX = 2048;

/** Compiles pods and lets pods that ask for the same share one profile. */
export class ProfileTable {
  readonly #profiles = new Map<string, PodProfile>();
  #last: { pod: Pod; profile: PodProfile } | undefined;

  /** A pod that waits for a place. @throws LabelSelectorError as `profileOf` */
  recordOf(pod: Pod): PodRecord {
    return this.#record(pod, this.profileOf(pod));
  }

  /** A pod that has its place: the profile is the one that it waited with. */
  placedRecordOf(pod: Pod): PodRecord {
    if (!pod.spec?.nodeName) return this.recordOf(pod);
    const { nodeName: _, ...spec } = pod.spec;
    return this.#record(pod, this.profileOf({ ...pod, spec }));
  }

  #record(pod: Pod, profile: PodProfile): PodRecord {
    return {
      uid: pod.metadata?.uid ?? "",
      namespace: pod.metadata?.namespace ?? "",
      name: pod.metadata?.name ?? "",
      profile,
      terminating: pod.metadata?.deletionTimestamp !== undefined,
      pod,
      slot: undefined,
    };
  }

  /** @throws LabelSelectorError for a selector that validation let through */
  profileOf(pod: Pod): PodProfile {
    if (this.#last && sharesAll(this.#last.pod, pod)) return this.#last.profile;
    const profile = this.#lookUp(pod);
    this.#last = { pod, profile };
    return profile;
  }

  #lookUp(pod: Pod): PodProfile {
    const key = profileKey(pod);
    const known = this.#profiles.get(key);
    if (known) {
      this.#profiles.delete(key);
      this.#profiles.set(key, known);
      return known;
    }
    const profile = compileProfile(pod);
    this.#profiles.set(key, profile);
    if (this.#profiles.size > PROFILES_MAX) {
      const [oldest] = this.#profiles.keys();
      if (oldest !== undefined) this.#profiles.delete(oldest);
    }
    return profile;
  }
}

/**
 * Whether two pods have all that `compileProfile` reads in common: pods of one origin share the
 * parts that are equal. False does not mean that they differ.
 */
function sharesAll({ metadata: a, spec: one }: Pod, { metadata: b, spec: other }: Pod): boolean {
  return (
    a?.namespace === b?.namespace &&
    a?.labels === b?.labels &&
    a?.ownerReferences === b?.ownerReferences &&
    one?.priority === other?.priority &&
    one?.tolerations === other?.tolerations &&
    one?.containers === other?.containers &&
    one?.preemptionPolicy === other?.preemptionPolicy &&
    one?.nodeName === other?.nodeName &&
    one?.nodeSelector === other?.nodeSelector &&
    one?.affinity === other?.affinity &&
    one?.topologySpreadConstraints === other?.topologySpreadConstraints &&
    one?.overhead === other?.overhead &&
    one?.resources === other?.resources &&
    one?.initContainers === other?.initContainers &&
    one?.volumes === other?.volumes &&
    !one?.volumes?.some(({ ephemeral }) => ephemeral)
  );
}

/** Everything that `compileProfile` reads, as text. Most pods have few of the parts. */
function profileKey({ metadata, spec }: Pod): string {
  const owner = metadata?.ownerReferences?.find((one) => one.controller === true);
  const claims = spec?.volumes ? claimsOf({ metadata, spec } as Pod) : [];
  const disks = spec?.volumes ? disksOf(spec.volumes) : [];
  const rare = [
    spec?.preemptionPolicy,
    spec?.nodeName,
    spec?.nodeSelector,
    spec?.affinity,
    spec?.topologySpreadConstraints,
    spec?.overhead,
    spec?.resources,
    spec?.initContainers?.map(containerKey),
    claims.length > 0 ? claims : undefined,
    disks.length > 0 ? disks : undefined,
  ];
  return JSON.stringify([
    metadata?.namespace,
    metadata?.labels,
    owner?.uid,
    owner?.kind,
    spec?.priority,
    spec?.tolerations,
    spec?.containers?.map(containerKey),
    rare.some((part) => part !== undefined) ? rare : 0,
  ]);
}

function containerKey({ image, ports, resources, restartPolicy }: Container): unknown[] {
  return [
    image,
    resources?.requests,
    ports?.map(({ hostPort, protocol, hostIP }) => (hostPort ? [hostPort, protocol, hostIP] : 0)),
    restartPolicy,
  ];
}

/** Compiles a pod. @throws LabelSelectorError for a selector that validation let through */
function compileProfile(pod: Pod): PodProfile {
  const spec = pod.spec;
  const namespace = pod.metadata?.namespace ?? "";
  const labels = pod.metadata?.labels ?? {};
  const owner = pod.metadata?.ownerReferences?.find((one) => one.controller === true);
  const { nodeAffinity } = spec?.affinity ?? {};
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  const spread = spreadConstraints(pod);
  const isSpread = spread.hard.length + spread.soft.length > 0;
  const defaultSpread = defaultSpreadSelector(pod);
  return {
    namespace,
    labels,
    ownerUid: owner?.uid,
    priority: spec?.priority ?? 0,
    preempts: spec?.preemptionPolicy !== "Never",
    requests: podRequests(pod, filteredRequests),
    scored: podRequests(pod, scoredRequests),
    images: containers.map(({ image = "" }) => normalizedImage(image)),
    hostPorts: hostPortsOf([...sidecars, ...(spec?.containers ?? [])]),
    tolerations: spec?.tolerations ?? [],
    nodeName: spec?.nodeName || undefined,
    fitsNode: requiredNodeTest(spec?.nodeSelector, required?.nodeSelectorTerms),
    onlyNodes: namedNodes(required?.nodeSelectorTerms),
    preferredNodes: (nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, preference }) => ({ weight, test: termTest(preference) }),
    ),
    spreadHard: spread.hard,
    spreadSoft: spread.soft,
    defaultSpread: isSpread ? undefined : defaultSpread,
    spreadsByServices: !isSpread && !defaultSpread,
    ...podAffinities(spec?.affinity, namespace),
    claims: claimsOf(pod),
    disks: disksOf(spec?.volumes ?? []),
  };
}

/** Of containers that run as long as the pod does. */
function hostPortsOf(containers: readonly Container[]): HostPort[] {
  return containers
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => (hostPort ?? 0) > 0)
    .map(({ hostPort = 0, protocol = "TCP", hostIP }) => ({
      port: hostPort,
      protocol,
      ip: hostIP || "0.0.0.0",
    }));
}

type NodeSelectorTerms = Parameters<typeof requiredNodeTest>[1];

/** Node names, when every term is tied to some by `metadata.name`. */
function namedNodes(terms: NodeSelectorTerms): ReadonlySet<string> | undefined {
  if (!terms || terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const { matchFields } of terms) {
    const field = matchFields?.find(
      ({ key, operator }) => key === "metadata.name" && operator === "In",
    );
    if (!field) return undefined;
    for (const name of field.values ?? []) names.add(name);
  }
  return names;
}

/** An image without a tag means ":latest", as nodes report it. */
function normalizedImage(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName ?? ""];
    return ephemeral ? [`${metadata?.name}-${name}`] : [];
  });
}
