import type { AffinityTerm, PodAffinities } from "../pod/affinity-terms.ts";
import type { PodProfile } from "../pod/pod-profile.ts";
import type { PodSelector } from "../pod/pod-selector.ts";
import { PodCounts } from "./pod-counts.ts";
import { SelectorIndex } from "./selector-index.ts";

/** A term of pods that are placed already, and on which slots they are. */
export interface PlacedTerm {
  readonly key: string;
  readonly kind: keyof PodAffinities;
  readonly term: AffinityTerm;
  readonly selector: PodSelector;
  readonly counts: PodCounts;
}

const KINDS = ["affinity", "antiAffinity", "preferredAffinity", "preferredAntiAffinity"] as const;

/** What placed pods ask about others, found by the pod that it is about. */
export class PlacedTerms {
  /** Changes when a term comes or goes, not with the number of its pods. */
  version = 0;
  readonly #terms = new Map<string, PlacedTerm>();
  readonly #index = new SelectorIndex<PlacedTerm>();

  get size(): number {
    return this.#terms.size;
  }

  /** The terms of a profile; they are found once a pod of it is added. */
  termsOf(profile: PodProfile): PlacedTerm[] {
    return KINDS.flatMap((kind) =>
      profile[kind].map((term): PlacedTerm => {
        const key = `${kind} ${term.topologyKey} ${term.weight} ${term.selector.key}`;
        const { selector } = term;
        return this.#terms.get(key) ?? { key, kind, term, selector, counts: new PodCounts() };
      }),
    );
  }

  /** Adds or removes a pod that has a term. Two terms of one key are one. */
  add(term: PlacedTerm, of: { slot: number; delta: number }): void {
    let known = this.#terms.get(term.key);
    if (!known) {
      known = term;
      this.#terms.set(term.key, term);
      this.#index.add(term);
      this.version++;
    }
    known.counts.add(of.slot, of.delta);
    if (known.counts.total > 0) return;
    this.#terms.delete(term.key);
    this.#index.delete(known);
    this.version++;
  }

  /** Calls `visit` for every term that might be about pods of the profile. */
  candidates(profile: PodProfile, visit: (term: PlacedTerm) => void): void {
    if (this.#terms.size > 0) this.#index.candidates(profile, visit);
  }
}
