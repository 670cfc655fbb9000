import { type IncludeObject, type Table, tableFor } from "../../api/table/table.ts";
import { StatusError } from "../../api/errors.ts";
import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { Representation } from "./negotiation.ts";
import { listMetaOf } from "./representations.ts";

export interface TableOptions {
  query: Query;
  /** Epoch milliseconds, for ages. */
  nowMs: number;
  representation: Pick<Representation, "version">;
  /** Watch events after the first carry no columns. */
  noHeaders?: boolean;
}

const INCLUDES: readonly string[] = ["None", "Metadata", "Object"];

/** How much of each object its row carries. @throws StatusError BadRequest */
export function includeOf(query: Query): IncludeObject {
  const include = query.get("includeObject") ?? "Metadata";
  if (INCLUDES.includes(include)) return include as IncludeObject;
  throw new StatusError(
    "BadRequest",
    `Unable to convert to Table as requested: includeObject: Invalid value: "${include}": ` +
      "must be 'Metadata', 'Object', 'None', or empty",
  );
}

/** The Table of a list. */
export function tableOfList(
  served: ServedResource,
  page: ObjectPage,
  options: TableOptions,
): Table {
  return tableFor({
    resource: served.resource,
    objects: page.items.map((item) => item.object()),
    includeObject: includeOf(options.query),
    nowMs: options.nowMs,
    version: options.representation.version,
    ...(served.table ? { kind: served.table } : {}),
    metadata: listMetaOf(page),
  });
}

/** The Table of one object. */
export function tableOfObject(
  served: ServedResource,
  object: CachedObject,
  options: TableOptions,
): Table {
  return tableFor({
    resource: served.resource,
    objects: [object.object()],
    includeObject: includeOf(options.query),
    nowMs: options.nowMs,
    version: options.representation.version,
    ...(served.table ? { kind: served.table } : {}),
    metadata: { resourceVersion: String(object.revision) },
    ...(options.noHeaders ? { noHeaders: true } : {}),
  });
}
