import { statfs } from "node:fs/promises";
import path from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { compareUtf8 } from "../../lib/sorted-map.ts";
import type { ScanEntry, ScanRange, Version } from "../backend.ts";
import { StoreError, toStoreError } from "../errors.ts";
import {
  ALL_VERSIONS,
  chainEnd,
  chainPrefix,
  decodeEvent,
  decodeVersion,
  encodeEvent,
  encodeVersion,
  eventKey,
  eventRevision,
  parseVersionKey,
  rangeEnd,
  rangePrefix,
  resourceOf,
  versionKey,
} from "./version-codec.ts";

/** Raise it when what is stored changes meaning, and convert older directories on opening. */
export const FORMAT = 1;

const NO_BYTES = new Uint8Array();
const STATE_KEY = Buffer.from("m");
/** Address space only: the file grows with its content, and the map beyond this when it must. */
const MAP_BYTES = 4 * 2 ** 30;
const COMPACT_EVENTS = 512;
/** With less free space than any commit needs, a failed write is put down to the full disk. */
const FREE_MIN_BYTES = 4 << 20;

/** What the tree knows about itself; stored with every change. */
export interface TreeState {
  format: number;
  /** Newest revision in the tree. */
  revision: number;
  /** History up to here was given up. */
  compacted: number;
  /** Newest journal record whose versions are in the tree. */
  sequence: number;
}

/**
 * Versions and events in one LMDB tree. A change is durable when its promise resolves: LMDB runs
 * with neither asynchronous flushes nor overlapping ones.
 */
export class VersionTree implements AsyncDisposable {
  readonly #file: string;
  readonly #db: RootDatabase<Buffer, Buffer> & Database<Buffer, Buffer>;
  #state: TreeState;
  /** Changes follow one another, since each stores the state that the one before left. */
  #lastChange: Promise<void> = Promise.resolve();

  private constructor(file: string, db: RootDatabase<Buffer, Buffer>, state: TreeState) {
    this.#file = file;
    this.#db = db;
    this.#state = state;
  }

  /** @throws StoreError "newer-format" */
  static async open(file: string): Promise<VersionTree> {
    const db = open<Buffer, Buffer>({
      path: file,
      noSubdir: true,
      encoding: "binary",
      keyEncoding: "binary",
      cache: false,
      compression: false,
      overlappingSync: false,
      eventTurnBatching: false,
      mapSize: MAP_BYTES,
    });
    const stored = db.get(STATE_KEY);
    const fresh: TreeState = { format: FORMAT, revision: 0, compacted: 0, sequence: 0 };
    const state = stored ? (JSON.parse(stored.toString()) as TreeState) : fresh;
    if (state.format > FORMAT) {
      await db.close();
      throw new StoreError(
        "newer-format",
        `Cannot open store "${file}": it has format ${state.format}, this version reads up to ${FORMAT}`,
      );
    }
    const tree = new VersionTree(file, db, state);
    if (!stored) await tree.#change({}, () => {});
    return tree;
  }

  get state(): Readonly<TreeState> {
    return this.#state;
  }

  find(resource: string, key: string, at: number): Version | undefined {
    const chain = chainPrefix(resource, key);
    const range = { start: chainEnd(chain, at), end: chain, reverse: true, limit: 1 };
    for (const { key: stored, value } of this.#db.getRange(range)) {
      return decodeVersion(resource, stored, value);
    }
    return undefined;
  }

  /** The value that the write with this revision left. */
  exactly(resource: string, key: string, revision: number): Version | undefined {
    const stored = versionKey({ resource, key, revision, bytes: NO_BYTES });
    const value = this.#db.get(stored);
    return value && decodeVersion(resource, stored, value);
  }

  *scan(resource: string, { prefix, start, at }: ScanRange): Generator<ScanEntry> {
    const whole = rangePrefix(resource, prefix);
    const first = rangePrefix(resource, start);
    const from = Buffer.compare(first, whole) > 0 ? first : whole;
    let newest: Buffer | undefined;
    let current: ReturnType<typeof parseVersionKey> | undefined;
    for (const stored of this.#db.getKeys({ start: from, end: rangeEnd(whole) })) {
      const parsed = parseVersionKey(stored);
      // A start of "key\0" also meets the versions of "key", which end their key with a NUL.
      if (compareUtf8(parsed.key, start) < 0) continue;
      if (newest && current && current.key !== parsed.key) {
        yield this.#entry(resource, newest, current);
        newest = undefined;
      }
      if (parsed.revision > at) continue;
      newest = stored;
      current = parsed;
    }
    if (newest && current) yield this.#entry(resource, newest, current);
  }

  *history(resource: string, { after, upTo }: { after: number; upTo: number }): Generator<Version> {
    const range = { start: eventKey(after + 1), end: eventKey(upTo + 1) };
    for (const { key: stored, value } of this.#db.getRange(range)) {
      const event = decodeEvent(value);
      if (event.resource !== resource) continue;
      const version = this.find(resource, event.key, eventRevision(stored));
      if (version) yield version;
    }
  }

  /** Names of resources with any version, live or not. */
  *resourceNames(): Generator<string> {
    let { start } = ALL_VERSIONS;
    for (;;) {
      const [stored] = this.#db.getKeys({ start, end: ALL_VERSIONS.end, limit: 1 });
      if (!stored) return;
      const name = resourceOf(stored);
      yield name;
      start = rangeEnd(rangePrefix(name, ""));
    }
  }

  /**
   * Adds versions, by their `value` where it is there already; resolves when they are durable, and
   * reads no memory of theirs any more. All or nothing.
   */
  async add(versions: readonly (Version & { value?: Buffer })[], sequence: number): Promise<void> {
    const revision = versions.at(-1)?.revision ?? this.#state.revision;
    await this.#change({ revision, sequence }, () => {
      for (const version of versions) {
        this.#queue(versionKey(version), version.value ?? encodeVersion(version));
        this.#queue(eventKey(version.revision), encodeEvent(version));
      }
    });
  }

  /** Gives up history, in steps that leave room for writes; a crash between them is harmless. */
  async compact(revision: number): Promise<void> {
    await this.#change({ compacted: revision }, () => {});
    for (;;) {
      const range = { start: eventKey(0), end: eventKey(revision + 1), limit: COMPACT_EVENTS };
      const events = [...this.#db.getRange(range)];
      if (events.length === 0) return;
      const doomed = new Map<string, Buffer>();
      for (const { key: stored, value } of events) {
        doomed.set(stored.toString("latin1"), stored);
        for (const version of this.#superseded(decodeEvent(value), revision)) {
          doomed.set(version.toString("latin1"), version);
        }
      }
      await this.#change({}, () => {
        for (const stored of doomed.values()) this.#ignore(this.#db.remove(stored));
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastChange;
    await this.#db.close();
  }

  /** Versions that no state from `revision` on shows. */
  #superseded({ resource, key }: { resource: string; key: string }, revision: number): Buffer[] {
    const chain = chainPrefix(resource, key);
    const range = { start: chain, end: chainEnd(chain, revision) };
    const versions = [...this.#db.getKeys(range)];
    const newest = versions.at(-1);
    if (newest && !parseVersionKey(newest).deleted) versions.pop();
    return versions;
  }

  #entry(
    resource: string,
    stored: Buffer,
    { key, revision, deleted }: ReturnType<typeof parseVersionKey>,
  ): ScanEntry {
    const read = () => decodeVersion(resource, stored, this.#db.get(stored) ?? Buffer.alloc(8));
    return { key, revision, deleted, read };
  }

  #change(update: Partial<TreeState>, queueAll: () => void): Promise<void> {
    const change = this.#lastChange.then(async () => {
      const state = { ...this.#state, ...update };
      const commit = this.#db.batch(() => {
        queueAll();
        this.#queue(STATE_KEY, Buffer.from(JSON.stringify(state)));
      });
      await commit.catch((error: unknown) => this.#explain(error));
      // Reads of this turn must not go on with a snapshot from before the commit.
      this.#db.resetReadTxn();
      this.#state = state;
    });
    this.#lastChange = change.catch(() => {});
    return change;
  }

  /** LMDB calls a short write "input/output error"; on a full disk that is what it means. */
  async #explain(error: unknown): Promise<never> {
    const { commitError } = error as { commitError?: Promise<never> };
    const cause: unknown = await Promise.resolve(commitError).catch((reason: unknown) => reason);
    const { bavail, bsize } = await statfs(path.dirname(this.#file));
    const isFull = bavail * bsize < FREE_MIN_BYTES;
    throw toStoreError(isFull ? { code: "ENOSPC" } : (cause ?? error), "write to the tree");
  }

  #queue(key: Buffer, value: Buffer): void {
    this.#ignore(this.#db.put(key, value));
  }

  /** Parts of a batch fail with the batch, whose promise is the one that is awaited. */
  #ignore(part: Promise<boolean>): void {
    part.catch(() => {});
  }
}
