import type { Clock, Timer } from "../../lib/clock.ts";
import { compareUtf8 } from "../../lib/sorted-map.ts";
import type { Backend, ScanEntry, ScanRange, Version } from "../backend.ts";
import { isStoreError } from "../errors.ts";
import { VersionTable } from "../memory/version-table.ts";
import { JOURNAL_FILE_BYTES, type Journal } from "./journal.ts";
import { encodeRecord, type JournalRecord, recordSize } from "./journal-codec.ts";
import { lasting, type RecentVersion, RecentValues } from "./recent-values.ts";
import type { VersionTree } from "./version-tree.ts";

/** Recent versions move into the tree when they are so many or so old. */
const RECENT_MAX_BYTES = JOURNAL_FILE_BYTES / 4;
const RECENT_MAX_MS = 1_000;
/**
 * They do so in steps: about every version changes a page of its own, and LMDB keeps the memory of
 * as many pages as its largest transaction changed for as long as the tree is open.
 */
const STEP_VERSIONS = 1_024;

/** What the backend is made of; it closes all but the clock. */
export interface JournaledParts {
  tree: VersionTree;
  journal: Journal;
  lock: AsyncDisposable;
  clock: Clock;
  /** Hears of each commit that is durable, and of how long it took. */
  committed?: CommitListener | undefined;
  /** Hears of every step in which versions moved into the tree. */
  moved?: (() => void) | undefined;
}

/** Is told of writes that are durable now. */
export type CommitListener = (versions: readonly Version[], durationMs: number) => void;

/**
 * Versions are durable once a journal record holds them; the tree follows in larger steps. Until
 * then they also stand in memory, in front of the tree, so that readers see both as one.
 */
export class JournaledBackend implements Backend {
  readonly gatherClock: Clock;
  readonly #tree: VersionTree;
  readonly #journal: Journal;
  readonly #lock: AsyncDisposable;
  readonly #committed: CommitListener | undefined;
  readonly #moved: (() => void) | undefined;
  readonly #recent = new VersionTable<RecentVersion>();
  readonly #values = new RecentValues();
  #recentBytes = 0;
  #sequence: number;
  #applying: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Why the tree could not follow; no new write is accepted until it could. */
  #applyError: unknown;

  constructor({ tree, journal, lock, clock, committed, moved }: JournaledParts) {
    this.#tree = tree;
    this.#journal = journal;
    this.#lock = lock;
    this.gatherClock = clock;
    this.#committed = committed;
    this.#moved = moved;
    this.#sequence = tree.state.sequence;
  }

  /** Moves what a crash left in the journal into the tree. Call once, before anything else. */
  async recover(records: readonly JournalRecord[]): Promise<void> {
    for (const { sequence, versions } of records) {
      if (sequence !== this.#sequence + 1) continue;
      this.#keep(versions);
      this.#sequence = sequence;
    }
    await this.#apply();
    // On a full disk it opens all the same: everything can be read, and writes wait for space.
    if (this.#applyError && !isStoreError(this.#applyError, "disk-full")) throw this.#applyError;
  }

  get state(): { revision: number; compacted: number } {
    const { revision, compacted } = this.#tree.state;
    return { revision: this.#recent.log.at(-1)?.revision ?? revision, compacted };
  }

  find(resource: string, key: string, at: number): Version | undefined {
    const recent = this.#recent.find(resource, key, at);
    return recent ? lasting(recent) : this.#tree.find(resource, key, at);
  }

  exactly(resource: string, key: string, revision: number): Version | undefined {
    const recent = this.#recent.exactly(resource, key, revision);
    return recent ? lasting(recent) : this.#tree.exactly(resource, key, revision);
  }

  *scan(resource: string, range: ScanRange): Generator<ScanEntry> {
    const recent = this.#scanRecent(resource, range);
    let front = recent.next();
    for (const entry of this.#tree.scan(resource, range)) {
      while (!front.done && compareUtf8(front.value.key, entry.key) < 0) {
        yield front.value;
        front = recent.next();
      }
      if (!front.done && front.value.key === entry.key) continue;
      yield entry;
    }
    for (; !front.done; front = recent.next()) yield front.value;
  }

  *history(resource: string, { after, upTo }: { after: number; upTo: number }): Generator<Version> {
    const applied = this.#tree.state.revision;
    yield* this.#tree.history(resource, { after, upTo: Math.min(upTo, applied) });
    const recent = this.#recent.history(resource, { after: Math.max(after, applied), upTo });
    for (const version of recent) yield lasting(version);
  }

  resourceNames(): Iterable<string> {
    return new Set([...this.#tree.resourceNames(), ...this.#recent.resourceNames()]);
  }

  async commit(versions: readonly Version[]): Promise<void> {
    const sinceMs = this.gatherClock.monotonicMs();
    await this.#commit(versions);
    this.#committed?.(versions, this.gatherClock.monotonicMs() - sinceMs);
  }

  async #commit(versions: readonly Version[]): Promise<void> {
    if (this.#applyError) await this.#applyAll();
    const sizeBytes = recordSize(versions);
    if (sizeBytes > RECENT_MAX_BYTES) return this.#commitToTree(versions);
    while (!this.#journal.hasRoom(sizeBytes)) {
      if (!this.#journal.turn(this.#tree.state.sequence)) await this.#applyAll();
    }
    const sequence = this.#sequence + 1;
    await this.#journal.append(encodeRecord(sequence, versions, sizeBytes), sequence);
    this.#sequence = sequence;
    this.#keep(versions);
    this.#recentBytes += sizeBytes;
    if (this.#recentBytes > RECENT_MAX_BYTES) void this.#apply();
    else this.#timer ??= this.gatherClock.setTimer(RECENT_MAX_MS, () => void this.#apply());
  }

  async compact(revision: number): Promise<void> {
    await this.#applyAll();
    await this.#tree.compact(revision);
  }

  async close(): Promise<void> {
    try {
      // A failure loses nothing: the journal is replayed at the next opening.
      await this.#apply();
    } finally {
      this.#timer?.cancel();
      await this.#journal[Symbol.asyncDispose]();
      await this.#tree[Symbol.asyncDispose]();
      await this.#lock[Symbol.asyncDispose]();
    }
  }

  #keep(versions: readonly Version[]): void {
    this.#recent.add(versions.map((version) => this.#values.keep(version)));
  }

  *#scanRecent(resource: string, range: ScanRange): Generator<ScanEntry> {
    for (const entry of this.#recent.scan(resource, range)) {
      yield { ...entry, read: () => lasting(entry.read()) };
    }
  }

  /** Large commits would fill the journal at once and gain nothing from it. */
  async #commitToTree(versions: readonly Version[]): Promise<void> {
    await this.#applyAll();
    await this.#tree.add(versions, this.#sequence);
    this.#moved?.();
  }

  /** Like `#apply`, but includes what arrived meanwhile and throws on failure. */
  async #applyAll(): Promise<void> {
    await this.#applying;
    await this.#apply();
    if (this.#applyError) throw this.#applyError;
  }

  /** Moves recent versions into the tree, one move at a time. Never rejects. */
  #apply(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#applying ??= this.#move().finally(() => (this.#applying = undefined));
    return this.#applying;
  }

  async #move(): Promise<void> {
    // A copy: commits go on while the tree is written.
    const versions = [...this.#recent.log];
    const sequence = this.#sequence;
    const movedBytes = this.#recentBytes;
    try {
      for (let at = 0; at < versions.length; at += STEP_VERSIONS) {
        const step = versions.slice(at, at + STEP_VERSIONS);
        // Until all are in, a crash replays every record: what is there already is put there again.
        const isLast = at + STEP_VERSIONS >= versions.length;
        await this.#tree.add(step, isLast ? sequence : this.#tree.state.sequence);
        const moved = step.at(-1)?.revision ?? 0;
        this.#recent.forget(moved);
        this.#values.forget(moved);
        this.#moved?.();
      }
      this.#recentBytes -= movedBytes;
      this.#applyError = undefined;
    } catch (error) {
      this.#applyError = error;
    }
    if (this.#recent.log.length > 0) {
      this.#timer ??= this.gatherClock.setTimer(RECENT_MAX_MS, () => void this.#apply());
    }
  }
}
