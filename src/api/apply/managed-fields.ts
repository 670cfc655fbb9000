import { deepEqual } from "../../lib/deep-equal.ts";
import type { AskedSpec } from "../common-spec.ts";
import type { SchemaModel, StructType } from "../schema/model.ts";
import { compareFields, type FieldChanges } from "./field-changes.ts";
import {
  differenceOf,
  type FieldSet,
  fieldSetOf,
  isEmpty,
  isFieldSet,
  NO_FIELDS,
  unionOf,
} from "./field-set.ts";
import { type LeafChange, leafChange } from "./leaf-change.ts";
import { isObject, type Json } from "./shape.ts";
import { UNMANAGED_METADATA } from "./unmanaged-metadata.ts";

/** `metav1.ManagedFieldsEntry`: what one manager owns. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  /** RFC 3339 with whole seconds: the last time the manager took or gave up fields. */
  time?: string;
  fieldsType?: string;
  fieldsV1?: FieldSet;
  subresource?: string;
}

/** An ordinary write whose effect on ownership is wanted. */
export interface OwnershipUpdate {
  /** The stored object; absent for a create. */
  before?: Json | undefined;
  /** The object that the client wants, defaulted, before admission: nobody owns what that adds. */
  after: Json;
  /** From `?fieldManager=` or the user agent. */
  manager: string;
  /** "" or absent for the main resource. */
  subresource?: string | undefined;
  /** The time of the write, RFC 3339 with whole seconds. */
  timeText: string;
  model: SchemaModel;
  struct: StructType;
  /** The spec of a new object, when others were asked for with the same. */
  asked?: AskedSpec | undefined;
  /** `setOfLeaf`, by default. */
  leaf?: (leaf: LeafChange) => FieldSet;
  /** `unionOf`, by default. */
  unite?: (set: FieldSet, added: FieldSet) => FieldSet;
  /** Fields that the endpoint does not write; by default status, or spec where status comes in. */
  skip?: FieldSet | undefined;
}

const UPDATE_MANAGERS_MAX = 10;

/** Fields that nobody owns: the server sets them, or they name the object. */
export const UNMANAGED_FIELDS: FieldSet = unionOf(
  fieldSetOf(["f:apiVersion"], ["f:kind"]),
  fieldSetOf(...UNMANAGED_METADATA.map((name) => ["f:metadata", `f:${name}`])),
);
const STATUS: FieldSet = fieldSetOf(["f:status"]);
const SPEC: FieldSet = fieldSetOf(["f:spec"]);
const UNMANAGED_AND_STATUS: FieldSet = unionOf(UNMANAGED_FIELDS, STATUS);
const UNMANAGED_AND_SPEC: FieldSet = unionOf(UNMANAGED_FIELDS, SPEC);

/** Fields that this endpoint never changes and that therefore nobody gains or loses by it. */
export function skippedFields(options: {
  subresource?: string | undefined;
  struct: StructType;
  skip?: FieldSet | undefined;
}): FieldSet {
  if (options.skip) return options.skip;
  if (!options.struct.fields.has("status")) return UNMANAGED_FIELDS;
  return options.subresource === "status" ? UNMANAGED_AND_SPEC : UNMANAGED_AND_STATUS;
}

/** The entries as stored; anything that is no entry is left out. */
export function managedFieldsOf(object: Json | undefined): readonly ManagedFieldsEntry[] {
  const entries = isObject(object?.metadata) ? object.metadata.managedFields : undefined;
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]).filter(isObject) : [];
}

/** Fields of an entry. */
export function fieldsOfEntry(entry: ManagedFieldsEntry): FieldSet {
  return isObject(entry.fieldsV1) ? entry.fieldsV1 : NO_FIELDS;
}

/**
 * Entries as a client sent them count unless they are absent; `[]` and `[{}]` forget everybody;
 * what is malformed is ignored in favour of what is stored.
 */
function startingEntries(update: OwnershipUpdate): readonly ManagedFieldsEntry[] {
  const stored = managedFieldsOf(update.before);
  if (update.subresource) return stored;
  if (update.before && isSameList(update.before, update.after)) return stored;
  const sent = managedFieldsOf(update.after);
  if (sent.length === 0) return isListed(update.after) ? [] : stored;
  if (deepEqual(sent, stored)) return stored;
  const [first] = sent;
  if (sent.length === 1 && first && Object.keys(first).length === 0) return [];
  return unreadableManagers(sent) === undefined ? sent : stored;
}

/** Whether both objects share their list of managers. */
function isSameList({ metadata: before }: Json, { metadata: after }: Json): boolean {
  if (!isObject(before) || !isObject(after)) return false;
  return before.managedFields !== undefined && before.managedFields === after.managedFields;
}

/** Whether the object lists its managers, if only to say that there is none. */
function isListed({ metadata }: Json): boolean {
  return isObject(metadata) && Array.isArray(metadata.managedFields);
}

/** Why entries say nothing of who owns what; `undefined` when they do. */
export function unreadableManagers(entries: readonly ManagedFieldsEntry[]): string | undefined {
  for (const [at, { operation, apiVersion, fieldsType, fieldsV1 = {} }] of entries.entries()) {
    if (operation !== "Apply" && operation !== "Update") {
      return "operation must be `Apply` or `Update`";
    }
    if (!apiVersion) return "apiVersion must not be empty";
    if (!fieldsType) return `missing fieldsType in managed fields entry ${at}`;
    if (fieldsType !== "FieldsV1") {
      return `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${at}`;
    }
    if (!isFieldSet(fieldsV1)) return `error decoding the fields of managed fields entry ${at}`;
  }
  return undefined;
}

/**
 * The managedFields after a create, update or patch: the manager takes every field that changed,
 * everybody loses those and what was removed. A write that changes no field changes no entry, its
 * time included. `undefined` when nobody owns anything.
 */
export function updateManagedFields(update: OwnershipUpdate): ManagedFieldsEntry[] | undefined {
  const { after, unite = unionOf } = update;
  const entries = startingEntries(update);
  // Who owns what was forgotten, on purpose: that begins anew with the first apply.
  if (entries.length === 0 && update.before) return undefined;
  const { changed, removed } = changesOf(update);
  if (isEmpty(changed) && isEmpty(removed)) return entries.length > 0 ? [...entries] : undefined;
  const apiVersion = typeof after.apiVersion === "string" ? after.apiVersion : "";
  const { manager, subresource, timeText } = update;
  const by = { manager, operation: "Update", apiVersion, timeText, subresource };
  if (entries.length === 0) return [entryOf(unite(NO_FIELDS, changed), by)];
  const isOwn = (entry: ManagedFieldsEntry) =>
    entry.operation !== "Apply" &&
    entry.manager === manager &&
    entry.apiVersion === apiVersion &&
    (entry.subresource ?? "") === (subresource ?? "");
  const result: ManagedFieldsEntry[] = [];
  let own: ManagedFieldsEntry | undefined;
  for (const entry of entries) {
    if (isOwn(entry)) own = entry;
    else {
      const left = withFields(entry, differenceOf(lost(entry, removed), changed));
      if (left) result.push(left);
    }
  }
  const kept = own ? lost(own, removed) : NO_FIELDS;
  if (isEmpty(changed)) {
    const left = own && withFields(own, kept);
    if (left) result.push(left);
  } else {
    result.push(entryOf(unite(kept, changed), by));
  }
  const capped = capUpdateManagers(result);
  return capped.length > 0 ? sortEntries(capped) : undefined;
}

function changesOf(update: OwnershipUpdate): FieldChanges {
  const { before = {}, after, model, struct, leaf = setOfLeaf } = update;
  const only = update.skip ? undefined : leafChange(before, after, { model, struct });
  if (only) return { changed: leaf(only), removed: NO_FIELDS };
  const skip = skippedFields(update);
  return compareFields(before, after, { model, struct, skip, asked: update.asked });
}

/** The set of one text in a map. */
export function setOfLeaf({ field, name }: LeafChange): FieldSet {
  return { [`f:${field}`]: { [`f:${name}`]: NO_FIELDS } };
}

function lost(entry: ManagedFieldsEntry, removed: FieldSet): FieldSet {
  return differenceOf(fieldsOfEntry(entry), removed);
}

/** The entry with other fields, or itself with the same ones; `undefined` with none. */
export function withFields(
  entry: ManagedFieldsEntry,
  fields: FieldSet,
): ManagedFieldsEntry | undefined {
  if (isEmpty(fields)) return undefined;
  return fields === entry.fieldsV1 ? entry : { ...entry, fieldsV1: fields };
}

/** A new entry, its members in the order of the API; without a time where none is told. */
export function entryOf(
  fields: FieldSet,
  by: {
    manager: string;
    operation: string;
    apiVersion: string;
    timeText: string | undefined;
    subresource?: string | undefined;
  },
): ManagedFieldsEntry {
  const entry: ManagedFieldsEntry = {
    manager: by.manager,
    operation: by.operation,
    apiVersion: by.apiVersion,
    time: by.timeText ?? "",
    fieldsType: "FieldsV1",
    fieldsV1: fields,
  };
  if (by.subresource) entry.subresource = by.subresource;
  if (by.timeText === undefined) delete entry.time;
  return entry;
}

/** Bounds the list: the oldest updaters beyond the limit become one, "ancient-changes". */
function capUpdateManagers(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  if (entries.length <= UPDATE_MANAGERS_MAX) return entries;
  const updaters = entries.filter((entry) => entry.operation === "Update");
  if (updaters.length <= UPDATE_MANAGERS_MAX) return entries;
  const oldest = updaters
    .toSorted((a, b) => compareTexts(a.time, b.time))
    .slice(0, updaters.length - UPDATE_MANAGERS_MAX + 1);
  const buckets = new Map<string, ManagedFieldsEntry>();
  for (const entry of oldest) {
    const version = entry.apiVersion ?? "";
    const bucket = buckets.get(version);
    const fields = bucket ? fieldsOfEntry(bucket) : NO_FIELDS;
    buckets.set(
      version,
      entryOf(unionOf(fields, fieldsOfEntry(entry)), {
        manager: "ancient-changes",
        operation: "Update",
        apiVersion: version,
        timeText: entry.time ?? "",
      }),
    );
  }
  return [...entries.filter((entry) => !oldest.includes(entry)), ...buckets.values()];
}

/** The order of the API: appliers first, then by time, manager, version and subresource. */
export function sortEntries(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  return entries.sort(
    (a, b) =>
      compareTexts(a.operation, b.operation) ||
      compareTexts(a.time, b.time) ||
      compareTexts(a.manager, b.manager) ||
      compareTexts(a.apiVersion, b.apiVersion) ||
      compareTexts(a.subresource, b.subresource),
  );
}

function compareTexts(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
