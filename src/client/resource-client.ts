import { isExpired } from "../api/errors.ts";
import { apiVersionOf, pathOf, type Resource } from "../api/resource.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import type {
  ApplyQuery,
  Client,
  DeleteQuery,
  ListQuery,
  ObjectList,
  ObjectRef,
  PatchQuery,
  ResourceClient,
  WatchQuery,
  WriteQuery,
} from "./client.ts";

const PAGE_LIMIT = 500;

const PATCH_TYPES = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

/** Typed access over any transport. Holds no state and needs no closing. */
export function createClient(transport: Transport): Client {
  return { transport, for: (resource) => new TransportResourceClient(transport, resource) };
}

/** What every object has that the client itself looks at. */
interface AnyObject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
}

class TransportResourceClient<T> implements ResourceClient<T> {
  readonly #transport: Transport;
  readonly #resource: Resource<T>;

  constructor(transport: Transport, resource: Resource<T>) {
    this.#transport = transport;
    this.#resource = resource;
  }

  get(ref: ObjectRef): Promise<T> {
    return this.#send({ method: "GET", path: pathOf(this.#resource, ref) });
  }

  async list(options: ListQuery = {}): Promise<ObjectList<T>> {
    try {
      return await this.#listInPages(options);
    } catch (error) {
      // History was compacted between two pages; one consistent answer needs no history.
      if (!isExpired(error) || options.resourceVersion === "0") throw error;
      return this.#listPage(options, {});
    }
  }

  create(object: T, options: WriteQuery = {}): Promise<T> {
    const { namespace } = nameOf(object);
    const path = withQuery(pathOf(this.#resource, { namespace }), writeQuery(options));
    return this.#send({ method: "POST", path, body: this.#typed(object) as object });
  }

  update(object: T, options: WriteQuery = {}): Promise<T> {
    return this.#put(object, options, undefined);
  }

  updateStatus(object: T, options: WriteQuery = {}): Promise<T> {
    return this.#put(object, options, "status");
  }

  patch(ref: ObjectRef, patch: object, options: PatchQuery = {}): Promise<T> {
    const { type = "merge", subresource } = options;
    const path = withQuery(pathOf(this.#resource, { ...ref, subresource }), writeQuery(options));
    return this.#send({ method: "PATCH", path, body: patch, contentType: PATCH_TYPES[type] });
  }

  apply(object: T, options: ApplyQuery): Promise<T> {
    const body = this.#typed(object) as object;
    const at = { ...nameOf(object), subresource: options.subresource };
    const query = { ...writeQuery(options), force: options.force ? "true" : undefined };
    const path = withQuery(pathOf(this.#resource, at), query);
    return this.#send({
      method: "PATCH",
      path,
      body,
      contentType: "application/apply-patch+yaml",
    });
  }

  async delete(ref: ObjectRef, options: DeleteQuery = {}): Promise<void> {
    const path = pathOf(this.#resource, ref);
    await this.#send({ method: "DELETE", path, ...deleteBody(options) });
  }

  async deleteCollection(options: ListQuery & DeleteQuery = {}): Promise<void> {
    const collection = pathOf(this.#resource, { namespace: options.namespace });
    const path = withQuery(collection, listQuery(options));
    await this.#send({ method: "DELETE", path, ...deleteBody(options) });
  }

  post<R>({ namespace, name }: ObjectRef, subresource: string, body: object): Promise<R> {
    const path = pathOf(this.#resource, { namespace, name, subresource });
    return this.#send({ method: "POST", path, body });
  }

  watch(options: WatchQuery, sink: WatchSink): Promise<Disposable> {
    const path = withQuery(pathOf(this.#resource, { namespace: options.namespace }), {
      ...listQuery(options),
      allowWatchBookmarks: options.allowBookmarks ? "true" : undefined,
      timeoutSeconds: options.timeoutSeconds?.toFixed(0),
    });
    return this.#transport.watch({ method: "GET", path }, sink);
  }

  #put(object: T, options: WriteQuery, subresource: string | undefined): Promise<T> {
    const at = { ...nameOf(object), subresource };
    const path = withQuery(pathOf(this.#resource, at), writeQuery(options));
    return this.#send({ method: "PUT", path, body: this.#typed(object) as object });
  }

  async #listInPages(options: ListQuery): Promise<ObjectList<T>> {
    // "Any cached state" is answered in one piece by watch caches, so pages make no sense.
    const limit = options.resourceVersion === "0" ? undefined : `${PAGE_LIMIT}`;
    let page = await this.#listPage(options, { limit });
    if (!page.metadata.continue) return page;
    const items = [...page.items];
    const later = { ...options, resourceVersion: undefined };
    while (page.metadata.continue) {
      page = await this.#listPage(later, { limit, continue: page.metadata.continue });
      items.push(...page.items);
    }
    return { metadata: { resourceVersion: page.metadata.resourceVersion }, items };
  }

  async #listPage(options: ListQuery, paging: Query): Promise<ObjectList<T>> {
    const collection = pathOf(this.#resource, { namespace: options.namespace });
    const path = withQuery(collection, { ...listQuery(options), ...paging });
    const list = await this.#send<Partial<ObjectList<T>>>({ method: "GET", path });
    // Servers leave the type out of a list's items; whatever is about an item needs it.
    const items = (list.items ?? []).map((item) => this.#typed(item));
    return { metadata: { resourceVersion: "", ...list.metadata }, items };
  }

  #typed(object: T): T {
    if ((object as AnyObject).kind) return object;
    return { apiVersion: apiVersionOf(this.#resource), kind: this.#resource.kind, ...object };
  }

  #send<R>(request: ApiRequest): Promise<R> {
    return this.#transport.request(request).then(bodyOf<R>);
  }
}

const bodyOf = <R>({ body }: ApiResponse): R => body as R;

type Query = Readonly<Record<string, string | undefined>>;

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

function listQuery({ labelSelector, fieldSelector, resourceVersion }: ListQuery): Query {
  return { labelSelector, fieldSelector, resourceVersion };
}

function writeQuery({ fieldManager, dryRun }: WriteQuery): Query {
  return { fieldManager, dryRun: dryRun ? "All" : undefined };
}

function deleteBody(options: DeleteQuery): { body?: object } {
  const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
  const given = Object.entries({ gracePeriodSeconds, propagationPolicy, preconditions }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length === 0) return {};
  return { body: { kind: "DeleteOptions", apiVersion: "v1", ...Object.fromEntries(given) } };
}

function nameOf(object: unknown): { name: string | undefined; namespace: string | undefined } {
  const metadata = (object as AnyObject).metadata;
  return { name: metadata?.name, namespace: metadata?.namespace };
}
