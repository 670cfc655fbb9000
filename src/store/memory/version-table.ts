import { compareUtf8, SortedMap } from "../../lib/sorted-map.ts";
import type { ScanEntry, ScanRange, Version } from "../backend.ts";

/** Versions in memory, ordered by key and by revision. Bytes are kept as given, not copied. */
export class VersionTable<V extends Version = Version> {
  readonly #resources = new Map<string, SortedMap<V[]>>();
  #log: V[] = [];

  get log(): readonly V[] {
    return this.#log;
  }

  /** Adds versions, newer than all present ones and in revision order. */
  add(versions: readonly V[]): void {
    for (const version of versions) {
      this.#log.push(version);
      const keys = this.#keysOf(version.resource);
      const chain = keys.get(version.key);
      if (chain) chain.push(version);
      else keys.set(version.key, [version]);
    }
  }

  find(resource: string, key: string, at: number): V | undefined {
    const chain = this.#resources.get(resource)?.get(key);
    return chain && newestAt(chain, at);
  }

  exactly(resource: string, key: string, revision: number): V | undefined {
    const version = this.find(resource, key, revision);
    return version?.revision === revision ? version : undefined;
  }

  *scan(resource: string, { prefix, start, at }: ScanRange): Generator<ScanEntry> {
    const keys = this.#resources.get(resource);
    if (!keys) return;
    for (const [key, chain] of keys.entriesFrom(laterKey(start, prefix))) {
      if (!key.startsWith(prefix)) return;
      const version = newestAt(chain, at);
      if (!version) continue;
      const { revision, bytes } = version;
      yield { key, revision, deleted: !bytes, read: () => version };
    }
  }

  *history(resource: string, { after, upTo }: { after: number; upTo: number }): Generator<V> {
    for (let at = firstAfter(this.#log, after); at < this.#log.length; at++) {
      const version = this.#log[at] as V;
      if (version.revision > upTo) return;
      if (version.resource === resource) yield version;
    }
  }

  /** Removes versions that a newer one with revision <= `revision` replaced, and its own marks. */
  compact(revision: number): void {
    this.#dropUpTo(revision, (chain) => {
      const newest = chain.findLastIndex((version) => version.revision <= revision);
      chain.splice(0, chain[newest]?.bytes ? newest : newest + 1);
    });
  }

  /** Removes every version with revision <= `revision`. */
  forget(revision: number): void {
    this.#dropUpTo(revision, (chain) => {
      const newest = chain.findLastIndex((version) => version.revision <= revision);
      chain.splice(0, newest + 1);
    });
  }

  /** Names of resources with any version, live or not. */
  resourceNames(): Iterable<string> {
    return this.#resources.keys();
  }

  #dropUpTo(revision: number, shorten: (chain: V[]) => void): void {
    const kept = firstAfter(this.#log, revision);
    for (const { resource, key } of this.#log.slice(0, kept)) {
      const keys = this.#resources.get(resource);
      const chain = keys?.get(key);
      if (!keys || !chain) continue;
      shorten(chain);
      if (chain.length === 0) keys.delete(key);
      if (keys.size === 0) this.#resources.delete(resource);
    }
    this.#log = this.#log.slice(kept);
  }

  #keysOf(resource: string): SortedMap<V[]> {
    let keys = this.#resources.get(resource);
    if (!keys) {
      keys = new SortedMap();
      this.#resources.set(resource, keys);
    }
    return keys;
  }
}

function newestAt<V extends Version>(chain: readonly V[], at: number): V | undefined {
  for (let i = chain.length - 1; i >= 0; i--) {
    const version = chain[i] as V;
    if (version.revision <= at) return version;
  }
  return undefined;
}

function firstAfter(log: readonly Version[], revision: number): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log[middle] as Version).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

function laterKey(a: string, b: string): string {
  return compareUtf8(a, b) > 0 ? a : b;
}
