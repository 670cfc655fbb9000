import type { Node, Taint } from "../api/generated/types/core-v1.ts";
import { type Labels, matchesLabels } from "../lib/labels.ts";
import type { AffinityTerm, HostPort, PodProfile, PodSelector } from "./pod-profile.ts";
import { amountsOf } from "./resource-requests.ts";

/** Counters kept at once; the least recently used makes room. */
const COUNTERS_MAX = 256;

/** A node as filters see it. A slot whose node is not (or no longer) known has `present` false. */
export interface NodeEntry {
  name: string;
  present: boolean;
  unschedulable: boolean;
  labels: Labels;
  taints: readonly Taint[];
  /** Image names with their sizes in bytes. */
  images: ReadonlyMap<string, number>;
  /** Bound host ports, by "TCP/80" and then by address, with how many pods bind them. */
  ports: Map<string, Map<string, number>>;
  pods: Map<string, PodProfile>;
}

/** A term of pods that are placed already, and on which slots they are. */
export interface PlacedTerm {
  term: AffinityTerm;
  kind: "antiAffinity" | "affinity" | "preferredAffinity" | "preferredAntiAffinity";
  counts: number[];
  total: number;
}

interface Counter {
  selector: PodSelector;
  counts: number[];
}

const TERM_KINDS = [
  "antiAffinity",
  "affinity",
  "preferredAffinity",
  "preferredAntiAffinity",
] as const;

/**
 * Nodes and the pods on them, as columns indexed by slot: one per resource for what is allocatable
 * and requested, one per topology key, one per pod selector in use. A decision reads columns and
 * never walks pods. Mutated by the loop, read by `schedule`.
 */
export class ClusterState {
  readonly nodes: NodeEntry[] = [];
  /** Resource name to column; "pods" is a resource like the others. */
  readonly allocatable: Map<string, number[]> = new Map();
  readonly requested: Map<string, number[]> = new Map();
  /** cpu and memory with stand-ins for absent requests; only scores read them. */
  readonly scored: { cpu: number[]; memory: number[] } = { cpu: [], memory: [] };
  readonly placedTerms: Map<string, PlacedTerm> = new Map();
  readonly #slots = new Map<string, number>();
  readonly #slotByPod = new Map<string, number>();
  readonly #counters = new Map<string, Counter>();
  readonly #topologies = new Map<string, (string | undefined)[]>();
  readonly #namespaces = new Map<string, Labels>();
  #live: number[] | undefined;

  /** Slots of the nodes that exist. */
  get live(): readonly number[] {
    this.#live ??= this.nodes.flatMap((node, slot) => (node.present ? [slot] : []));
    return this.#live;
  }

  slotOf(name: string): number | undefined {
    const slot = this.#slots.get(name);
    return slot !== undefined && this.nodes[slot]?.present ? slot : undefined;
  }

  /** Adds a node or takes over its changes; its pods stay. */
  setNode(node: Node): void {
    const name = node.metadata?.name ?? "";
    const slot = this.#ensureSlot(name);
    const entry = this.nodes[slot] as NodeEntry;
    entry.present = true;
    entry.unschedulable = node.spec?.unschedulable === true;
    entry.labels = node.metadata?.labels ?? {};
    entry.taints = node.spec?.taints ?? [];
    entry.images = new Map(
      (node.status?.images ?? []).flatMap(({ names, sizeBytes }) =>
        (names ?? []).map((image) => [image, sizeBytes ?? 0] as const),
      ),
    );
    for (const column of this.allocatable.values()) column[slot] = 0;
    for (const [resource, amount] of amountsOf(node.status?.allocatable)) {
      columnOf(this.allocatable, { resource, slots: this.nodes.length })[slot] = amount;
    }
    this.#topologies.clear();
    this.#live = undefined;
  }

  removeNode(name: string): void {
    const slot = this.#slots.get(name);
    const entry = slot === undefined ? undefined : this.nodes[slot];
    if (!entry) return;
    entry.present = false;
    this.#topologies.clear();
    this.#live = undefined;
  }

  /** Places a pod; placing it again moves or refreshes it. */
  addPod(pod: PodProfile, nodeName: string): void {
    this.removePod(pod.uid);
    const slot = this.#ensureSlot(nodeName);
    this.nodes[slot]?.pods.set(pod.uid, pod);
    this.#slotByPod.set(pod.uid, slot);
    this.#account(slot, { pod, sign: 1 });
  }

  removePod(uid: string): boolean {
    const slot = this.#slotByPod.get(uid);
    const pod = slot === undefined ? undefined : this.nodes[slot]?.pods.get(uid);
    if (slot === undefined || !pod) return false;
    this.nodes[slot]?.pods.delete(uid);
    this.#slotByPod.delete(uid);
    this.#account(slot, { pod, sign: -1 });
    return true;
  }

  /** Labels decide which pods a namespaceSelector means, so the counters start over. */
  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
    for (const [key, { selector }] of this.#counters) {
      if (selector.namespaceSelector) this.#counters.delete(key);
    }
  }

  /** The value of a topology label per slot. */
  topology(key: string): readonly (string | undefined)[] {
    let column = this.#topologies.get(key);
    if (!column) {
      column = this.nodes.map((node) => (node.present ? node.labels[key] : undefined));
      this.#topologies.set(key, column);
    }
    return column;
  }

  /** How many placed, not terminating pods a selector matches, per slot; kept current. */
  countsOf(selector: PodSelector): readonly number[] {
    let counter = this.#counters.get(selector.key);
    if (counter) {
      this.#counters.delete(selector.key);
    } else {
      const counts = this.nodes.map(({ pods }) => {
        let count = 0;
        for (const pod of pods.values()) if (this.#counts(selector, pod)) count++;
        return count;
      });
      counter = { selector, counts };
      const [oldest] = this.#counters.keys();
      if (this.#counters.size >= COUNTERS_MAX && oldest !== undefined) {
        this.#counters.delete(oldest);
      }
    }
    this.#counters.set(selector.key, counter);
    return counter.counts;
  }

  /** Whether a pod is one of those a selector means. */
  selects(selector: PodSelector, pod: PodProfile): boolean {
    const { namespaces, namespaceSelector, requirements, ownerUid } = selector;
    if (ownerUid !== undefined) return pod.ownerUid === ownerUid;
    const inNamespace =
      namespaces.includes(pod.namespace) ||
      (namespaceSelector !== undefined &&
        matchesLabels(namespaceSelector, this.#namespaces.get(pod.namespace)));
    return inNamespace && matchesLabels(requirements, pod.labels);
  }

  #counts(selector: PodSelector, pod: PodProfile): boolean {
    return !pod.terminating && this.selects(selector, pod);
  }

  #account(slot: number, { pod, sign }: { pod: PodProfile; sign: 1 | -1 }): void {
    const slots = this.nodes.length;
    const add = (resource: string, amount: number) => {
      const column = columnOf(this.requested, { resource, slots });
      column[slot] = (column[slot] ?? 0) + sign * amount;
    };
    for (const [resource, amount] of pod.requests) add(resource, amount);
    add("pods", 1);
    for (const resource of ["cpu", "memory"] as const) {
      const column = this.scored[resource];
      column[slot] = (column[slot] ?? 0) + sign * (pod.scored.get(resource) ?? 0);
    }
    const { ports } = this.nodes[slot] as NodeEntry;
    for (const port of pod.hostPorts) accountPort(ports, { port, sign });
    for (const { selector, counts } of this.#counters.values()) {
      if (this.#counts(selector, pod)) counts[slot] = (counts[slot] ?? 0) + sign;
    }
    for (const kind of TERM_KINDS) {
      for (const term of pod[kind]) this.#accountTerm(slot, { term, kind, sign });
    }
  }

  #accountTerm(
    slot: number,
    { term, kind, sign }: { term: AffinityTerm; kind: PlacedTerm["kind"]; sign: 1 | -1 },
  ): void {
    const key = `${kind} ${term.topologyKey} ${term.weight} ${term.selector.key}`;
    let placed = this.placedTerms.get(key);
    if (!placed) {
      placed = { term, kind, counts: this.nodes.map(() => 0), total: 0 };
      this.placedTerms.set(key, placed);
    }
    placed.counts[slot] = (placed.counts[slot] ?? 0) + sign;
    placed.total += sign;
    if (placed.total === 0) this.placedTerms.delete(key);
  }

  #ensureSlot(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const free = this.nodes.findIndex((node) => !node.present && node.pods.size === 0);
    const slot = free >= 0 ? free : this.nodes.length;
    if (free >= 0) this.#slots.delete(this.nodes[free]?.name ?? "");
    this.nodes[slot] = emptyEntry(name);
    this.#slots.set(name, slot);
    const columns = [
      ...this.allocatable.values(),
      ...this.requested.values(),
      this.scored.cpu,
      this.scored.memory,
      ...[...this.#counters.values()].map(({ counts }) => counts),
      ...[...this.placedTerms.values()].map(({ counts }) => counts),
    ];
    for (const column of columns) column[slot] = 0;
    this.#topologies.clear();
    this.#live = undefined;
    return slot;
  }
}

function emptyEntry(name: string): NodeEntry {
  return {
    name,
    present: false,
    unschedulable: false,
    labels: {},
    taints: [],
    images: new Map(),
    ports: new Map(),
    pods: new Map(),
  };
}

function columnOf(
  columns: Map<string, number[]>,
  at: { resource: string; slots: number },
): number[] {
  let column = columns.get(at.resource);
  if (!column) {
    column = Array.from({ length: at.slots }, () => 0);
    columns.set(at.resource, column);
  }
  return column;
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
