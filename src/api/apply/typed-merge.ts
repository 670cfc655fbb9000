import type { Field, ListType, SchemaModel, StructType } from "../schema/model.ts";
import { type FieldSet, isEmpty, isMember } from "./field-set.ts";
import {
  elementOf,
  isAtomic,
  isObject,
  type Json,
  memberShape,
  type Shape,
  shapeOf,
} from "./shape.ts";

interface Typed {
  model: SchemaModel;
  struct: StructType;
}

/** A configuration and, at the same places, what of it is kept: empty values are not. */
interface Applied {
  said: unknown;
  kept: unknown;
}

/**
 * The live object with an applied configuration merged in: objects member by member, keyed lists
 * and sets element by element, all else replaced. Shares what stays; what is missing in `values`,
 * because the kind keeps no `null` there or it is empty, is removed.
 */
export function mergeApplied(
  live: Json,
  applied: Json,
  { model, struct, values = applied }: Typed & { values?: Json },
): Json {
  return mergeValues(live, { said: applied, kept: values }, { shape: struct, model }) as Json;
}

function mergeValues(
  live: unknown,
  { said, kept }: Applied,
  at: { shape: Shape; model: SchemaModel },
): unknown {
  const { shape, model } = at;
  if (said === live || isAtomic(shape)) return kept;
  if (said === null) return isFilled(live) ? live : kept;
  if (!("fields" in shape) && shape.kind === "list") {
    if (!Array.isArray(live) || !Array.isArray(said) || !Array.isArray(kept)) return kept;
    return mergeElements(live, { said, kept }, { list: shape, model });
  }
  if (!isObject(said) || !isObject(kept)) return kept;
  const before = isObject(live) ? live : {};
  let result: Record<string, unknown> | undefined = isObject(live) ? undefined : {};
  for (const name of Object.keys(said)) {
    const value = said[name];
    const keptValue = kept[name];
    const child = memberShape(shape, name, { model, value });
    if (keptValue === undefined) {
      // Nothing is said of the elements and members of what is empty, or null.
      const opens = value !== null && typeof value === "object";
      if (before[name] === undefined) continue;
      if (!isAtomic(child) && (opens || isFilled(before[name]))) continue;
      result ??= { ...before };
      delete result[name];
      continue;
    }
    const merged = mergeValues(
      before[name],
      { said: value, kept: keptValue },
      { shape: child, model },
    );
    if (merged === before[name]) continue;
    result ??= { ...before };
    result[name] = merged;
  }
  return result ?? live;
}

/** Whether there are elements or members. */
function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/**
 * Elements in the order of the applied list; live elements it does not name keep their place
 * relative to the ones around them, even those that are there twice.
 */
function mergeElements(
  live: readonly unknown[],
  { said, kept }: { said: readonly unknown[]; kept: readonly unknown[] },
  at: { list: ListType; model: SchemaModel },
): readonly unknown[] {
  const { list, model } = at;
  const [old, now] = [placesOf(live, list, model), placesOf(said, list, model)];
  if (!old || !now) return kept;
  const shape = shapeOf(list.of, model);
  const shared = now.order.filter((element) => old.places.has(element));
  const result: unknown[] = [];
  const done = new Set<string>();
  const take = (element: string) => {
    done.add(element);
    const place = now.places.get(element) ?? 0;
    const before = old.places.get(element);
    if (before === undefined || before === REPEATED) result.push(kept[place]);
    else {
      const after = { said: said[place], kept: kept[place] };
      result.push(mergeValues(live[before], after, { shape, model }));
    }
  };
  let [liveAt, appliedAt, sharedAt] = [0, 0, 0];
  while (liveAt < live.length || appliedAt < said.length) {
    const [mine, wanted] = [old.order[liveAt], now.order[appliedAt]];
    if (mine !== undefined && !now.places.has(mine)) result.push(live[liveAt++]);
    else if (mine !== undefined && (done.has(mine) || mine !== shared[sharedAt])) liveAt++;
    else if (wanted !== undefined) {
      take(wanted);
      appliedAt++;
      if (wanted === shared[sharedAt]) sharedAt++;
    } else liveAt++;
  }
  const same = result.length === live.length && result.every((item, place) => item === live[place]);
  return same ? live : result;
}

/** Stands for the place of an element that is there twice: none of them is the one. */
const REPEATED = -1;

/** Names of elements in their order, and where each stands; `undefined` when one has no name. */
function placesOf(
  items: readonly unknown[],
  list: ListType,
  model: SchemaModel,
): { order: string[]; places: Map<string, number> } | undefined {
  const order: string[] = [];
  const places = new Map<string, number>();
  for (const [place, item] of items.entries()) {
    const element = elementOf(item, list, model);
    if (element === undefined) return undefined;
    order.push(element);
    places.set(element, places.has(element) ? REPEATED : place);
  }
  return { order, places };
}

/**
 * The object without the fields that an applier owned before (`last`) and nobody owns now.
 * Objects and lists that this empties go too, unless somebody owns them and Go would write them
 * (or `keepsEmpty`).
 */
export function removeUnowned(
  object: Json,
  sets: { last: FieldSet; owned: FieldSet },
  { model, struct, keepsEmpty = false }: Typed & { keepsEmpty?: boolean },
): Json {
  return (removeFrom(object, sets, { shape: struct, model, keepsEmpty }) ?? {}) as Json;
}

/** Told apart from a member without children by its identity. */
const UNOWNED: FieldSet = Object.freeze({});

type Ownership = { last: FieldSet; owned: FieldSet };

/** `undefined` when nothing is left. */
function removeFrom(
  value: unknown,
  sets: Ownership,
  at: { shape: Shape; model: SchemaModel; keepsEmpty: boolean },
): unknown {
  const { shape, model, keepsEmpty } = at;
  if (isEmpty(sets.last) || isAtomic(shape)) return value;
  if (!("fields" in shape) && shape.kind === "list") {
    return Array.isArray(value) ? removeElements(value, sets, { ...at, list: shape }) : value;
  }
  if (!isObject(value)) return value;
  let result: Record<string, unknown> | undefined;
  for (const element in sets.last) {
    const name = element.slice(2);
    const before = value[name];
    if (!element.startsWith("f:") || before === undefined) continue;
    const last = sets.last[element] ?? {};
    const owned = sets.owned[element];
    const field = "fields" in shape ? shape.fields.get(name) : undefined;
    const child = memberShape(shape, name, { model, value: before });
    const after =
      !owned && (field || isMember(last))
        ? undefined
        : removeFrom(before, { last, owned: owned ?? UNOWNED }, { ...at, shape: child });
    if (after === before) continue;
    result ??= { ...value };
    const isDropped = !keepsEmpty && dropsEmpty(field) && !isFilled(after);
    if (after === undefined || isDropped) delete result[name];
    else result[name] = after;
  }
  if (!result) return value;
  return Object.keys(result).length > 0 || isOwned(sets) ? result : undefined;
}

/** Whether a list or map is not written when it is empty, whoever owns it. */
function dropsEmpty(field: Field | undefined): boolean {
  if (!field?.omitEmpty || field.pointer) return false;
  return field.type.kind === "list" || field.type.kind === "map";
}

function removeElements(
  items: readonly unknown[],
  sets: Ownership,
  at: { list: ListType; model: SchemaModel; keepsEmpty: boolean },
): readonly unknown[] | undefined {
  const { list, model, keepsEmpty } = at;
  const shape = shapeOf(list.of, model);
  let changed = false;
  const result: unknown[] = [];
  for (const item of items) {
    const element = elementOf(item, list, model);
    const last = element === undefined ? undefined : sets.last[element];
    const owned = element === undefined ? undefined : sets.owned[element];
    let after: unknown = item;
    if (last && !owned && isMember(last)) after = undefined;
    else if (last) {
      const child = { shape, model, keepsEmpty };
      after = removeFrom(item, { last, owned: owned ?? UNOWNED }, child);
    }
    if (after !== item) changed = true;
    if (after !== undefined) result.push(after);
  }
  if (!changed) return items;
  return result.length > 0 || isOwned(sets) ? result : undefined;
}

/** Whether somebody wants the object or list itself, empty as it may be. */
function isOwned({ owned }: Ownership): boolean {
  return owned !== UNOWNED && isMember(owned);
}
