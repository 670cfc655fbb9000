/**
 * How a client reaches an API server. `client` has an HTTPS implementation; the API server offers
 * an in-process one of the same shape, which hands out its own cached objects without copying.
 * Objects that come out of a transport are shared and must not be changed; copy before editing.
 */
export interface Transport {
  /** Performs one request. Throws a refusal as `StatusError`, a broken connection as any other. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /**
   * Opens a watch (`path` carries its query, without `watch=1`). Resolves once the server accepted.
   * Events come in order; `closed` is called exactly once, with the error if there was one: a
   * Status of an ERROR event arrives there as a `StatusError`. Disposing stops delivery at once.
   */
  watch(request: ApiRequest, sink: WatchSink): Promise<Disposable>;
}

/** One call of the API. */
export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path with query: "/api/v1/namespaces/default/pods?limit=500". */
  path: string;
  /** A JSON value, or ready bytes in `contentType`. */
  body?: object | Uint8Array;
  /** Defaults to "application/json". Patches name their kind here. */
  contentType?: string;
  signal?: AbortSignal;
}

/** A successful answer, decoded. */
export interface ApiResponse {
  status: number;
  /** Decoded JSON. */
  body: unknown;
}

/** Event types of a watch that reach a sink ("ERROR" becomes `closed`). */
export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";

/** Receives a watch. Calls never overlap. */
export interface WatchSink {
  /** A sink that only copies some fields out of events may be given what is not frozen. */
  readonly keeps?: "nothing" | "objects";
  event(type: WatchEventType, object: unknown): void;
  closed(error?: unknown): void;
}
