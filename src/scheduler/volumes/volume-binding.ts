import type { PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import type {
  NodeFilter,
  Placement,
  PluginContext,
  Refusal,
  SchedulerPlugin,
} from "../framework/contract.ts";
import { isNewToLabels } from "../framework/node-change.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import { type BindVolumesDeps, bindVolumes } from "./bind-volumes.ts";
import { hasCapacity } from "./storage-capacity.ts";
import { isStorageOf } from "./storage-hint.ts";
import { type AssumedClaim, SELECTED_NODE, type VolumeCatalog } from "./volume-catalog.ts";
import {
  findVolume,
  topologyAllows,
  type VolumeNode,
  volumeFitsNode,
  wantedBytes,
} from "./volume-match.ts";

const NO_PROVISIONER = "kubernetes.io/no-provisioner";
/** Bits of an answer: a node may be wrong in several ways. */
const CONFLICT = 1;
const NO_VOLUME = 2;
const NO_SPACE = 4;
const MISSING = 8;
/** In upstream's order. */
const REASONS: readonly (readonly [bit: number, reason: string])[] = [
  [CONFLICT, "node(s) had volume node affinity conflict"],
  [NO_VOLUME, "node(s) didn't find available persistent volumes to bind"],
  [NO_SPACE, "node(s) did not have enough free storage"],
  [MISSING, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"],
];
const reasonsOf = (code: number) =>
  REASONS.flatMap(([bit, reason]) => ((code & bit) === 0 ? [] : [reason]));

/** A pod's claims, by how they stand. */
interface PodClaims {
  bound: PersistentVolumeClaim[];
  waiting: PersistentVolumeClaim[];
}

/** When volumes can keep a pod from the node that was chosen for it. */
export type VolumeStage = "assume" | "bind";

/** What the plugin works with. */
export interface VolumeBindingDeps extends BindVolumesDeps {
  /** Told of every failure after the decision. */
  failed?: ((stage: VolumeStage) => void) | undefined;
}

/** Arguments of the plugin, as in `VolumeBindingArgs`. */
export interface VolumeBindingArgs {
  bindTimeoutSeconds?: number;
}

/** Brings pods to where their volumes are, and volumes to be where their pods go. */
export function volumeBinding(
  deps: VolumeBindingDeps,
  { bindTimeoutSeconds = 600 }: VolumeBindingArgs = {},
): SchedulerPlugin {
  const { catalog } = deps;
  const promisesOf = ({ pod, node }: Placement): Map<string, AssumedClaim> => {
    const promises = new Map<string, AssumedClaim>();
    for (const key of claimKeys(pod)) {
      const promise = catalog.assumedOf(key);
      if (promise?.node === node) promises.set(key, promise);
    }
    return promises;
  };
  const nodes = new Map<string, VolumeNode>();
  return {
    name: "VolumeBinding",
    filter: (context) => claimFilter(context, { catalog, nodes }),
    reserve(placement) {
      const { pod, node } = placement;
      if (pod.profile.claims.length === 0) return undefined;
      const claims = sortClaims(pod, catalog);
      if ("reasons" in claims) return claims;
      if (claims.waiting.length === 0) return undefined;
      const target = nodes.get(node);
      const plan = target ? planClaims(claims.waiting, { node: target, catalog }) : NO_VOLUME;
      if (typeof plan === "number") {
        deps.failed?.("assume");
        return { reasons: reasonsOf(plan) };
      }
      for (const [key, promise] of plan) catalog.assume(key, promise);
      return undefined;
    },
    unreserve({ pod }) {
      for (const key of claimKeys(pod)) catalog.forget(key);
    },
    preBind(placement) {
      if (placement.pod.profile.claims.length === 0) return undefined;
      const promises = promisesOf(placement);
      if (promises.size === 0) return undefined;
      const timeoutMs = bindTimeoutSeconds * 1000;
      const node = nodes.get(placement.node);
      return bindVolumes(placement.pod, { ...deps, promises, node, timeoutMs }).catch(
        (error: unknown) => {
          deps.failed?.("bind");
          throw error;
        },
      );
    },
    postBind({ pod }) {
      for (const key of claimKeys(pod)) catalog.forget(key);
    },
    hint: (event, pod, state) => isStorageOf(pod, event) || isNewToLabels(event, state),
  };
}

function claimKeys({ namespace, profile }: PodRecord): string[] {
  return profile.claims.map((name) => `${namespace}/${name}`);
}

function claimFilter(
  { state, profile }: PluginContext,
  { catalog, nodes }: { catalog: VolumeCatalog; nodes: Map<string, VolumeNode> },
): NodeFilter | undefined {
  if (profile.claims.length === 0) return undefined;
  let claims: PodClaims = { bound: [], waiting: [] };
  return {
    begin(pod) {
      const sorted = sortClaims(pod, catalog);
      if ("reasons" in sorted) return sorted;
      claims = sorted;
      return true;
    },
    test(slot) {
      const entry = state.nodes[slot] as NodeEntry;
      const node = { name: entry.name, labels: entry.labels };
      const code = wrongWithBound(claims.bound, { node, catalog });
      if (claims.waiting.length === 0) return code;
      // Reserve plans for the chosen node again, from the same facts.
      nodes.set(entry.name, node);
      const plan = planClaims(claims.waiting, { node, catalog });
      return typeof plan === "number" ? code | plan : code;
    },
    explain: (code) => ({ reasons: reasonsOf(code), unresolvable: true }),
  };
}

function wrongWithBound(
  bound: readonly PersistentVolumeClaim[],
  { node, catalog }: { node: VolumeNode; catalog: VolumeCatalog },
): number {
  for (const { spec } of bound) {
    const volume = catalog.volumes.get(spec?.volumeName ?? "");
    if (!volume) return MISSING;
    if (!volumeFitsNode(volume, node)) return CONFLICT;
  }
  return 0;
}

/** What holds for every node: each claim exists and either has its volume or waits for a pod. */
function sortClaims(pod: PodRecord, catalog: VolumeCatalog): PodClaims | Refusal {
  const refuse = (reason: string): Refusal => ({ reasons: [reason], unresolvable: true });
  const claims: PodClaims = { bound: [], waiting: [] };
  for (const name of pod.profile.claims) {
    const isOwn = isEphemeral(name, pod);
    const claim = catalog.claims.get(`${pod.namespace}/${name}`);
    if (!claim) {
      const claimed = `persistentvolumeclaim "${name}"`;
      return refuse(
        isOwn
          ? `waiting for ephemeral volume controller to create the ${claimed}`
          : `${claimed} not found`,
      );
    }
    if (claim.status?.phase === "Lost") {
      const volume = claim.spec?.volumeName ?? "";
      return refuse(
        `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${volume}"`,
      );
    }
    if (claim.metadata?.deletionTimestamp) {
      return refuse(`persistentvolumeclaim "${name}" is being deleted`);
    }
    if (isOwn && !belongsTo(claim, pod)) {
      const [own, whole] = [`${pod.namespace}/${name}`, `${pod.namespace}/${pod.name}`];
      return refuse(`PVC ${own} was not created for pod ${whole} (pod is not owner)`);
    }
    const state = catalog.stateOf(claim);
    if (state === "immediate") return refuse("pod has unbound immediate PersistentVolumeClaims");
    claims[state === "bound" ? "bound" : "waiting"].push(claim);
  }
  // As upstream: the smallest claim chooses first.
  claims.waiting.sort((a, b) => wantedBytes(a) - wantedBytes(b));
  return claims;
}

/** Whether the claim is made for a volume of this pod alone. */
function isEphemeral(claim: string, { name, pod }: PodRecord): boolean {
  return (
    pod.spec?.volumes?.some((one) => one.ephemeral && `${name}-${one.name}` === claim) ?? false
  );
}

/** A claim of that name may have been there before the pod, with the data of somebody else. */
function belongsTo({ metadata }: PersistentVolumeClaim, { uid }: PodRecord): boolean {
  return metadata?.ownerReferences?.some((one) => one.controller && one.uid === uid) ?? false;
}

/** What each claim would get on a node, or why one would get nothing. */
function planClaims(
  waiting: readonly PersistentVolumeClaim[],
  { node, catalog }: { node: VolumeNode; catalog: VolumeCatalog },
): Map<string, AssumedClaim> | number {
  const plan = new Map<string, AssumedClaim>();
  const taken = new Set<string>();
  for (const claim of waiting) {
    const key = `${claim.metadata?.namespace ?? ""}/${claim.metadata?.name ?? ""}`;
    const selected = claim.metadata?.annotations?.[SELECTED_NODE];
    // A volume is being made for a node already: the pod follows it.
    if (selected !== undefined && selected !== node.name) return NO_VOLUME;
    const volume = selected === undefined && findVolume(claim, { node, catalog, taken });
    if (volume) {
      const name = volume.metadata?.name ?? "";
      taken.add(name);
      plan.set(key, { volume: name, node: node.name });
      continue;
    }
    const storageClass = catalog.classOf(claim);
    const canBeMade =
      storageClass !== undefined &&
      storageClass.provisioner !== NO_PROVISIONER &&
      topologyAllows(storageClass.allowedTopologies, node);
    if (!canBeMade) return NO_VOLUME;
    if (!hasCapacity(claim, { storageClass, node, catalog })) return NO_SPACE;
    plan.set(key, { volume: undefined, node: node.name });
  }
  return plan;
}
