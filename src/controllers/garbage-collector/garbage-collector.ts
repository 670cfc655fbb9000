import { isConflict, isNotFound } from "../../api/errors.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { type Resource, storageNameOf } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";
import type { Change, Informer, InformerFactory } from "../../client/informer.ts";
import { OWNERSHIP } from "../../client/ownership-projection.ts";
import { WorkQueue } from "../../client/work-queue.ts";
import { type Clock, sleep, type Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { discoverResources, type ServedResource } from "../discovery.ts";
import { type ApiObject, uidOf } from "../ownership.ts";
import { type GarbageStep, type OwnerState, planGarbage } from "./garbage-plan.ts";
import { type GraphNode, graphNode, OwnershipGraph } from "./ownership-graph.ts";

/** Writes under way together share a commit. */
const WORKERS = 32;
/** How often new kinds (custom resources) are looked for. */
const DISCOVERY_MS = 10_000;
const ABSENT_MAX = 2000;
/** A kind that cannot be listed for so long does not hold up the start. */
const SYNC_MAX_MS = 30_000;
/** A kind that cannot be read live so often in a row is judged by what was seen of it. */
const LIVE_FAILURES_MAX = 5;
const LOOK_AGAIN_MS = 5_000;
/** Too many, too short-lived, and owners of nothing. */
const IGNORED: ReadonlySet<string> = new Set(["core/events", "events.k8s.io/events"]);

/** What the collector speaks through. */
export interface GarbageCollectorOptions {
  /** Unrestricted: any kind may own any other. */
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  logger: Logger;
}

/**
 * Deletes objects whose owners are gone, in the foreground, in the background, or lets them go, as
 * each deletion asks. Follows every kind that discovery names, so it is not a controller with
 * inputs known in advance. Disposing waits for steps under way.
 */
export function runGarbageCollector(options: GarbageCollectorOptions): AsyncDisposable {
  const collector = new GarbageCollector(options);
  collector.start();
  return collector;
}

interface Followed {
  resource: ServedResource;
  informer: Informer<ApiObject>;
}

class GarbageCollector implements AsyncDisposable {
  readonly #options: GarbageCollectorOptions;
  readonly #graph = new OwnershipGraph();
  readonly #queue: WorkQueue;
  readonly #followed = new Map<string, Followed>();
  /** Objects whose owner is of a kind that is not followed (yet): nothing is known of it. */
  readonly #undecided = new Set<string>();
  /** Owners that a live read, or their own end, proved absent. */
  readonly #absent = new Set<string>();
  #workers: Promise<void>[] = [];
  #timer: Timer | undefined;
  #discovering: Promise<void> | undefined;
  /** Resolves when every kind of the first discovery is in the graph, or has had its time. */
  #synced: Promise<void> | undefined;
  readonly #syncing = new AbortController();
  #stopped = false;

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock });
  }

  start(): void {
    this.#workers = Array.from({ length: WORKERS }, () => this.#work());
    this.#discover();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#syncing.abort();
    this.#queue[Symbol.dispose]();
    await this.#discovering;
    await Promise.all(this.#workers);
    for (const { informer } of this.#followed.values()) informer[Symbol.dispose]();
  }

  #discover(): void {
    const { client, clock, logger } = this.#options;
    this.#discovering = discoverResources(client.transport)
      .then(
        ({ resources, failures }) => {
          if (!this.#stopped) this.#follow(resources, new Set(failures.map(groupOf)));
        },
        (error: unknown) => logger.warn("discovery failed", { error }),
      )
      .then(() => {
        if (this.#stopped) return;
        this.#timer = clock.setTimer(DISCOVERY_MS, () => this.#discover());
      });
  }

  /** Starts to follow new kinds; leaves those that are gone, but not for a group's silence. */
  #follow(resources: readonly ServedResource[], silentGroups: ReadonlySet<string>): void {
    const served = new Map<string, ServedResource>();
    for (const resource of resources) {
      const name = storageNameOf(resource);
      const usable = ["list", "watch", "delete"].every((verb) => resource.verbs.includes(verb));
      if (usable && !IGNORED.has(name)) served.set(name, resource);
    }
    let isNew = false;
    for (const [name, resource] of served) {
      const before = this.#followed.get(name);
      if (before?.resource.version === resource.version) continue;
      isNew = true;
      const informer = this.#options.informers.informer(resource, {
        projection: OWNERSHIP,
      });
      this.#followed.set(name, { resource, informer });
      informer.onChange((change) => this.#observe(resource, change));
      // Another version shows the same objects; only those that went meanwhile are gone.
      if (before) void informer.synced.then(() => this.#forgetMissing(name, informer));
      before?.informer[Symbol.dispose]();
    }
    for (const [name, { resource }] of this.#followed) {
      if (!served.has(name) && !silentGroups.has(resource.group)) this.#unfollow(name);
    }
    this.#synced ??= this.#firstSync();
    if (!isNew) return;
    for (const uid of this.#undecided) this.#queue.add(uid);
    this.#undecided.clear();
  }

  /**
   * A graph without some kind would take owners for free to go. Only the start waits for that: a
   * kind that comes later may be gone again before it was ever listed, and must not hold up what
   * concerns other kinds. What its objects own, or are owned by, is then read live or seen late.
   */
  #firstSync(): Promise<void> {
    const all = [...this.#followed.values()].map(({ informer }) => informer.synced);
    void Promise.all(all).then(() => this.#syncing.abort());
    return sleep(this.#options.clock, SYNC_MAX_MS, this.#syncing.signal);
  }

  #forgetMissing(name: string, informer: Informer<ApiObject>): void {
    if (this.#followed.get(name)?.informer !== informer) return;
    for (const node of this.#graph.ofResource((one) => storageNameOf(one) === name)) {
      const now = informer.get(node.namespace, node.name);
      if (!now || uidOf(now) !== node.uid) this.#gone(node.uid);
    }
  }

  #unfollow(name: string): void {
    const followed = this.#followed.get(name);
    if (!followed) return;
    this.#followed.delete(name);
    followed.informer[Symbol.dispose]();
    for (const { uid } of this.#graph.ofResource((one) => storageNameOf(one) === name)) {
      this.#gone(uid);
    }
  }

  #observe(resource: ServedResource, change: Change<ApiObject>): void {
    const uid = uidOf(change.object);
    if (change.type === "deleted") {
      this.#gone(uid);
      return;
    }
    const node = graphNode(resource, change.object);
    const before = this.#graph.get(uid);
    this.#absent.delete(uid);
    this.#graph.set(node);
    for (const owner of before?.owners ?? []) this.#unblocked(owner.uid, node);
    const due = node.owners.length > 0 || node.waitsForDependents || node.orphansDependents;
    if (due) this.#queue.add(uid);
  }

  /** An owner that waits may be free when a dependent no longer blocks it. */
  #unblocked(owner: string, { owners }: GraphNode): void {
    const isBlocked = owners.some((one) => one.uid === owner && one.blockOwnerDeletion === true);
    if (!isBlocked && this.#graph.get(owner)?.waitsForDependents) this.#queue.add(owner);
  }

  #gone(uid: string): void {
    this.#undecided.delete(uid);
    const owners = this.#graph.get(uid)?.owners ?? [];
    this.#graph.delete(uid);
    this.#markAbsent(uid);
    for (const dependent of this.#graph.dependentsOf(uid)) this.#queue.add(dependent.uid);
    // Owners that wait for their dependents may be free now.
    for (const owner of owners) {
      if (this.#graph.get(owner.uid)?.waitsForDependents) this.#queue.add(owner.uid);
    }
  }

  #markAbsent(uid: string): void {
    this.#absent.add(uid);
    const [oldest] = this.#absent;
    if (this.#absent.size > ABSENT_MAX && oldest !== undefined) this.#absent.delete(oldest);
  }

  async #work(): Promise<void> {
    for (let uid = await this.#queue.take(); uid !== undefined; uid = await this.#queue.take()) {
      try {
        await this.#synced;
        await this.#visit(uid);
        this.#queue.forget(uid);
      } catch (error) {
        if (this.#stopped) return;
        const { attempt } = this.#queue.retry(uid);
        const level = attempt < 4 || isConflict(error) ? "debug" : "warn";
        this.#options.logger[level]("collection failed", { uid, attempt, error });
      } finally {
        this.#queue.done(uid);
      }
    }
  }

  async #visit(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    const states = new Map<string, OwnerState>();
    const needsOwners = !node.deleting;
    for (const owner of needsOwners ? node.owners : []) {
      states.set(owner.uid, await this.#ownerState(node, owner));
    }
    const steps = planGarbage(node, {
      ownerState: (owner) => states.get(owner.uid) ?? "unknown",
      dependents: this.#graph.dependentsOf(uid),
    });
    for (const step of steps) await this.#execute(node, step);
  }

  async #ownerState(node: GraphNode, owner: OwnerReference): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid);
    // An owner in another namespace is none: names are only unique inside one.
    if (known && (known.namespace === undefined || known.namespace === node.namespace)) {
      return known.waitsForDependents ? "waiting" : "present";
    }
    if (this.#absent.has(owner.uid)) return "absent";
    const resource = this.#resourceOf(owner);
    if (!resource) {
      this.#undecided.add(node.uid);
      return "unknown";
    }
    // A namespaced owner of a cluster-scoped object cannot be found, so nothing proves its end.
    if (resource.namespaced && !node.namespace) return "unknown";
    // The cache may lag, so only the server's own answer proves absence.
    const ref = { name: owner.name, ...(resource.namespaced ? { namespace: node.namespace } : {}) };
    const live = await this.#options.client.for(resource).get(ref).catch(absentAsUndefined);
    if (live && uidOf(live) === owner.uid) {
      // Should it go before the graph shows it, nothing would tell of its end.
      this.#queue.addAfter(node.uid, LOOK_AGAIN_MS);
      return "present";
    }
    this.#markAbsent(owner.uid);
    return "absent";
  }

  #resourceOf(owner: OwnerReference): Resource<ApiObject> | undefined {
    const group = groupOf({ groupVersion: owner.apiVersion });
    for (const { resource } of this.#followed.values()) {
      if (resource.group === group && resource.kind === owner.kind) return resource;
    }
    return undefined;
  }

  async #execute(node: GraphNode, step: GarbageStep): Promise<void> {
    const objects = this.#options.client.for(node.resource);
    const ref = { name: node.name, namespace: node.namespace };
    switch (step.do) {
      case "delete":
        await objects
          .delete(ref, { propagationPolicy: step.policy, preconditions: preconditionsOf(node) })
          .catch(absentAsUndefined);
        break;
      case "drop-owners":
        await this.#editOwners(node, (owners) =>
          owners.filter(({ uid }) => !step.uids.includes(uid)),
        );
        break;
      case "unblock-owners":
        await this.#editOwners(node, (owners) =>
          owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
        );
        break;
      case "release":
        for (const dependent of await this.#dependentsNow(node, step.dependents)) {
          await this.#editOwners(dependent, (owners) =>
            owners.filter(({ uid }) => uid !== node.uid),
          );
        }
        break;
      case "remove-finalizer":
        await this.#edit(node, ({ finalizers = [] }) => ({
          finalizers: finalizers.filter((one) => one !== step.finalizer),
        }));
        break;
      case "visit":
        for (const { uid } of step.nodes) this.#queue.add(uid);
        break;
    }
  }

  /**
   * The graph may lag behind the deletion that asks for orphans, and whoever is not let go now is
   * collected later. So the kinds that such owners are known to have, or else all, are read live.
   */
  async #dependentsNow(owner: GraphNode, known: readonly GraphNode[]): Promise<GraphNode[]> {
    const kinds = this.#graph.kindsOwnedBy(owner.resource);
    const dependents = new Map(known.map((node) => [node.uid, node]));
    for (const [name, { resource, informer }] of this.#followed) {
      if (kinds.size > 0 && !kinds.has(name)) continue;
      if (owner.namespace !== undefined && !resource.namespaced) continue;
      const items = await this.#listNow(resource, { owner, hasSynced: informer.hasSynced });
      for (const item of items) {
        const node = graphNode(resource, item);
        if (node.owners.some(({ uid }) => uid === owner.uid)) dependents.set(node.uid, node);
      }
    }
    return [...dependents.values()];
  }

  /** Nothing of a kind that went meanwhile, or whose server has been failing for a while. */
  async #listNow(
    resource: ServedResource,
    { owner, hasSynced }: { owner: GraphNode; hasSynced: boolean },
  ): Promise<readonly ApiObject[]> {
    const { namespace } = owner;
    try {
      return (await this.#options.client.for(resource).list({ namespace })).items;
    } catch (error) {
      const isHopeless = !hasSynced || this.#queue.failuresOf(owner.uid) >= LIVE_FAILURES_MAX;
      if (isNotFound(error) || isHopeless) return [];
      throw error;
    }
  }

  #editOwners(
    node: GraphNode,
    edit: (owners: readonly OwnerReference[]) => OwnerReference[],
  ): Promise<void> {
    return this.#edit(node, ({ ownerReferences = [] }) => ({
      ownerReferences: edit(ownerReferences),
    }));
  }

  /** Changes metadata of the live object; whoever writes first wins and we try again. */
  async #edit(
    node: GraphNode,
    edit: (metadata: NonNullable<ApiObject["metadata"]>) => object,
  ): Promise<void> {
    const objects = this.#options.client.for(node.resource);
    const ref = { name: node.name, namespace: node.namespace };
    const live = await objects.get(ref).catch(absentAsUndefined);
    if (!live || uidOf(live) !== node.uid) return;
    const { resourceVersion = "" } = live.metadata ?? {};
    const metadata = { resourceVersion, uid: node.uid, ...edit(live.metadata ?? {}) };
    await objects.patch(ref, { metadata }).catch(absentAsUndefined);
  }
}

/** What was decided on stale owners must not hit an object that has been given others. */
function preconditionsOf({ uid, resourceVersion }: GraphNode) {
  return resourceVersion === undefined ? { uid } : { uid, resourceVersion };
}

function groupOf({ groupVersion }: { groupVersion: string }): string {
  const slash = groupVersion.indexOf("/");
  return slash < 0 ? "" : groupVersion.slice(0, slash);
}

function absentAsUndefined(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
