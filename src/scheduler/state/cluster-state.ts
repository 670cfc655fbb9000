import type { Node, Taint } from "../../api/generated/types/core-v1.ts";
import { type Labels, matchesLabels } from "../../lib/labels.ts";
import type { HostPort, PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { PodSelector } from "../pod/pod-selector.ts";
import { amountsOf } from "../pod/resource-requests.ts";
import { ImageTable } from "./image-table.ts";
import { LabelColumn } from "./label-column.ts";
import { type PlacedTerm, PlacedTerms } from "./placed-terms.ts";
import { PodCounts } from "./pod-counts.ts";
import { PODS_RESOURCE, ResourceTable } from "./resource-table.ts";
import { SelectorIndex } from "./selector-index.ts";
import { ServiceSelectors } from "./service-selectors.ts";
import { SlotLog } from "./slot-log.ts";
import { zoneInterleaved, zoneOf } from "./zone-order.ts";

/** A node as filters see it. A slot whose node is not (or no longer) known has `present` false. */
export interface NodeEntry {
  name: string;
  present: boolean;
  unschedulable: boolean;
  labels: Labels;
  taints: readonly Taint[];
  node: Node | undefined;
  /** Bound host ports, by "TCP/80" and then by address, with how many pods bind them. */
  ports: Map<string, Map<string, number>>;
  pods: Set<PodRecord>;
}

/** A count of the pods that a selector means; whoever acquired it releases it. */
export interface Tally {
  readonly selector: PodSelector;
  readonly counts: PodCounts;
}

interface KeptTally extends Tally {
  key: string;
  /** Terminating pods count for affinity, not for spreading. */
  withTerminating: boolean;
  holders: number;
}

/** The pods of one profile that are placed: what one of them adds to the columns. */
interface Placement {
  profile: PodProfile;
  resources: readonly { id: number; amount: number }[];
  /** How many are on each slot, and how many of those terminate. */
  all: Map<number, number>;
  terminating: Map<number, number>;
  pods: number;
  tallies: KeptTally[];
  terms: readonly PlacedTerm[];
}

const FIRST_CAPACITY = 16;

/**
 * Nodes and the pods on them, as columns indexed by slot. A decision reads columns and counters
 * that every placed or removed pod keeps current; it never walks pods. Mutated by the loop, read
 * by `schedule`.
 */
export class ClusterState {
  readonly nodes: NodeEntry[] = [];
  readonly resources: ResourceTable = new ResourceTable(FIRST_CAPACITY);
  readonly images: ImageTable = new ImageTable();
  readonly services: ServiceSelectors = new ServiceSelectors();
  readonly placedTerms: PlacedTerms = new PlacedTerms();
  /** Every change of a node, of its pods or of what they take there. */
  readonly changes: SlotLog = new SlotLog();
  /** Changes whenever a node's own properties do; `nodeVersions` says which nodes'. */
  nodesVersion = 0;
  nodeVersions: Float64Array = new Float64Array(FIRST_CAPACITY);
  readonly #slots = new Map<string, number>();
  /** Placed pods by UID. */
  readonly #pods = new Map<string, PodRecord>();
  readonly #columns = new Map<string, LabelColumn>();
  readonly #tallies = new Map<string, KeptTally>();
  readonly #tallyIndex = new SelectorIndex<KeptTally>();
  readonly #placements = new Map<PodProfile, Placement>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #freeSlots: number[] = [];
  /** Placed pods by priority: most clusters know a handful. */
  readonly #priorities = new Map<number, number>();
  readonly #claimUsers = new Map<string, number>();
  #live: Int32Array | undefined;
  #capacity = FIRST_CAPACITY;

  /** Slots of the nodes that exist, zones taking turns. */
  get live(): Int32Array {
    this.#live ??= zoneInterleaved(this.nodes);
    return this.#live;
  }

  /** Slots are below this; columns may be longer. */
  get size(): number {
    return this.nodes.length;
  }

  /** Columns are at least so long. */
  get capacity(): number {
    return this.#capacity;
  }

  slotOf(name: string): number | undefined {
    const slot = this.#slots.get(name);
    return slot !== undefined && this.nodes[slot]?.present ? slot : undefined;
  }

  /** Where a pod is placed, or undefined. */
  slotOfPod(uid: string): number | undefined {
    return this.#pods.get(uid)?.slot;
  }

  /** The record of a placed pod, or undefined. */
  podOf(uid: string): PodRecord | undefined {
    return this.#pods.get(uid);
  }

  /** Whether any placed pod is less important. */
  hasPodsBelow(priority: number): boolean {
    for (const known of this.#priorities.keys()) if (known < priority) return true;
    return false;
  }

  /** How many placed pods use a claim, by "namespace/name". */
  usersOfClaim(claim: string): number {
    return this.#claimUsers.get(claim) ?? 0;
  }

  /** Adds a node or takes over its changes; its pods stay. */
  setNode(node: Node): void {
    const slot = this.#ensureSlot(node.metadata?.name ?? "");
    const entry = this.nodes[slot] as NodeEntry;
    if (!entry.present) this.#live = undefined;
    const zoneBefore = zoneOf(entry.labels);
    entry.present = true;
    entry.unschedulable = node.spec?.unschedulable === true;
    entry.labels = node.metadata?.labels ?? {};
    entry.taints = node.spec?.taints ?? [];
    entry.node = node;
    if (zoneBefore !== zoneOf(entry.labels)) this.#live = undefined;
    this.images.set(slot, node.status?.images ?? []);
    this.resources.clearAllocatable(slot);
    for (const [resource, amount] of amountsOf(node.status?.allocatable)) {
      const id = this.resources.idOf(resource);
      (this.resources.allocatable[id] as Float64Array)[slot] = amount;
    }
    this.#nodeChanged(slot);
  }

  removeNode(name: string): void {
    const slot = this.#slots.get(name);
    const entry = slot === undefined ? undefined : this.nodes[slot];
    if (slot === undefined || !entry?.present) return;
    entry.present = false;
    entry.node = undefined;
    this.images.set(slot, []);
    this.#live = undefined;
    this.#nodeChanged(slot);
    this.#freeIfUnused(slot);
  }

  /** Places a pod; placing it again moves or refreshes it. */
  addPod(pod: PodRecord, nodeName: string): void {
    this.removePod(pod.uid);
    const slot = this.#ensureSlot(nodeName);
    pod.slot = slot;
    this.nodes[slot]?.pods.add(pod);
    this.#pods.set(pod.uid, pod);
    this.#account(slot, { pod, sign: 1 });
  }

  removePod(uid: string): PodRecord | undefined {
    const pod = this.#pods.get(uid);
    const slot = pod?.slot;
    if (!pod || slot === undefined) return undefined;
    pod.slot = undefined;
    this.nodes[slot]?.pods.delete(pod);
    this.#pods.delete(uid);
    this.#account(slot, { pod, sign: -1 });
    this.#freeIfUnused(slot);
    return pod;
  }

  /** Labels decide which pods a namespaceSelector means, so those counts start over. */
  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
    for (const tally of this.#tallies.values()) {
      if (dependsOnNamespaces(tally.selector)) this.#recount(tally);
    }
  }

  /** A label as a column over all slots, kept current from now on. */
  column(key: string): LabelColumn {
    let column = this.#columns.get(key);
    if (!column) {
      column = new LabelColumn(key, this.#capacity);
      for (const [slot, node] of this.nodes.entries()) {
        column.set(slot, node.present ? node.labels : undefined);
      }
      this.#columns.set(key, column);
    }
    return column;
  }

  /** Counts the placed pods that a selector means, and keeps counting until the release. */
  acquireTally(selector: PodSelector, of: { withTerminating: boolean }): Tally {
    const key = `${of.withTerminating ? "all" : "staying"} ${selector.key}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      tally = { ...of, key, selector, counts: new PodCounts(), holders: 0 };
      this.#tallies.set(key, tally);
      this.#tallyIndex.add(tally);
      for (const placement of this.#placements.values()) this.#join(placement, tally);
    }
    tally.holders++;
    return tally;
  }

  releaseTally(released: Tally): void {
    const tally = released as KeptTally;
    if (--tally.holders > 0) return;
    this.#tallies.delete(tally.key);
    this.#tallyIndex.delete(tally);
    for (const placement of this.#placements.values()) {
      const at = placement.tallies.indexOf(tally);
      if (at >= 0) placement.tallies.splice(at, 1);
    }
  }

  /** Whether a pod is one of those a selector means. */
  selects(selector: PodSelector, pod: PodProfile): boolean {
    const { namespaces, namespaceSelector, requirements, ownerUid, all } = selector;
    if (all) return all.every((one) => this.selects(one, pod));
    const inNamespace =
      namespaces.includes(pod.namespace) ||
      (namespaceSelector !== undefined &&
        matchesLabels(namespaceSelector, this.#namespaces.get(pod.namespace)));
    if (!inNamespace) return false;
    return ownerUid !== undefined
      ? pod.ownerUid === ownerUid
      : matchesLabels(requirements, pod.labels);
  }

  #nodeChanged(slot: number): void {
    const { labels, present } = this.nodes[slot] as NodeEntry;
    this.nodeVersions[slot] = ++this.nodesVersion;
    this.changes.add(slot);
    for (const column of this.#columns.values()) column.set(slot, present ? labels : undefined);
  }

  #account(slot: number, { pod, sign }: { pod: PodRecord; sign: 1 | -1 }): void {
    const { profile, terminating } = pod;
    const placement = this.#placementOf(profile);
    const { requested, scoredCpu, scoredMemory } = this.resources;
    for (const { id, amount } of placement.resources) {
      const column = requested[id] as Float64Array;
      column[slot] = (column[slot] as number) + sign * amount;
    }
    scoredCpu[slot] = (scoredCpu[slot] as number) + sign * (profile.scored.get("cpu") ?? 0);
    scoredMemory[slot] =
      (scoredMemory[slot] as number) + sign * (profile.scored.get("memory") ?? 0);
    this.changes.add(slot);
    const { ports } = this.nodes[slot] as NodeEntry;
    for (const port of profile.hostPorts) accountPort(ports, { port, sign });
    for (const claim of profile.claims) {
      bump(this.#claimUsers, `${profile.namespace}/${claim}`, sign);
    }
    bump(this.#priorities, profile.priority, sign);
    bump(placement.all, slot, sign);
    if (terminating) bump(placement.terminating, slot, sign);
    for (const { withTerminating, counts } of placement.tallies) {
      if (withTerminating || !terminating) counts.add(slot, sign);
    }
    for (const term of placement.terms) this.placedTerms.add(term, { slot, delta: sign });
    placement.pods += sign;
    if (placement.pods === 0) this.#placements.delete(profile);
  }

  #placementOf(profile: PodProfile): Placement {
    const known = this.#placements.get(profile);
    if (known) return known;
    const resources = [{ id: PODS_RESOURCE, amount: 1 }];
    for (const [name, amount] of profile.requests) {
      if (amount !== 0) resources.push({ id: this.resources.idOf(name), amount });
    }
    const placement: Placement = {
      profile,
      resources,
      all: new Map(),
      terminating: new Map(),
      pods: 0,
      tallies: [],
      terms: this.placedTerms.termsOf(profile),
    };
    this.#placements.set(profile, placement);
    this.#tallyIndex.candidates(profile, (tally) => this.#join(placement, tally));
    return placement;
  }

  /** Lets a tally count the pods of a placement, if it means them. */
  #join(placement: Placement, tally: KeptTally): void {
    if (!this.selects(tally.selector, placement.profile)) return;
    placement.tallies.push(tally);
    const { all, terminating } = placement;
    for (const [slot, count] of all) {
      const left = tally.withTerminating ? 0 : (terminating.get(slot) ?? 0);
      if (count > left) tally.counts.add(slot, count - left);
    }
  }

  #recount(tally: KeptTally): void {
    for (const [slot, count] of tally.counts.bySlot) tally.counts.add(slot, -count);
    for (const placement of this.#placements.values()) {
      const at = placement.tallies.indexOf(tally);
      if (at >= 0) placement.tallies.splice(at, 1);
      this.#join(placement, tally);
    }
  }

  #freeIfUnused(slot: number): void {
    const entry = this.nodes[slot] as NodeEntry;
    if (entry.present || entry.pods.size > 0) return;
    this.#slots.delete(entry.name);
    this.#freeSlots.push(slot);
  }

  #ensureSlot(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#freeSlots.pop() ?? this.nodes.length;
    this.nodes[slot] = emptyEntry(name);
    this.#slots.set(name, slot);
    if (slot >= this.#capacity) this.#grow();
    this.resources.clearAllocatable(slot);
    return slot;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.resources.grow(this.#capacity);
    const versions = new Float64Array(this.#capacity);
    versions.set(this.nodeVersions);
    this.nodeVersions = versions;
    for (const column of this.#columns.values()) column.grow(this.#capacity);
  }
}

function emptyEntry(name: string): NodeEntry {
  return {
    name,
    present: false,
    unschedulable: false,
    labels: {},
    taints: [],
    node: undefined,
    ports: new Map(),
    pods: new Set(),
  };
}

function dependsOnNamespaces(selector: PodSelector): boolean {
  return selector.all
    ? selector.all.some(dependsOnNamespaces)
    : selector.namespaceSelector !== undefined;
}

function bump<K>(counts: Map<K, number>, key: K, delta: number): void {
  const count = (counts.get(key) ?? 0) + delta;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function accountPort(
  ports: NodeEntry["ports"],
  { port, sign }: { port: HostPort; sign: 1 | -1 },
): void {
  const key = `${port.protocol}/${port.port}`;
  const addresses = ports.get(key) ?? new Map<string, number>();
  ports.set(key, addresses);
  const count = (addresses.get(port.ip) ?? 0) + sign;
  if (count > 0) addresses.set(port.ip, count);
  else addresses.delete(port.ip);
  if (addresses.size === 0) ports.delete(key);
}
