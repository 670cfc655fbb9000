import { isDeepStrictEqual } from "node:util";
import { StatusError } from "../api/errors.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import { applyJsonPatch, parseJsonPatch } from "../lib/json-patch.ts";
import { matchesLabels, parseLabelSelector } from "../lib/labels.ts";
import { applyMergePatch } from "../lib/merge-patch.ts";

interface Metadata {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  finalizers?: string[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  annotations?: Record<string, string>;
}

interface StoredObject {
  metadata: Metadata;
  spec?: unknown;
  status?: unknown;
  [field: string]: unknown;
}

interface Target {
  /** Path of the collection over all namespaces. */
  collection: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  query: URLSearchParams;
}

type DecodedRequest = Pick<ApiRequest, "method" | "contentType"> & { body: unknown };

interface LoggedEvent {
  revision: number;
  collection: string;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: StoredObject;
}

interface OpenWatch {
  target: Target;
  sink: WatchSink;
}

/** One request as the transport saw it; for assertions about what a controller did. */
export interface SeenRequest {
  method: string;
  path: string;
  body: unknown;
}

/**
 * An API server's storage behaviour in memory, for tests of whatever speaks `Client`: verbs, names,
 * revisions, conflicts, finalizers, status subresource, label selectors, watches. No validation, no
 * defaults, no admission. Everything it gives out is frozen, so that a test catches a mutation.
 */
export class MemoryTransport implements Transport {
  /** Every request but watches, oldest first. */
  readonly requests: SeenRequest[] = [];
  /** Set to make requests fail: what it returns is thrown. */
  fail: ((request: ApiRequest) => unknown) | undefined;
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #watches = new Set<OpenWatch>();
  #log: LoggedEvent[] = [];
  #revision = 1;
  #compacted = 0;

  async request(request: ApiRequest): Promise<ApiResponse> {
    const failure = this.fail?.(request);
    if (failure) throw failure;
    const { method, path } = request;
    const body = decoded(request.body);
    this.requests.push({ method, path, body });
    const target = parsePath(path);
    if (method === "GET") {
      const found = target.name ? this.#find(target) : this.#list(target);
      return { status: 200, body: found };
    }
    if (method === "POST") return { status: 201, body: this.#post(target, body) };
    if (method === "DELETE") return { status: 200, body: this.#delete(target, body) };
    return { status: 200, body: this.#change(target, { ...request, body }) };
  }

  async watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
    const failure = this.fail?.(request);
    if (failure) throw failure;
    const target = parsePath(request.path);
    const from = Number(target.query.get("resourceVersion") ?? this.#revision);
    if (from < this.#compacted) throw new StatusError("Expired", "too old resource version");
    const watch = { target, sink };
    for (const event of this.#log) {
      if (event.revision > from) offer(watch, event);
    }
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  /** Ends all open watches, as a restart or a network failure would. */
  dropWatches(error?: unknown): void {
    const dropped = [...this.#watches];
    this.#watches.clear();
    for (const { sink } of dropped) sink.closed(error);
  }

  /** Forgets history, so that watches from older revisions are refused as "Expired". */
  compact(): void {
    this.#log = [];
    this.#compacted = this.#revision;
  }

  /** How many watches are open; a test that ends with some has leaked them. */
  get openWatches(): number {
    return this.#watches.size;
  }

  #post(target: Target, body: unknown): unknown {
    if (target.subresource) return this.#postSubresource(target, body as StoredObject);
    const object = structuredClone(body) as StoredObject;
    const { metadata } = object;
    if (target.namespace) metadata.namespace = target.namespace;
    metadata.name ??= `${metadata.generateName}${this.#revision.toString(36).padStart(5, "0")}`;
    if (this.#collection(target).has(keyOf(metadata))) {
      throw new StatusError(
        "AlreadyExists",
        `${target.collection} "${metadata.name}" already exists`,
      );
    }
    metadata.uid = `uid-${this.#revision}`;
    metadata.generation = 1;
    metadata.creationTimestamp ??= "2025-01-01T00:00:00Z";
    return this.#store(target, object, "ADDED");
  }

  #postSubresource(target: Target, body: StoredObject): unknown {
    const object = structuredClone(this.#find(target));
    if (target.subresource === "binding") {
      const node = (body["target"] as { name: string }).name;
      object.spec = { ...(object.spec as object), nodeName: node };
      this.#store(target, object, "MODIFIED");
    }
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  }

  #change(target: Target, { method, body, contentType }: DecodedRequest): unknown {
    const applies = contentType === "application/apply-patch+yaml";
    if (applies && !this.#collection(target).has(slotOf(target))) {
      return this.#post({ ...target, name: undefined }, body);
    }
    const current = this.#find(target);
    const wanted = method === "PUT" ? (body as StoredObject) : patched(current, body, contentType);
    const { resourceVersion } = wanted.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw new StatusError("Conflict", `${target.name}: the object has been modified`);
    }
    const isStatus = target.subresource === "status";
    const next: StoredObject = isStatus
      ? { ...current, status: wanted.status }
      : { ...structuredClone(wanted), ...("status" in current ? { status: current.status } : {}) };
    next.metadata = isStatus ? withNotes(current, wanted) : mergedMetadata(current, next);
    if (!isDeepStrictEqual(current.spec, next.spec)) {
      next.metadata.generation = (current.metadata.generation ?? 0) + 1;
    }
    if (isDeepStrictEqual(current, next)) return current;
    if (next.metadata.deletionTimestamp && !next.metadata.finalizers?.length) {
      return this.#remove(target, next);
    }
    return this.#store(target, next, "MODIFIED");
  }

  #delete(target: Target, body: unknown): unknown {
    const doomed = target.name ? [this.#find(target)] : this.#list(target).items;
    const { preconditions } = (body ?? {}) as { preconditions?: Partial<Metadata> };
    for (const object of doomed) {
      const { uid, resourceVersion } = { ...object.metadata, ...preconditions };
      if (uid !== object.metadata.uid || resourceVersion !== object.metadata.resourceVersion) {
        throw new StatusError("Conflict", `${object.metadata.name}: precondition failed`);
      }
      const metadata = { ...object.metadata, deletionTimestamp: "2025-01-01T00:00:00Z" };
      const at = { ...target, namespace: metadata.namespace, name: metadata.name };
      if (!metadata.finalizers?.length) this.#remove(at, { ...object, metadata });
      else if (!object.metadata.deletionTimestamp)
        this.#store(at, { ...object, metadata }, "MODIFIED");
    }
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 200 };
  }

  #find(target: Target): StoredObject {
    const object = this.#collection(target).get(slotOf(target));
    if (object) return object;
    throw new StatusError("NotFound", `${target.collection} "${target.name}" not found`);
  }

  #list(target: Target): { metadata: object; items: StoredObject[] } {
    const items = [...this.#collection(target).values()].filter((object) =>
      selects(target, object),
    );
    return { metadata: { resourceVersion: `${this.#revision}` }, items };
  }

  #store(target: Target, object: StoredObject, type: "ADDED" | "MODIFIED"): StoredObject {
    object.metadata.resourceVersion = `${++this.#revision}`;
    this.#collection(target).set(keyOf(object.metadata), freeze(object));
    this.#publish(target, type, object);
    return object;
  }

  #remove(target: Target, object: StoredObject): StoredObject {
    object.metadata.resourceVersion = `${++this.#revision}`;
    this.#collection(target).delete(keyOf(object.metadata));
    this.#publish(target, "DELETED", freeze(object));
    return object;
  }

  #publish(target: Target, type: LoggedEvent["type"], object: StoredObject): void {
    const event = { revision: this.#revision, collection: target.collection, type, object };
    this.#log.push(event);
    for (const watch of this.#watches) offer(watch, event);
  }

  #collection(target: Target): Map<string, StoredObject> {
    let objects = this.#objects.get(target.collection);
    if (!objects) this.#objects.set(target.collection, (objects = new Map()));
    return objects;
  }
}

function offer({ target, sink }: OpenWatch, { collection, type, object }: LoggedEvent): void {
  if (collection === target.collection && selects(target, object)) sink.event(type, object);
}

/** Selectors are taken to be about fields that do not change while an object is watched. */
function selects({ namespace, query }: Target, { metadata }: StoredObject): boolean {
  if (namespace && metadata.namespace !== namespace) return false;
  const selector = query.get("labelSelector");
  return !selector || matchesLabels(parseLabelSelector(selector), metadata.labels ?? {});
}

function patched(
  current: StoredObject,
  body: unknown,
  contentType: string | undefined,
): StoredObject {
  const patch = structuredClone(body);
  if (contentType !== "application/json-patch+json") {
    return applyMergePatch(structuredClone(current), patch) as StoredObject;
  }
  return applyJsonPatch(structuredClone(current), parseJsonPatch(patch)) as StoredObject;
}

/** Annotations travel with the status. */
function withNotes(current: StoredObject, wanted: StoredObject): StoredObject["metadata"] {
  const { annotations: _, ...metadata } = current.metadata;
  const { annotations } = wanted.metadata;
  return annotations ? { ...metadata, annotations } : metadata;
}

/** What a client may not change stays as it is. */
function mergedMetadata({ metadata: current }: StoredObject, next: StoredObject): Metadata {
  const { uid, generation, creationTimestamp, deletionTimestamp, namespace } = current;
  const kept = { uid, generation, creationTimestamp, deletionTimestamp, namespace };
  const given = Object.entries(kept).filter(([, value]) => value !== undefined);
  const { resourceVersion } = current;
  return {
    ...next.metadata,
    ...Object.fromEntries(given),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

function parsePath(text: string): Target {
  const url = new URL(text, "https://memory");
  const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const root = parts.splice(0, parts[0] === "api" ? 2 : 3).join("/");
  // "/namespaces/x" is a Namespace, "/namespaces/x/pods" a collection inside one.
  const subresources = ["status", "finalize"];
  const inside =
    parts[0] === "namespaces" && parts.length > 2 && !subresources.includes(parts[2] ?? "");
  const namespace = inside ? parts.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = parts;
  return { collection: `${root}/${plural}`, namespace, name, subresource, query: url.searchParams };
}

function decoded(body: ApiRequest["body"]): unknown {
  return body instanceof Uint8Array ? JSON.parse(Buffer.from(body).toString()) : body;
}

function keyOf({ namespace, name }: { namespace?: string | undefined; name?: string }): string {
  return namespace ? `${namespace}/${name}` : `${name}`;
}

function slotOf({ namespace, name }: Target): string {
  return keyOf({ namespace, ...(name ? { name } : {}) });
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
