import type { Clock } from "../../lib/clock.ts";
import type { Backend, ScanEntry, ScanRange, Version } from "../backend.ts";
import { StoreError } from "../errors.ts";
import type { EncryptionRules } from "./encryption-rules.ts";

/** Where the rules of today are; they may change at any time. */
export interface EncryptionSource {
  readonly rules: EncryptionRules;
  /** Sees every stored value before the first one is read; absent: nothing has to be prepared. */
  prepare?(stored: Iterable<Uint8Array>): Promise<void>;
}

/** Every value that can be read, in all states that are kept. */
export function* storedValues(backend: Backend): Generator<Uint8Array> {
  const { revision, compacted } = backend.state;
  for (const resource of backend.resourceNames()) {
    for (const entry of backend.scan(resource, { prefix: "", start: "", at: compacted })) {
      const bytes = entry.deleted ? undefined : entry.read().bytes;
      if (bytes) yield bytes;
    }
    for (const { bytes } of backend.history(resource, { after: compacted, upTo: revision })) {
      if (bytes) yield bytes;
    }
  }
}

/** A backend whose values are encrypted below the engine: in journal, tree and history alike. */
export class EncryptingBackend implements Backend {
  readonly gatherClock: Pick<Clock, "monotonicMs">;
  readonly #inner: Backend;
  readonly #source: EncryptionSource;

  constructor(
    inner: Backend & { gatherClock: Pick<Clock, "monotonicMs"> },
    source: EncryptionSource,
  ) {
    this.#inner = inner;
    this.gatherClock = inner.gatherClock;
    this.#source = source;
  }

  get state(): { revision: number; compacted: number } {
    return this.#inner.state;
  }

  find(resource: string, key: string, at: number): Version | undefined {
    return this.#opened(this.#inner.find(resource, key, at));
  }

  exactly(resource: string, key: string, revision: number): Version | undefined {
    return this.#opened(this.#inner.exactly(resource, key, revision));
  }

  *scan(resource: string, range: ScanRange): Generator<ScanEntry> {
    for (const entry of this.#inner.scan(resource, range)) {
      yield { ...entry, read: () => this.#open(entry.read()) };
    }
  }

  *history(resource: string, range: { after: number; upTo: number }): Generator<Version> {
    for (const version of this.#inner.history(resource, range)) yield this.#open(version);
  }

  commit(versions: readonly Version[]): Promise<void> {
    return this.#inner.commit(versions.map((version) => this.#seal(version)));
  }

  refusal(resource: string): StoreError | undefined {
    const why = this.#source.rules.for(resource).refusal();
    if (why === undefined) return undefined;
    return new StoreError("unwritable", `Cannot encrypt a value of ${resource}: ${why}`);
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  resourceNames(): Iterable<string> {
    return this.#inner.resourceNames();
  }

  isStale(resource: string, key: string): boolean {
    const stored = this.#inner.find(resource, key, Number.POSITIVE_INFINITY)?.bytes;
    return stored !== undefined && this.#source.rules.for(resource).isStale(stored);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #opened(version: Version | undefined): Version | undefined {
    return version && this.#open(version);
  }

  #open(version: Version): Version {
    const { resource, bytes } = version;
    if (!bytes) return version;
    const opened = this.#source.rules.for(resource).open(bytes, placeOf(version));
    return { ...version, bytes: opened };
  }

  #seal(version: Version): Version {
    const { resource, bytes } = version;
    if (!bytes) return version;
    return { ...version, bytes: this.#source.rules.for(resource).seal(bytes, placeOf(version)) };
  }
}

/** What a value is bound to, if its cipher binds it. */
function placeOf({ resource, key }: Version): string {
  return `${resource}/${key}`;
}
