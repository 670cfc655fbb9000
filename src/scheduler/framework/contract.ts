import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import type { Candidate } from "../preemption/victims.ts";
import type { PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { NoNode, ScheduleInput } from "../schedule.ts";
import type { ClusterState } from "../state/cluster-state.ts";

/** Highest score a plugin may give before its weight. */
export const SCORE_MAX = 100;

/** Why a node, or every node, is refused. Reasons are upstream's words: people search for them. */
export interface Refusal {
  reasons: readonly string[];
  /** Set when taking pods away would not help either. */
  unresolvable?: boolean;
  /** Reasons that stay when every other pod leaves the node. */
  lasting?: readonly string[];
}

/**
 * A filter of one profile over all nodes, kept as long as pods of the profile come. Per decision
 * `begin` runs once and `test` once per node that is looked at, so whatever does not depend on the
 * slot belongs into `begin`.
 */
export interface NodeFilter extends Partial<Disposable> {
  /**
   * The answer depends on the node and on what its pods take there: it is asked once per change
   * of those, and `begin` once per plan.
   */
  readonly slotOnly?: true;
  /** Gets ready for one decision. False: every node passes. A refusal: no node does. */
  begin(pod: PodRecord): boolean | Refusal;
  /** 0 when the node may take the pod, or a code up to 2^31 that `explain` understands. */
  test(slot: number): number;
  explain(code: number): Refusal;
}

/** Where scores go: one total per slot at the same place. */
export interface ScoreOutput {
  /** Only so many slots and totals count. */
  count: number;
  weight: number;
  totals: Float64Array;
}

/** An opinion of one profile on the nodes that passed every filter. */
export type NodeScorer = SlotScorer | RelativeScorer;

/** One that looks at each node by itself: it is asked once per change of the node. */
export interface SlotScorer extends Partial<Disposable> {
  /** A whole score of 0 to `SCORE_MAX`, from the node and from what its pods take there. */
  scoreOf(slot: number): number;
}

/** One that compares nodes. */
export interface RelativeScorer extends Partial<Disposable> {
  /**
   * Adds `weight` times a whole score of 0 to `SCORE_MAX` to the total of each slot. Adds nothing
   * when all nodes are alike to it.
   */
  addScores(pod: PodRecord, slots: Int32Array, out: ScoreOutput): void;
}

/** What the parts of a plugin are made from. */
export interface PluginContext {
  state: ClusterState;
  profile: PodProfile;
}

/** What a plugin answers when asked to hold a pod: go, wait for `allow`, or turn it down. */
export type Permission = "allow" | { waitMs: number } | Refusal;

/** A pod on its way to a node. */
export interface Placement {
  pod: PodRecord;
  node: string;
}

/** A decision that found no node, and what it read. */
export interface PostFilterInput {
  decision: NoNode;
  input: ScheduleInput;
}

/** What a plugin makes of a pod without a node. */
export interface PostFilterResult {
  /** Added to the message about the pod; may be empty. */
  message: string;
  /** Pods that are to leave a node, which is then kept for the pod. */
  preemption?: {
    node: string;
    victims: readonly PodRecord[];
    /** What extenders may choose from; the choice itself is among them. */
    candidates: readonly Candidate[];
  };
}

/** A claim that was made, changed or deleted. */
export interface ChangedClaim {
  namespace: string;
  name: string;
}

/** A change of the cluster that may make room for a pod that was turned down. */
export type ClusterEvent =
  | { kind: "node-added"; slot: number }
  | { kind: "node-changed"; slot: number; before: Node }
  /** Its pods no longer count anywhere. */
  | { kind: "node-removed"; before: Node }
  | { kind: "pod-added"; pod: PodRecord; slot: number | undefined }
  /** `before` is absent where the pod was not known. */
  | { kind: "pod-changed"; pod: PodRecord; before?: PodRecord; slot: number | undefined }
  | { kind: "pod-removed"; pod: PodRecord; slot: number | undefined }
  /** `claim` is absent where something else than a claim changed. */
  | { kind: "storage-changed"; claim?: ChangedClaim | undefined };

/** Tells whether an event may undo a refusal of this plugin for this pod. */
export type QueueingHint = (event: ClusterEvent, pod: PodRecord, state: ClusterState) => boolean;

/**
 * One plugin of the scheduling framework; each method is an extension point and all are optional.
 * `filter` and `score` are asked once per profile for a part that then serves many pods.
 */
export interface SchedulerPlugin {
  readonly name: string;
  /** PreEnqueue: a text keeps the pod out of the queue until the pod changes. */
  preEnqueue?(pod: Pod): string | undefined;
  /** QueueSort: negative when `a` goes first. Exactly one enabled plugin has it. */
  compare?(a: PodRecord, b: PodRecord): number;
  /** PreFilter and Filter. */
  filter?(context: PluginContext): NodeFilter | undefined;
  /** PostFilter: the first plugin that answers decides. */
  postFilter?(pod: PodRecord, of: PostFilterInput): PostFilterResult | undefined;
  /** PreScore, Score and NormalizeScore. */
  score?(context: PluginContext): NodeScorer | undefined;
  /** Reserve: takes what the decision promises, or refuses; `unreserve` gives it back. */
  reserve?(placement: Placement): Refusal | undefined;
  unreserve?(placement: Placement): void;
  permit?(placement: Placement): Permission;
  /** PreBind: resolves when the node is ready for the binding. @throws when it will not be */
  preBind?(placement: Placement): Promise<void> | undefined;
  /** Bind: undefined leaves it to the next plugin. @throws when the binding was refused */
  bind?(placement: Placement): Promise<void> | undefined;
  postBind?(placement: Placement): void;
  /** Without a hint every event is worth another try. */
  hint?: QueueingHint;
}
