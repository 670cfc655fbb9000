/**
 * The whole storage contract. Objects are bytes: canonical JSON that the store never parses.
 * Keys are ordered by their UTF-8 bytes inside one `resource` ("core/pods", "apps/deployments");
 * a key is "namespace/name" or "name". One revision counter serves all resources and grows by at
 * least one per write. `memory`, `lmdb` and `etcd` implement it; `conformance.ts` checks them.
 */
export interface Store extends AsyncDisposable {
  /** The newest durable revision. */
  revision(): Promise<number>;
  /** The newest durable value. `undefined` when absent. */
  get(resource: string, key: string): Promise<StoredObject | undefined>;
  /**
   * The newest value including writes that are accepted but not yet durable; only for
   * read-modify-write, whose own write then becomes durable after them. Never answer a reader
   * from it.
   */
  getForUpdate(resource: string, key: string): Promise<StoredObject | undefined>;
  /** A page in key order. @throws StoreError "compacted" when `revision` has no history. */
  list(resource: string, options?: ListOptions): Promise<ListResult>;
  /** Resolves when durable. @throws StoreError "exists", "unwritable" as long as its key is lost */
  create(resource: string, key: string, bytes: Uint8Array): Promise<StoredObject>;
  /**
   * Replaces when the current revision equals `expectedRevision`; resolves when durable. The bytes
   * do not contain the revision: the API server splices `metadata.resourceVersion` in later.
   * @throws StoreError "conflict" | "not-found" | "unwritable"
   */
  update(resource: string, key: string, write: UpdateWrite): Promise<StoredObject>;
  /** Resolves with the revision of the removal. @throws as `update` */
  delete(resource: string, key: string, expectedRevision: number): Promise<Removal>;
  /**
   * Delivers every durable event with revision > `fromRevision`, in revision order, in batches that
   * share one commit; `fromRevision` 0 is an error (list first).
   * @throws StoreError "compacted" when the history does not reach back that far
   */
  watch(
    resource: string,
    fromRevision: number,
    deliver: (events: StoreEvent[]) => void,
  ): Promise<Disposable>;
  /** States before this revision are forgotten; 0 when none is. */
  oldestRevision(): Promise<number>;
  /** Forgets history up to and including `revision`; current values stay. */
  compact(revision: number): Promise<void>;
  /** Resource names that hold at least one key. */
  resources(): Promise<string[]>;
  /**
   * Whether the newest value is stored in a form that a write would replace, as under a key of
   * before. A write that changes nothing else is then none that may be left out.
   */
  isStale(resource: string, key: string): boolean;
}

export interface StoredObject {
  key: string;
  bytes: Uint8Array;
  /** Revision of the last write to this key. */
  revision: number;
  /** Revision of the write that created it. */
  createRevision: number;
}

/** Where an object was; whoever removes one knows what it was. */
export type Removal = Omit<StoredObject, "bytes">;

export interface UpdateWrite {
  bytes: Uint8Array;
  expectedRevision: number;
}

export interface ListOptions {
  /** Only keys that start so, such as "default/". */
  prefix?: string;
  /** First key of the page, inclusive. */
  start?: string;
  /** 0 or absent means no limit. */
  limit?: number;
  /** State as of this revision exactly; absent or 0 means newest durable. */
  revision?: number;
}

export interface ListResult {
  /** The revision whose state this is. */
  revision: number;
  items: StoredObject[];
  /** Keys after the page that also match `prefix`; 0 means that the list is complete. */
  remaining: number;
}

/** A write with the value written; whoever follows knows what a removal took. */
export type StoreEvent =
  | ({ type: "put"; bytes: Uint8Array } & Removal)
  | ({ type: "delete"; bytes?: undefined } & Removal);
