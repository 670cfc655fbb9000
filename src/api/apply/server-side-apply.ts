import { deepEqual } from "../../lib/deep-equal.ts";
import { StatusError } from "../errors.ts";
import type { SchemaModel, StructType } from "../schema/model.ts";
import type { StatusCause } from "../status.ts";
import { checkApplied } from "./applied-check.ts";
import { appliedFields, compareFields } from "./field-changes.ts";
import {
  differenceOf,
  type FieldSet,
  formatPaths,
  intersectionOf,
  isEmpty,
  NO_FIELDS,
  unionOf,
  withoutSubtrees,
} from "./field-set.ts";
import {
  entryOf,
  fieldsOfEntry,
  type ManagedFieldsEntry,
  managedFieldsOf,
  skippedFields,
  sortEntries,
  UNMANAGED_FIELDS,
  updateManagedFields,
  withFields,
} from "./managed-fields.ts";
import { isObject, type Json } from "./shape.ts";
import { mergeApplied, removeUnowned } from "./typed-merge.ts";

/** A configuration that a manager applies to an object that may not exist yet. */
export interface ApplyRequest {
  /** The stored object; absent when apply creates it. */
  live?: Json | undefined;
  /** What the manager said, to the letter: only the fields it has an opinion on. */
  applied: Json;
  /**
   * The same as an object keeps it: quantities as text, nothing that is empty, no defaults. By
   * default the same.
   */
  values?: Json | undefined;
  manager: string;
  /** Takes fields from others instead of refusing. */
  force: boolean;
  /** "" or absent for the main resource. */
  subresource?: string | undefined;
  /** The time of the write, RFC 3339 with whole seconds. */
  timeText: string;
  model: SchemaModel;
  struct: StructType;
  /** Fields that the endpoint does not write; by default status, or spec where status comes in. */
  skip?: FieldSet | undefined;
  /** What the endpoint shows of the object, when it shows it as another kind. */
  view?: ObjectView | undefined;
}

/** A part of an object that is a kind of its own, such as its scale. */
export interface ObjectView {
  apiVersion: string;
  fields: FieldSet;
}

const BEFORE_FIRST_APPLY = "before-first-apply";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Server-side apply: the object with the configuration merged in, fields gone that the manager
 * applied before and nobody owns now, and `metadata.managedFields` brought up to date. Defaults
 * are the caller's to add; they stay unowned. Gives `live` itself when nothing changes.
 * @throws StatusError Conflict with a cause per field that another manager owns; BadRequest
 */
export function applyServerSide(request: ApplyRequest): Json {
  const { live, manager, model, struct } = request;
  const typed = { model, struct };
  const apiVersion = checkApplied(request);
  const { applied } = request;
  const entries = live ? entriesOf(live, request) : [];
  const isOwn = (entry: ManagedFieldsEntry) =>
    entry.operation === "Apply" &&
    entry.manager === manager &&
    (entry.subresource ?? "") === (request.subresource ?? "");
  const own = entries.find(isOwn);
  const others = entries.filter((entry) => entry !== own);

  const skip = skippedFields(request);
  const writable = withoutSubtrees(skip, UNMANAGED_FIELDS);
  const wanted = withoutSubtrees(appliedFields(applied, typed), writable);
  const config = withoutReset(applied, { live, reset: writable });
  const values = withoutReset(request.values ?? applied, { live, reset: writable });
  const merge = (kept: Json) => {
    const merged = mergeApplied(live ?? {}, config, { ...typed, values: kept });
    if (!own) return merged;
    const owned = others.map(fieldsOfEntry).reduce(unionOf, wanted);
    const keepsEmpty = request.values === undefined;
    return removeUnowned(merged, { last: fieldsOfEntry(own), owned }, { ...typed, keepsEmpty });
  };
  const merged = merge(values);
  // What changes is seen in what was said: 1 is not the "1" that is stored, nor {} what is absent.
  const said = deepEqual(config, values) ? merged : merge(config);
  const { changed, removed } = compareFields(live ?? {}, said, { ...typed, skip });
  if (!request.force) {
    const disputed = differenceOf(changed, notedFields(request));
    refuseConflicts(others, disputed, { version: request.view?.apiVersion });
  }
  const object = withNote(merged, request);

  const left = others.map((entry) => {
    return withFields(entry, differenceOf(differenceOf(fieldsOfEntry(entry), changed), removed));
  });
  const fields = withoutSubtrees(wanted, UNMANAGED_FIELDS);
  const isSame = isEmpty(changed) && isEmpty(removed);
  // Who takes fields as they are has written nothing.
  const timeText = isSame ? own?.time : request.timeText;
  const mine = entryOf(fields, { ...request, operation: "Apply", apiVersion, timeText });
  const isStored = entries.length === managedFieldsOf(live).length;
  const unchanged =
    isStored && left.every((entry, at) => entry === others[at]) && deepEqual(object, live);
  // Who took fields as they were has no time, be it as a member or not.
  const sameFields = own ? deepEqual({ ...mine, time: "" }, { ...own, time: "" }) : isEmpty(fields);
  if (live && unchanged && sameFields) return live;
  const kept = left.filter((entry) => entry !== undefined);
  return withManagedFields(object, sortEntries(isEmpty(fields) ? kept : [...kept, mine]));
}

/** What is stored before anybody applied it belongs to nobody in particular. */
function entriesOf(live: Json, request: ApplyRequest): readonly ManagedFieldsEntry[] {
  const entries = managedFieldsOf(live);
  const { view, subresource } = request;
  if (view) return entriesOfView(entries, live, { fields: view.fields, subresource });
  if (entries.length > 0) return entries;
  const { subresource: _, skip: __, ...others } = request;
  return updateManagedFields({ ...others, after: live, manager: BEFORE_FIRST_APPLY }) ?? [];
}

/** The same of a part: it may have no owner while the rest of the object has some. */
function entriesOfView(
  entries: readonly ManagedFieldsEntry[],
  live: Json,
  { fields, subresource }: { fields: FieldSet; subresource: string | undefined },
): readonly ManagedFieldsEntry[] {
  if (entries.some((entry) => !isEmpty(intersectionOf(fieldsOfEntry(entry), fields)))) {
    return entries;
  }
  const apiVersion = typeof live.apiVersion === "string" ? live.apiVersion : "";
  const nobody = { manager: BEFORE_FIRST_APPLY, operation: "Update", timeText: undefined };
  return [...entries, entryOf(fields, { ...nobody, apiVersion, subresource })];
}

/** The object with these entries; without the member when there are none. */
export function withManagedFields(
  object: Json,
  entries: readonly ManagedFieldsEntry[] | undefined,
): Record<string, unknown> {
  const before = isObject(object.metadata) ? object.metadata : {};
  if (entries && entries.length > 0) {
    // Assigned: that a literal has a member twice makes a slow object.
    const metadata: Record<string, unknown> = { ...before };
    metadata["managedFields"] = entries;
    const owned: Record<string, unknown> = { ...object };
    owned["metadata"] = metadata;
    return owned;
  }
  const { managedFields: _, ...metadata } = before;
  return { ...object, metadata };
}

/** What the endpoint does not write stays as it is, whatever the configuration says. */
function withoutReset(applied: Json, from: { live: Json | undefined; reset: FieldSet }): Json {
  const reset = Object.keys(from.reset)
    .filter((element) => isEmpty(from.reset[element] ?? NO_FIELDS))
    .map((element) => element.slice(2));
  if (!reset.some((name) => name in applied)) return applied;
  return Object.fromEntries(Object.entries(applied).filter(([name]) => !reset.includes(name)));
}

function noteOf(object: Json | undefined): unknown {
  const metadata = isObject(object?.metadata) ? object.metadata : {};
  return isObject(metadata.annotations) ? metadata.annotations[LAST_APPLIED] : undefined;
}

/**
 * kubectl's own note of what it applied is kept current when kubectl goes from client-side to
 * server-side. Who owns the note stays: by that kubectl sees what it has still to take over.
 */
function withNote(object: Json, { live, applied, manager, subresource }: ApplyRequest): Json {
  if (manager !== "kubectl" || subresource || noteOf(live) === undefined) return object;
  const wanted = isObject(applied.metadata) ? applied.metadata : {};
  const { [LAST_APPLIED]: _, ...own } = isObject(wanted.annotations) ? wanted.annotations : {};
  const annotated = Object.keys(own).length > 0 ? { annotations: own } : {};
  const { annotations: __, ...rest } = wanted;
  const note = inOrder({ ...applied, metadata: { ...rest, ...annotated } });
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const annotations = {
    ...(isObject(metadata.annotations) ? metadata.annotations : {}),
    [LAST_APPLIED]: `${goJson(note)}\n`,
  };
  return { ...object, metadata: { ...metadata, annotations } };
}

/** JSON as Go writes it by default, fit to stand in HTML: kubectl compares the note as text. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A value whose members stand in the order of their names, as Go writes maps. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name])]));
}

/**
 * Fields of the configuration that kubectl noted when it applied on the client side: they are its
 * own already, whoever is listed as their manager, so kubectl may go on to change them.
 */
function notedFields({ live, manager, subresource, model, struct }: ApplyRequest): FieldSet {
  const note = noteOf(live);
  if (manager !== "kubectl" || subresource || typeof note !== "string") return NO_FIELDS;
  try {
    const parsed: unknown = JSON.parse(note);
    return isObject(parsed) ? appliedFields(parsed, { model, struct }) : NO_FIELDS;
  } catch {
    return NO_FIELDS;
  }
}

/** `version`: what the endpoint shows the object as, when that is not how it is owned. */
function refuseConflicts(
  others: readonly ManagedFieldsEntry[],
  changed: FieldSet,
  { version }: { version: string | undefined },
): void {
  if (isEmpty(changed)) return;
  const conflicts = others
    .map((entry) => ({
      manager: describe(entry, version),
      paths: formatPaths(intersectionOf(fieldsOfEntry(entry), changed)),
    }))
    .filter(({ paths }) => paths.length > 0)
    .sort((a, b) => (a.manager < b.manager ? -1 : 1));
  if (conflicts.length === 0) return;
  const causes: StatusCause[] = conflicts.flatMap(({ manager, paths }) =>
    paths.map((path) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${manager}`,
      field: path,
    })),
  );
  const [only] = causes;
  const text =
    causes.length === 1
      ? `1 conflict: ${only?.message}: ${only?.field}`
      : `${causes.length} conflicts: ${conflicts
          .map(({ manager, paths }) =>
            [`conflicts with ${manager}:`, ...paths.map((path) => `- ${path}`)].join("\n"),
          )
          .join("\n")}`;
  throw new StatusError("Conflict", `Apply failed with ${text}`, { causes });
}

function describe(
  { manager, subresource, operation, apiVersion }: ManagedFieldsEntry,
  version = apiVersion,
): string {
  const where = subresource ? ` with subresource "${subresource}"` : "";
  const using = operation === "Update" ? ` using ${version}` : "";
  return `"${manager}"${where}${using}`;
}
