import type { Labels } from "../../lib/labels.ts";

interface Entry {
  namespace: string;
  selector: Labels;
}

/** What Services select: pods behind one are to be spread, whoever made them. */
export class ServiceSelectors {
  /** Changes with any selector. */
  version = 0;
  readonly #entries = new Map<string, Entry>();

  /** Takes a Service over; one without a selector means no pods. */
  set(key: string, of: { namespace: string; selector: Labels | undefined }): void {
    const { namespace, selector } = of;
    const known = this.#entries.get(key);
    const isSelective = selector !== undefined && Object.keys(selector).length > 0;
    if (!isSelective) {
      if (this.#entries.delete(key)) this.version++;
      return;
    }
    if (known && sameLabels(known.selector, selector)) return;
    this.#entries.set(key, { namespace, selector });
    this.version++;
  }

  /** The selectors of all Services that mean such a pod, as one; undefined when none does. */
  of(namespace: string, labels: Labels): Labels | undefined {
    let merged: Labels | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.namespace !== namespace) continue;
      const wanted = Object.entries(entry.selector);
      if (!wanted.every(([key, value]) => labels[key] === value)) continue;
      merged = { ...merged, ...entry.selector };
    }
    return merged;
  }
}

function sameLabels(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
