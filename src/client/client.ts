import type { Resource } from "../api/resource.ts";
import type { Transport, WatchSink } from "../api/transport.ts";

/** Typed access to an API server. All methods may run concurrently; refusals are `StatusError`. */
export interface Client {
  readonly transport: Transport;
  /** Access to one kind. Cheap: may be called per use. */
  for<T>(resource: Resource<T>): ResourceClient<T>;
}

/** Name of an object; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  name: string;
  namespace?: string | undefined;
}

/** The verbs of one kind. Returned objects are shared: copy before editing. */
export interface ResourceClient<T> {
  get(ref: ObjectRef): Promise<T>;
  /** Follows continue tokens until the list is complete. */
  list(options?: ListQuery): Promise<ObjectList<T>>;
  /** The namespace comes from `metadata.namespace`. */
  create(object: T, options?: WriteQuery): Promise<T>;
  /** Full replacement; optimistic when `metadata.resourceVersion` is set. */
  update(object: T, options?: WriteQuery): Promise<T>;
  updateStatus(object: T, options?: WriteQuery): Promise<T>;
  patch(ref: ObjectRef, patch: object, options?: PatchQuery): Promise<T>;
  /** Server-side apply; `object` holds exactly the owned fields. */
  apply(object: T, options: ApplyQuery): Promise<T>;
  /** @throws StatusError NotFound, Conflict (preconditions) */
  delete(ref: ObjectRef, options?: DeleteQuery): Promise<void>;
  deleteCollection(options?: ListQuery & DeleteQuery): Promise<void>;
  /** POST to a subresource: "binding", "eviction", "token". */
  post<R>(ref: ObjectRef, subresource: string, body: object): Promise<R>;
  /** One watch without list or reconnect; informers are what controllers want. */
  watch(options: WatchQuery, sink: WatchSink): Promise<Disposable>;
}

/** `metav1.List` of one kind. */
export interface ObjectList<T> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** Filters of a list. */
export interface ListQuery {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** "0" accepts any cached state. */
  resourceVersion?: string | undefined;
}

/** Filters of a watch; it starts after `resourceVersion`. */
export interface WatchQuery extends ListQuery {
  allowBookmarks?: boolean;
  /** The server ends the watch after so long; it chooses itself when absent. */
  timeoutSeconds?: number;
}

/** Options of every write. */
export interface WriteQuery {
  fieldManager?: string;
  dryRun?: boolean;
}

/** Options of a patch. */
export interface PatchQuery extends WriteQuery {
  /** Defaults to "merge" (RFC 7386). */
  type?: "merge" | "strategic" | "json";
  subresource?: string;
}

/** Options of server-side apply. */
export interface ApplyQuery extends WriteQuery {
  fieldManager: string;
  force?: boolean;
  subresource?: string;
}

/** Options of a deletion. */
export interface DeleteQuery {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  preconditions?: { uid?: string; resourceVersion?: string };
}
