import {
  NAMESPACES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SERVICES,
} from "../api/generated/resources.ts";
import type { Node, Pod } from "../api/generated/types/core-v1.ts";
import type { Change, InformerFactory } from "../client/informer.ts";
import type { ClusterEvent } from "./framework/contract.ts";
import type { PodRecord, ProfileTable } from "./pod/pod-profile.ts";
import type { DisruptionBudgets } from "./preemption/disruption-budgets.ts";
import { isRelevantNodeChange, isRelevantPodChange } from "./relevant-change.ts";
import type { ClusterState } from "./state/cluster-state.ts";
import { followStorage } from "./volumes/storage-watch.ts";
import type { VolumeCatalog } from "./volumes/volume-catalog.ts";

/** What the feed keeps current. */
export interface FedState {
  state: ClusterState;
  profiles: ProfileTable;
  budgets: DisruptionBudgets;
  catalog: VolumeCatalog;
}

/** Hears what happens, once the state shows it. Must not throw. */
export interface FeedListener {
  /** A pod without a place came or changed. */
  pending(pod: Pod): void;
  /** A pod has its place: before the state counts it there. */
  placed(uid: string): void;
  /** A pod ended; the state still counts it. */
  ended(uid: string): void;
  /** Something happened that may make room for others. */
  happened(event: ClusterEvent): void;
}

/** A running feed. */
export interface ClusterFeed extends Disposable {
  /** Resolves when the state is complete. */
  readonly synced: Promise<unknown>;
}

/** Keeps the scheduler's view of the cluster current until disposed. */
export function feedState(
  informers: InformerFactory,
  fed: FedState,
  listener: FeedListener,
): ClusterFeed {
  const { state, budgets, catalog } = fed;
  const nodes = informers.informer(NODES);
  const pods = informers.informer(PODS);
  const namespaces = informers.informer(NAMESPACES);
  const services = informers.informer(SERVICES);
  const disruptionBudgets = informers.informer(POD_DISRUPTION_BUDGETS);
  disruptionBudgets.onChange(({ type, object }) => {
    const { namespace = "", name = "" } = object.metadata ?? {};
    if (type === "deleted") budgets.delete(namespace, name);
    else budgets.set(object);
  });
  namespaces.onChange(({ type, object }) => {
    const labels = type === "deleted" ? undefined : (object.metadata?.labels ?? {});
    state.setNamespace(object.metadata?.name ?? "", labels);
  });
  services.onChange(({ type, object }) => {
    const { namespace = "", name = "" } = object.metadata ?? {};
    const selector = type === "deleted" ? undefined : object.spec?.selector;
    state.services.set(`${namespace}/${name}`, { namespace, selector });
  });
  nodes.onChange((change) => nodeChanged(change, { state, listener }));
  const context = { state, profiles: fed.profiles, listener };
  pods.onChange((change) => podChanged(change, context));
  const storage = followStorage(informers, {
    catalog,
    onChange: (claim) => listener.happened({ kind: "storage-changed", claim }),
  });
  // Older API servers serve budgets in another version; that is no reason to schedule nothing.
  const needed = [nodes, pods, namespaces, services, storage];
  return {
    synced: Promise.all(needed.map(({ synced }) => synced)),
    [Symbol.dispose]() {
      for (const one of [...needed, disruptionBudgets]) one[Symbol.dispose]();
    },
  };
}

function nodeChanged(
  change: Change<Node>,
  { state, listener }: { state: ClusterState; listener: FeedListener },
): void {
  const name = change.object.metadata?.name ?? "";
  if (change.type === "deleted") {
    state.removeNode(name);
    listener.happened({ kind: "node-removed", before: change.object });
    return;
  }
  if (change.type === "updated" && !isRelevantNodeChange(change.previous, change.object)) return;
  state.setNode(change.object);
  const slot = state.slotOf(name) as number;
  if (change.type === "added") listener.happened({ kind: "node-added", slot });
  else listener.happened({ kind: "node-changed", slot, before: change.previous });
}

type PodContext = Pick<FedState, "state" | "profiles"> & { listener: FeedListener };

function podChanged(change: Change<Pod>, context: PodContext): void {
  const pod = change.object;
  const phase = pod.status?.phase;
  if (change.type === "deleted" || phase === "Succeeded" || phase === "Failed") {
    context.listener.ended(pod.metadata?.uid ?? "");
  } else if (pod.spec?.nodeName) {
    placedPodChanged(change, context);
  } else {
    context.listener.pending(pod);
  }
}

function placedPodChanged(
  change: Exclude<Change<Pod>, { type: "deleted" }>,
  context: PodContext,
): void {
  const { state, listener } = context;
  const pod = change.object;
  const uid = pod.metadata?.uid ?? "";
  const isFresh = change.type === "added" || !change.previous.spec?.nodeName;
  if (!isFresh && !isRelevantPodChange(change.previous, pod)) return;
  listener.placed(uid);
  const before = state.podOf(uid);
  const record = placedRecord(pod, before, context);
  const now = { pod: record, slot: record.slot };
  if (isFresh) listener.happened({ kind: "pod-added", ...now });
  else listener.happened({ kind: "pod-changed", ...now, ...(before ? { before } : {}) });
}

/** Most often the place is the one that was assumed, and nothing is to be counted anew. */
function placedRecord(
  pod: Pod,
  known: PodRecord | undefined,
  { state, profiles }: PodContext,
): PodRecord {
  const node = pod.spec?.nodeName ?? "";
  const isInPlace = known && known.slot === state.slotOf(node);
  if (isInPlace && !known.terminating && !isRelevantPodChange(known.pod, pod)) {
    known.pod = pod;
    return known;
  }
  const record = profiles.placedRecordOf(pod);
  state.addPod(record, node);
  return record;
}
