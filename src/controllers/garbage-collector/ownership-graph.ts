import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { type Resource, storageNameOf } from "../../api/resource.ts";
import type { ApiObject } from "../ownership.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** What the collector knows of one object. */
export interface GraphNode {
  uid: string;
  /** Of the object that all this was read from. */
  resourceVersion: string | undefined;
  resource: Resource<ApiObject>;
  namespace: string | undefined;
  name: string;
  owners: readonly OwnerReference[];
  deleting: boolean;
  /** Being deleted, but only after its dependents. */
  waitsForDependents: boolean;
  /** Being deleted, and its dependents are to be let go. */
  orphansDependents: boolean;
  finalizers: readonly string[];
}

/** Reads what matters of an object. */
export function graphNode(resource: Resource<ApiObject>, object: ApiObject): GraphNode {
  const { uid = "", namespace, name = "", ownerReferences, finalizers } = object.metadata ?? {};
  const { resourceVersion } = object.metadata ?? {};
  const deleting = object.metadata?.deletionTimestamp !== undefined;
  return {
    uid,
    resourceVersion,
    resource,
    namespace,
    name,
    owners: ownerReferences ?? [],
    deleting,
    waitsForDependents: deleting && (finalizers?.includes(FOREGROUND) ?? false),
    orphansDependents: deleting && (finalizers?.includes(ORPHAN) ?? false),
    finalizers: finalizers ?? [],
  };
}

/** Who owns whom, kept current from the informers of all kinds. */
export class OwnershipGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  set(node: GraphNode): void {
    this.#unlink(this.#nodes.get(node.uid));
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid) ?? new Set();
      this.#dependents.set(uid, dependents.add(node.uid));
    }
  }

  delete(uid: string): void {
    this.#unlink(this.#nodes.get(uid));
    this.#nodes.delete(uid);
  }

  /** Objects that name the owner, whether or not it exists. */
  dependentsOf(uid: string): GraphNode[] {
    return Array.from(this.#dependents.get(uid) ?? [], (one) => this.#nodes.get(one)).filter(
      (node) => node !== undefined,
    );
  }

  /** Storage names of the kinds that objects of this kind own now. */
  kindsOwnedBy(resource: Resource): Set<string> {
    const kinds = new Set<string>();
    const owner = storageNameOf(resource);
    for (const [uid, dependents] of this.#dependents) {
      const node = this.#nodes.get(uid);
      if (!node || storageNameOf(node.resource) !== owner) continue;
      for (const one of dependents) {
        const dependent = this.#nodes.get(one);
        if (dependent) kinds.add(storageNameOf(dependent.resource));
      }
    }
    return kinds;
  }

  /** Every object of one kind; for a kind that the server no longer serves. */
  ofResource(isIt: (resource: Resource) => boolean): GraphNode[] {
    return [...this.#nodes.values()].filter(({ resource }) => isIt(resource));
  }

  #unlink(node: GraphNode | undefined): void {
    for (const { uid } of node?.owners ?? []) {
      const dependents = this.#dependents.get(uid);
      dependents?.delete(node?.uid ?? "");
      if (dependents?.size === 0) this.#dependents.delete(uid);
    }
  }
}
