import type { PodProfile } from "../pod/pod-profile.ts";
import type { PodSelector } from "../pod/pod-selector.ts";

interface Selecting {
  selector: PodSelector;
}

/**
 * Finds the selectors that may mean a pod without asking each: a selector is filed under its
 * namespace and one label value that it demands, where it has such.
 */
export class SelectorIndex<T extends Selecting> {
  readonly #files = new Map<string, Set<T>>();

  add(item: T): void {
    for (const file of filesOf(item.selector)) {
      const items = this.#files.get(file);
      if (items) items.add(item);
      else this.#files.set(file, new Set([item]));
    }
  }

  delete(item: T): void {
    for (const file of filesOf(item.selector)) {
      const items = this.#files.get(file);
      items?.delete(item);
      if (items?.size === 0) this.#files.delete(file);
    }
  }

  /** Calls `visit` for every item whose selector might mean pods of the profile. */
  candidates({ namespace, labels }: PodProfile, visit: (item: T) => void): void {
    if (this.#files.size === 0) return;
    this.#files.get("")?.forEach(visit);
    this.#files.get(namespace)?.forEach(visit);
    for (const key in labels) this.#files.get(`${namespace} ${key}=${labels[key]}`)?.forEach(visit);
  }
}

function filesOf(selector: PodSelector): readonly string[] {
  if (selector.all) return selector.all[0] ? filesOf(selector.all[0]) : [];
  const { namespaces, namespaceSelector, requirements, ownerUid } = selector;
  if (namespaceSelector) return [""];
  if (ownerUid !== undefined) return namespaces;
  if (!requirements) return [];
  const exact = requirements.find(({ operator, values }) => operator === "In" && values[0]);
  if (exact?.values.length !== 1) return namespaces;
  return namespaces.map((namespace) => `${namespace} ${exact.key}=${exact.values[0]}`);
}
