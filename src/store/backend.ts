import type { Clock } from "../lib/clock.ts";
import type { StoreError } from "./errors.ts";

/** One state of one key: what a write left behind. */
export interface Version {
  resource: string;
  key: string;
  revision: number;
  /** Revision of the write that created the object; kept by the mark of its deletion. */
  createRevision: number;
  /** Absent in the mark that a deletion leaves. */
  bytes: Uint8Array | undefined;
}

/** A key met by a scan; its bytes are read only when asked for. */
export interface ScanEntry {
  key: string;
  revision: number;
  deleted: boolean;
  read(): Version;
}

/** Which keys of a resource a scan visits, and as of when. */
export interface ScanRange {
  prefix: string;
  /** First key, inclusive. */
  start: string;
  /** Newest revision to see. */
  at: number;
}

/**
 * Where versions are kept. Reads are synchronous and see every version that `commit` was given and
 * finished; revision order, conflicts, watches and waiting writers are the engine's concern.
 */
export interface Backend {
  /**
   * There when a commit costs about as much whatever it holds, as one does that flushes a disk: by
   * it the engine sees how long writes may gather for one.
   */
  readonly gatherClock?: Pick<Clock, "monotonicMs">;
  /** The newest revision that is stored and the one up to which history was forgotten. */
  readonly state: { revision: number; compacted: number };
  /** The newest version of a key with revision <= `at`, deletions included. */
  find(resource: string, key: string, at: number): Version | undefined;
  /** The value that the write with this revision left: cheaper to find than the newest. */
  exactly(resource: string, key: string, revision: number): Version | undefined;
  /** For each key of the range, in key order, its newest version as of `range.at`. */
  scan(resource: string, range: ScanRange): Iterable<ScanEntry>;
  /** Versions of a resource with `after` < revision <= `upTo`, in revision order. */
  history(resource: string, range: { after: number; upTo: number }): Iterable<Version>;
  /** Stores all or nothing; resolves when durable. Never called again before it settled. */
  commit(versions: readonly Version[]): Promise<void>;
  /** Drops what only states before `revision` need. May run beside `commit`. */
  compact(revision: number): Promise<void>;
  /** Names of resources that hold any version; some may have no live key. */
  resourceNames(): Iterable<string>;
  /** Why no value of the resource may be stored now; absent where any may be at any time. */
  refusal?(resource: string): StoreError | undefined;
  /** See `Store.isStale`; absent where values have one form only. */
  isStale?(resource: string, key: string): boolean;
  close(): Promise<void>;
}
