/** One request of a case. */
export interface CaseRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `$ns` stands for the case's own namespace, which exists with its ServiceAccount `default`. */
  path: string;
  /** An object is sent as JSON. */
  body?: object | string;
  /** Defaults to JSON. */
  type?: string;
  accept?: string;
}

/** A kind that is there before the first request of a case; cases share it. */
export interface Definition {
  plural: string;
  /** A CustomResourceDefinition. */
  body: {
    [field: string]: unknown;
    spec: { [field: string]: unknown; group: string; versions: readonly { name: string }[] };
  };
}

/** Requests one after another; every answer is compared. */
export interface Case {
  definition?: Definition;
  /** Unique; names the namespace too. */
  name: string;
  steps: readonly CaseRequest[];
}

/** An answer as it came. */
export interface Answer {
  status: number;
  contentType: string;
  body: unknown;
}

const PATCH_TYPES = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

export const get = (path: string, accept?: string): CaseRequest => ({
  method: "GET",
  path,
  ...(accept ? { accept } : {}),
});
export const post = (path: string, body: object): CaseRequest => ({ method: "POST", path, body });
export const put = (path: string, body: object): CaseRequest => ({ method: "PUT", path, body });
export const remove = (path: string, body?: object): CaseRequest => ({
  method: "DELETE",
  path,
  ...(body ? { body } : {}),
});

/** A patch of one of the three types that need no field manager. */
export function patch(
  path: string,
  body: object,
  type: keyof typeof PATCH_TYPES = "merge",
): CaseRequest {
  return { method: "PATCH", path, body, type: PATCH_TYPES[type] };
}

/** Server-side apply; `query` replaces the manager "applier". */
export function apply(path: string, body: object, query = "fieldManager=applier"): CaseRequest {
  const type = "application/apply-patch+yaml";
  return { method: "PATCH", path: `${path}?${query}`, body, type };
}
