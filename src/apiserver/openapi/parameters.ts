import type { JsonSchema } from "./schemas.ts";

/** A parameter of an operation or of a path. */
export interface Parameter {
  name: string;
  in: "path" | "query";
  required?: boolean;
  schema: JsonSchema;
}

function query(name: string, type: "string" | "boolean" | "integer" = "string"): Parameter {
  return { name, in: "query", schema: { type, uniqueItems: true } };
}

function path(name: string): Parameter {
  return { name, in: "path", required: true, schema: { type: "string", uniqueItems: true } };
}

export const NAME: Parameter = path("name");
export const NAMESPACE: Parameter = path("namespace");
export const PRETTY: Parameter = query("pretty");

/** Of creates and replaces. */
export const WRITE: readonly Parameter[] = ["dryRun", "fieldManager", "fieldValidation"].map(
  (name) => query(name),
);

/** Of patches; kubectl looks here for server-side field validation. */
export const PATCH: readonly Parameter[] = [...WRITE, query("force", "boolean")];

/** Of deletes. */
export const DELETE: readonly Parameter[] = [
  query("dryRun"),
  query("gracePeriodSeconds", "integer"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy"),
];

/** Of lists and watches. */
export const LIST: readonly Parameter[] = [
  query("allowWatchBookmarks", "boolean"),
  query("continue"),
  query("fieldSelector"),
  query("labelSelector"),
  query("limit", "integer"),
  query("resourceVersion"),
  query("resourceVersionMatch"),
  query("sendInitialEvents", "boolean"),
  query("timeoutSeconds", "integer"),
  query("watch", "boolean"),
];

/** Of collection deletes. */
export const DELETE_COLLECTION: readonly Parameter[] = [
  ...DELETE,
  ...LIST.filter(({ name }) => name !== "watch" && name !== "allowWatchBookmarks"),
];
