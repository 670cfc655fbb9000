import type { ClusterEvent, QueueingHint } from "../framework/contract.ts";
import { labelsAround } from "../framework/node-change.ts";
import type { AffinityTerm } from "../pod/affinity-terms.ts";
import type { PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";

/** Whether a partner came, somebody to avoid went, or a node moved between domains. */
export const affinityHint: QueueingHint = (event, { profile }, state) => {
  switch (event.kind) {
    case "storage-changed":
      return false;
    case "node-added": {
      const labels = state.nodes[event.slot]?.labels ?? {};
      return profile.affinity.every(({ topologyKey }) => labels[topologyKey] !== undefined);
    }
    // Whoever keeps the pod away may have left its domain with the node.
    case "node-removed":
      return true;
    case "node-changed":
      return isMoved(event, { profile, state });
    default:
      return isChanged(event, { profile, state });
  }
};

interface Asked {
  profile: PodProfile;
  state: ClusterState;
}

/** Whether the node is in another domain of a key that a term about the pod has. */
function isMoved(
  event: Extract<ClusterEvent, { kind: "node-changed" }>,
  { profile, state }: Asked,
): boolean {
  const { before, after } = labelsAround(event, state);
  const isOther = (key: string) => before[key] !== after[key];
  // A node that joins a domain to be avoided, having been in none, is of no help.
  const isLeft = (key: string) => before[key] !== undefined && isOther(key);
  if (profile.affinity.some(({ topologyKey }) => isOther(topologyKey))) return true;
  if (profile.antiAffinity.some(({ topologyKey }) => isLeft(topologyKey))) return true;
  let isFreed = false;
  state.placedTerms.candidates(profile, ({ kind, term }) => {
    if (kind === "antiAffinity" && isLeft(term.topologyKey)) isFreed = true;
  });
  return isFreed;
}

function isChanged(
  event: Extract<ClusterEvent, { pod: PodRecord }>,
  { profile, state }: Asked,
): boolean {
  const selects = (one: AffinityTerm, pod: PodProfile) => state.selects(one.selector, pod);
  const { affinity, antiAffinity } = profile;
  const isPartner = (pod: PodProfile) =>
    affinity.length > 0 && affinity.every((term) => selects(term, pod));
  if (event.kind === "pod-added") return isPartner(event.pod.profile);
  const before = event.kind === "pod-changed" ? event.before?.profile : event.pod.profile;
  if (!before) return true;
  const now = event.kind === "pod-changed" ? event.pod.profile : undefined;
  const isNow = now !== undefined && isPartner(now);
  const wasBefore = isPartner(before);
  if (isNow && !wasBefore) return true;
  // Without the last partner the pod is the first of its group, and may go anywhere.
  if (wasBefore && !isNow && isPartner(profile)) return true;
  const isGone = (term: AffinityTerm) => selects(term, before) && !(now && selects(term, now));
  if (antiAffinity.some(isGone)) return true;
  return !now && before.antiAffinity.some((term) => selects(term, profile));
}
