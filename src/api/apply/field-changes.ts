import { deepEqual } from "../../lib/deep-equal.ts";
import { freezeSharing } from "../../lib/json-share.ts";
import type { AskedSpec } from "../common-spec.ts";
import type { ListType, SchemaModel, StructType } from "../schema/model.ts";
import { type FieldSet, isEmpty, NO_FIELDS } from "./field-set.ts";
import {
  absentValue,
  indexElements,
  isAtomic,
  isObject,
  type Json,
  memberShape,
  repeatedElements,
  type Shape,
  shapeOf,
} from "./shape.ts";

/** Which fields a write set to something else, and which it removed. */
export interface FieldChanges {
  changed: FieldSet;
  removed: FieldSet;
}

type MutableSet = Record<string, FieldSet>;

/** Results of one node; `undefined` stands for no path at all. */
interface Slot {
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

interface Context {
  model: SchemaModel;
  /** The spec of a new object, when others were asked for with the same. */
  asked?: AskedSpec | undefined;
}

/** What is being compared: absent is `undefined`, an implied zero value is `null`. */
interface Pair {
  before: unknown;
  after: unknown;
}

/**
 * Compares two objects field by field. Sub-trees in `skip` count as equal. Shared sub-trees cost
 * nothing.
 */
export function compareFields(
  before: Json,
  after: Json,
  options: {
    model: SchemaModel;
    struct: StructType;
    skip?: FieldSet;
    asked?: AskedSpec | undefined;
  },
): FieldChanges {
  const slot: Slot = { changed: undefined, removed: undefined };
  const { model, struct, skip, asked } = options;
  if (before !== after) compareMembers({ before, after }, struct, { model, asked, slot, skip });
  return { changed: slot.changed ?? NO_FIELDS, removed: slot.removed ?? NO_FIELDS };
}

/**
 * The fields that an applied configuration has an opinion on. Elements that cannot be named make
 * their list one value.
 */
export function appliedFields(
  object: Json,
  options: { model: SchemaModel; struct: StructType },
): FieldSet {
  const { model, struct } = options;
  return fieldsOf(object, struct, { model, inner: false, self: false }) ?? NO_FIELDS;
}

/**
 * All fields below a value. `self` puts the path of the value itself into the set, `inner` those
 * of all objects and lists below it.
 */
function fieldsOf(
  value: unknown,
  shape: Shape,
  how: { model: SchemaModel; inner: boolean; self: boolean },
): FieldSet | undefined {
  if (isAtomic(shape)) return NO_FIELDS;
  const { model, inner, self } = how;
  if (!("fields" in shape) && shape.kind === "list") {
    if (value === null) return NO_FIELDS;
    if (!Array.isArray(value) || value.length === 0) return inner ? NO_FIELDS : undefined;
    const index = indexElements(value, shape, model);
    if (!index) return NO_FIELDS;
    const node: MutableSet = self ? { ".": NO_FIELDS } : {};
    const child = shapeOf(shape.of, model);
    const repeated =
      index.size < value.length ? repeatedElements(value, shape, model) : NONE_REPEATED;
    for (const [element, item] of index) {
      if (repeated.has(element)) node[element] = NO_FIELDS;
      else node[element] = fieldsOf(item, child, { model, inner, self: true }) ?? NO_FIELDS;
    }
    return node;
  }
  if (!isObject(value) || isEmpty(value as FieldSet)) return NO_FIELDS;
  const node: MutableSet = self ? { ".": NO_FIELDS } : {};
  const childSelf = inner || !("fields" in shape);
  for (const name in value) {
    const item = value[name];
    if (item === undefined) continue;
    const child = memberShape(shape, name, { model, value: item });
    const fields = fieldsOf(item, child, { model, inner, self: childSelf });
    if (!fields) continue;
    const isTimed = inner && "fields" in child && child.name === OBJECT_META;
    node[`f:${name}`] = isTimed && isByValue(shape, name) ? withTime(fields) : fields;
  }
  return isEmpty(node) ? undefined : node;
}

const OBJECT_META = "meta/v1.ObjectMeta";

function isByValue(shape: Shape, name: string): boolean {
  return "fields" in shape && !shape.fields.get(name)?.pointer;
}

/** Go writes when an object was made with all else of its metadata, be it null. */
function withTime(fields: FieldSet): FieldSet {
  return isEmpty(fields)
    ? { ".": NO_FIELDS, "f:creationTimestamp": NO_FIELDS }
    : { "f:creationTimestamp": NO_FIELDS, ...fields };
}

const NONE_REPEATED: ReadonlySet<string> = new Set();

function compareValues(
  pair: Pair,
  shape: Shape,
  to: Context & { slot: Slot; skip?: FieldSet | undefined },
): void {
  const { before, after } = pair;
  const { model, slot } = to;
  if (before === undefined)
    slot.changed = fieldsOf(after, shape, { model, inner: true, self: true });
  else if (after === undefined) {
    slot.removed = fieldsOf(before, shape, { model, inner: true, self: true });
  } else if (isAtomic(shape)) {
    if (!deepEqual(before, after)) slot.changed = NO_FIELDS;
  } else if (!("fields" in shape) && shape.kind === "list") compareElements(pair, shape, to);
  else compareMembers(pair, shape, to);
}

function compareMembers(
  pair: Pair,
  shape: Shape,
  to: Context & { slot: Slot; skip?: FieldSet | undefined },
): void {
  const before = isObject(pair.before) ? pair.before : {};
  const after = isObject(pair.after) ? pair.after : {};
  const { model, skip, asked } = to;
  const slot: Slot = { changed: undefined, removed: undefined };
  let changed: MutableSet | undefined;
  let removed: MutableSet | undefined;
  const visit = (name: string, before: unknown, after: unknown) => {
    const element = `f:${name}`;
    const skipped = skip?.[element];
    if (skipped && isEmpty(skipped)) return;
    slot.changed = slot.removed = undefined;
    const absent = before === undefined || after === undefined ? absentValue(shape, name) : null;
    const values = {
      before: before === undefined ? absent : before,
      after: after === undefined ? absent : after,
    };
    const child = memberShape(shape, name, { model, value: after ?? before });
    const isNew = asked?.spec === after && !skipped && !isObject(values.before);
    const known = isNew ? asked : undefined;
    if (known && "fields" in known) slot.changed = known.fields;
    else compareValues(values, child, { model, slot, skip: skipped });
    if (known && !("fields" in known)) known.fields = freezeSharing(slot.changed, undefined);
    if (slot.changed) (changed ??= {})[element] = slot.changed;
    if (slot.removed) (removed ??= {})[element] = slot.removed;
  };
  let kept = 0;
  for (const name in after) {
    const earlier = ownMember(before, name);
    const later = after[name];
    if (earlier !== undefined && later !== undefined) kept++;
    if (earlier !== later) visit(name, earlier, later);
  }
  // Few writes remove anything.
  if (kept < Object.keys(before).length) {
    for (const name in before) {
      if (ownMember(after, name) === undefined && before[name] !== undefined) {
        visit(name, before[name], undefined);
      }
    }
  }
  to.slot.changed = changed;
  to.slot.removed = removed;
}

/** Labels may be called "constructor"; what objects inherit are functions, but for one member. */
function ownMember(object: Json, name: string): unknown {
  const member = object[name];
  if (typeof member !== "function" && name !== "__proto__") return member;
  return Object.hasOwn(object, name) ? member : undefined;
}

function compareElements(pair: Pair, list: ListType, to: Context & { slot: Slot }): void {
  const before = Array.isArray(pair.before) ? (pair.before as unknown[]) : [];
  const after = Array.isArray(pair.after) ? (pair.after as unknown[]) : [];
  const { model } = to;
  const [old, now] = [indexElements(before, list, model), indexElements(after, list, model)];
  if (!old || !now) {
    if (!deepEqual(before, after)) to.slot.changed = NO_FIELDS;
    return;
  }
  const shape = shapeOf(list.of, model);
  const slot: Slot = { changed: undefined, removed: undefined };
  let changed: MutableSet | undefined;
  let removed: MutableSet | undefined;
  const visit = (element: string, values: Pair) => {
    slot.changed = slot.removed = undefined;
    compareValues(values, shape, { model, slot });
    if (slot.changed) (changed ??= {})[element] = slot.changed;
    if (slot.removed) (removed ??= {})[element] = slot.removed;
  };
  for (const [element, item] of now) {
    const earlier = old.get(element);
    if (earlier !== item) visit(element, { before: earlier, after: item });
  }
  for (const [element, item] of old) {
    if (!now.has(element)) visit(element, { before: item, after: undefined });
  }
  to.slot.changed = changed;
  to.slot.removed = removed;
}
