import type { Clock } from "../lib/clock.ts";
import type { Backend, Version } from "./backend.ts";
import { isStoreError, StoreError, toStoreError } from "./errors.ts";
import type { ListOptions, ListResult, Removal, Store, StoredObject } from "./store.ts";
import type { StoreEvent, UpdateWrite } from "./store.ts";
import { WatchHub } from "./watch-hub.ts";
import { type Place, WriteTable } from "./write-table.ts";

/** A commit holds at most so many bytes; the rest of the waiting writes goes into the next one. */
const COMMIT_MAX_BYTES = 4 << 20;
const REPLAY_BATCH = 512;
/** While more and more writes wait, the next commit does so for so many turns of the event loop. */
const GATHER_TURNS_MAX = 4;
/** So many writes wait no longer. */
const GATHERED_MIN = 10;
/** Nor do any when turns are long, as while many pods start: each may bring one write only. */
const GATHER_MAX_MS = 12;
/** Of resource and key together; what every backend can index. */
const KEY_MAX_BYTES = 1024;
/** Of one UTF-16 code unit. */
const UTF8_MAX_BYTES = 3;
/** What a removal leaves. */
const NO_BYTES = new Uint8Array();

/** A write that was accepted (conflicts are settled) and waits for its commit. */
class PendingWrite {
  readonly version: Version;
  readonly result: StoredObject;
  readonly promise: Promise<StoredObject>;
  resolve!: (result: StoredObject) => void;
  reject!: (error: unknown) => void;

  constructor(version: Version, result: StoredObject) {
    this.version = version;
    this.result = result;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** What conflicts are settled by, of a value that need not be read for that. */
type Head = Pick<StoredObject, "revision" | "createRevision">;

/**
 * The store over a backend: gives out revisions, refuses conflicts, gathers writes into commits
 * and feeds watches. While one commit is on its way to disk the next one gathers: many writers
 * share a flush, a lone writer waits for nobody. Watches hear of an event before its writer does.
 */
export function createEngine(backend: Backend): Store {
  return new Engine(backend);
}

class Engine implements Store {
  readonly #backend: Backend;
  readonly #watches = new WatchHub();
  #revision: number;
  #accepted: number;
  #compacted: number;
  #queue: PendingWrite[] = [];
  /** The newest accepted write of each key that is not durable yet. */
  readonly #newest = new WriteTable<PendingWrite>();
  /** The durable heads of resources that were listed whole, by key: writes look nothing up. */
  readonly #heads = new Map<string, Map<string, Head>>();
  #pumping: Promise<void> | undefined;
  #broken: StoreError | undefined;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#revision = backend.state.revision;
    this.#accepted = this.#revision;
    this.#compacted = backend.state.compacted;
  }

  async revision(): Promise<number> {
    this.#assertUsable();
    return this.#revision;
  }

  async oldestRevision(): Promise<number> {
    this.#assertUsable();
    return this.#compacted;
  }

  async get(resource: string, key: string): Promise<StoredObject | undefined> {
    this.#assertUsable();
    return toObject(this.#backend.find(resource, key, this.#revision));
  }

  async getForUpdate(resource: string, key: string): Promise<StoredObject | undefined> {
    this.#assertUsable();
    return this.#newestValue({ resource, key });
  }

  async list(resource: string, options: ListOptions = {}): Promise<ListResult> {
    this.#assertUsable();
    const revision = options.revision || this.#revision;
    this.#assertKept(revision);
    const { prefix = "", start = "", limit = 0 } = options;
    const items: StoredObject[] = [];
    let remaining = 0;
    for (const entry of this.#backend.scan(resource, { prefix, start, at: revision })) {
      if (entry.deleted) continue;
      const item = limit > 0 && items.length >= limit ? undefined : toObject(entry.read());
      if (item) items.push(item);
      else remaining++;
    }
    const isWhole = revision === this.#revision && !prefix && !start && remaining === 0;
    if (isWhole && !this.#heads.has(resource)) {
      this.#heads.set(resource, new Map(items.map((item) => [item.key, headOf(item)])));
    }
    return { revision, items, remaining };
  }

  create(resource: string, key: string, bytes: Uint8Array): Promise<StoredObject> {
    return this.#write(resource, key, {
      bytes,
      check: (current) => {
        if (!current) return;
        throw new StoreError("exists", `Cannot create ${resource} "${key}": it exists already`, {
          revision: current.revision,
        });
      },
    });
  }

  update(resource: string, key: string, write: UpdateWrite): Promise<StoredObject> {
    const check = matching("update", { resource, key, revision: write.expectedRevision });
    return this.#write(resource, key, { bytes: write.bytes, check });
  }

  delete(resource: string, key: string, expectedRevision: number): Promise<Removal> {
    const check = matching("delete", { resource, key, revision: expectedRevision });
    return this.#write(resource, key, { bytes: undefined, check });
  }

  async watch(
    resource: string,
    fromRevision: number,
    deliver: (events: StoreEvent[]) => void,
  ): Promise<Disposable> {
    this.#assertUsable();
    if (!(fromRevision > 0)) {
      throw new RangeError(`Cannot watch ${resource} from ${fromRevision}: list first`);
    }
    this.#assertKept(fromRevision);
    const range = { after: fromRevision, upTo: this.#revision };
    let batch: StoreEvent[] = [];
    for (const version of this.#backend.history(resource, range)) {
      batch.push(toEvent(version));
      if (batch.length < REPLAY_BATCH) continue;
      deliver(batch);
      batch = [];
    }
    if (batch.length > 0) deliver(batch);
    return this.#watches.add(resource, deliver);
  }

  async compact(revision: number): Promise<void> {
    this.#assertUsable();
    if (revision > this.#revision) throw future(revision, this.#revision);
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    await this.#backend.compact(revision);
  }

  async resources(): Promise<string[]> {
    this.#assertUsable();
    return [...this.#backend.resourceNames()].filter((name) => this.#holdsLiveKey(name)).sort();
  }

  isStale(resource: string, key: string): boolean {
    return this.#backend.isStale?.(resource, key) ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (isStoreError(this.#broken, "closed")) return;
    const failed = this.#broken;
    this.#broken = new StoreError("closed", "Cannot use the store: it was closed");
    this.#watches.clear();
    if (!failed) await this.#pumping;
    await this.#backend.close();
  }

  /** Settled at once unless it collides with a write that is on its way. */
  #write(
    resource: string,
    key: string,
    write: { bytes: Uint8Array | undefined; check: (current: Head | undefined) => void },
  ): Promise<StoredObject> {
    const target = { resource, key, bytes: write.bytes };
    let current: Head | undefined;
    try {
      assertPlace(target);
      this.#assertUsable();
      const unwritable = write.bytes && this.#backend.refusal?.(resource);
      if (unwritable) throw unwritable;
      current = this.#head(target);
      write.check(current);
    } catch (refusal) {
      const blocker = this.#broken ? undefined : this.#newest.get(target);
      if (!blocker) return Promise.reject(refusal);
      // A refusal must not rest on a write that may still fail: whoever is refused reads next.
      const again = () => this.#write(resource, key, write);
      return blocker.promise.then(again, again);
    }
    return this.#accept(target, current);
  }

  /** What the newest accepted write of a key left there. */
  #head(place: Place): Head | undefined {
    const pending = this.#newest.get(place);
    if (pending) return pending.version.bytes && pending.version;
    const heads = this.#heads.get(place.resource);
    return heads ? heads.get(place.key) : this.#newestValue(place);
  }

  #newestValue(place: Place): StoredObject | undefined {
    const pending = this.#newest.get(place);
    if (pending) return toObject(pending.version);
    const { resource, key } = place;
    const heads = this.#heads.get(resource);
    if (!heads) return toObject(this.#backend.find(resource, key, this.#revision));
    const head = heads.get(key);
    return head && toObject(this.#backend.exactly(resource, key, head.revision));
  }

  #accept(
    target: Pick<Version, "resource" | "key" | "bytes">,
    previous: Head | undefined,
  ): Promise<StoredObject> {
    const revision = ++this.#accepted;
    const createRevision = previous?.createRevision ?? revision;
    const { resource, key } = target;
    // Not spread: every write passes here.
    const version: Version = { resource, key, bytes: target.bytes, revision, createRevision };
    const bytes = target.bytes ?? NO_BYTES;
    const result: StoredObject = { key, bytes, revision, createRevision };
    const pending = new PendingWrite(version, result);
    this.#queue.push(pending);
    this.#newest.set(version, pending);
    this.#pumping ??= this.#pump();
    return pending.promise;
  }

  async #pump(): Promise<void> {
    await Promise.resolve();
    const clock = this.#backend.gatherClock;
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      const beganMs = clock?.monotonicMs() ?? 0;
      try {
        await this.#backend.commit(batch.map(({ version }) => version));
      } catch (error) {
        this.#fail(batch, toStoreError(error, "write"));
        continue;
      }
      this.#finish(batch);
      if (clock) await this.#gather(clock, beganMs);
    }
    this.#pumping = undefined;
  }

  /** Lets writes that are just being made join those that waited for the last commit. */
  async #gather(clock: Pick<Clock, "monotonicMs">, beganMs: number): Promise<void> {
    let waited = 0;
    for (let turn = 0; turn < GATHER_TURNS_MAX; turn++) {
      const { length } = this.#queue;
      if (length === waited || length >= GATHERED_MIN) return;
      if (clock.monotonicMs() - beganMs > GATHER_MAX_MS) return;
      waited = length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #takeBatch(): PendingWrite[] {
    let sizeBytes = 0;
    let count = 0;
    for (const { version } of this.#queue) {
      sizeBytes += (version.bytes?.length ?? 0) + version.key.length;
      if (count > 0 && sizeBytes > COMMIT_MAX_BYTES) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #finish(batch: readonly PendingWrite[]): void {
    this.#revision = batch.at(-1)?.version.revision ?? this.#revision;
    const events = new Map<string, StoreEvent[]>();
    for (const pending of batch) {
      const { version, result } = pending;
      if (this.#newest.get(version) === pending) this.#newest.delete(version);
      const heads = this.#heads.get(version.resource);
      if (heads) recordHead(heads, version);
      pending.resolve(result);
      if (!this.#watches.has(version.resource)) continue;
      const list = events.get(version.resource);
      const event = toEvent(version);
      if (list) list.push(event);
      else events.set(version.resource, [event]);
    }
    for (const [resource, list] of events) this.#watches.deliver(resource, list);
  }

  /** Waiting writes were checked against the failed ones, so they fail with them. */
  #fail(batch: readonly PendingWrite[], error: StoreError): void {
    if (error.code !== "disk-full") this.#broken ??= error;
    const failed = [...batch, ...this.#queue];
    this.#queue = [];
    this.#newest.clear();
    for (const pending of failed) pending.reject(error);
  }

  #holdsLiveKey(resource: string): boolean {
    const range = { prefix: "", start: "", at: this.#revision };
    for (const { deleted } of this.#backend.scan(resource, range)) if (!deleted) return true;
    return false;
  }

  #assertUsable(): void {
    if (this.#broken) throw this.#broken;
  }

  #assertKept(revision: number): void {
    if (revision > this.#revision) throw future(revision, this.#revision);
    if (revision >= this.#compacted) return;
    const message = `Cannot read revision ${revision}: history begins at ${this.#compacted}`;
    throw new StoreError("compacted", message, { revision: this.#compacted });
  }
}

function matching(
  action: string,
  expected: { resource: string; key: string; revision: number },
): (current: Head | undefined) => void {
  return (current) => {
    if (current?.revision === expected.revision) return;
    const failure = `Cannot ${action} ${expected.resource} "${expected.key}"`;
    if (!current) throw new StoreError("not-found", `${failure}: it does not exist`);
    throw new StoreError(
      "conflict",
      `${failure}: it is at revision ${current.revision}, expected ${expected.revision}`,
      { revision: current.revision },
    );
  };
}

function toObject(version: Version | undefined): StoredObject | undefined {
  if (!version?.bytes) return undefined;
  const { key, bytes, revision, createRevision } = version;
  return { key, bytes, revision, createRevision };
}

function headOf({ revision, createRevision }: Head): Head {
  return { revision, createRevision };
}

function toEvent({ key, revision, createRevision, bytes }: Version): StoreEvent {
  if (!bytes) return { type: "delete", key, revision, createRevision };
  return { type: "put", key, revision, createRevision, bytes };
}

/** In place: a head is looked at, never kept. */
function recordHead(heads: Map<string, Head>, version: Version): void {
  const { key, bytes, revision, createRevision } = version;
  const known = heads.get(key);
  if (!bytes) {
    heads.delete(key);
  } else if (known) {
    known.revision = revision;
    known.createRevision = createRevision;
  } else {
    heads.set(key, { revision, createRevision });
  }
}

/** Keys of backends are made of both names with a NUL between them. */
function assertPlace({ resource, key }: Place): void {
  const isLong = resource.length + key.length >= KEY_MAX_BYTES / UTF8_MAX_BYTES;
  const fault =
    resource.includes("\0") || key.includes("\0")
      ? "it holds a NUL"
      : isLong &&
        Buffer.byteLength(`${resource}\0${key}`) > KEY_MAX_BYTES &&
        `it exceeds ${KEY_MAX_BYTES} bytes`;
  if (fault) throw new RangeError(`Cannot store ${JSON.stringify([resource, key])}: ${fault}`);
}

function future(revision: number, newest: number): StoreError {
  const message = `Cannot read revision ${revision}: the newest is ${newest}`;
  return new StoreError("future-revision", message, { revision: newest });
}
