import type { ListType, SchemaModel, StructType } from "../schema/model.ts";
import { type FieldSet, isEmpty, isMember } from "./field-set.ts";
import {
  elementOf,
  indexElements,
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

/**
 * The live object with an applied configuration merged in: objects member by member, keyed lists
 * and sets element by element, all else replaced. Shares what stays; `null` removes.
 */
export function mergeApplied(live: Json, applied: Json, { model, struct }: Typed): Json {
  return mergeValues(live, applied, { shape: struct, model }) as Json;
}

function mergeValues(
  live: unknown,
  applied: unknown,
  at: { shape: Shape; model: SchemaModel },
): unknown {
  const { shape, model } = at;
  if (applied === live || isAtomic(shape)) return applied;
  if (!("fields" in shape) && shape.kind === "list") {
    if (!Array.isArray(live) || !Array.isArray(applied)) return applied;
    return mergeElements(live, applied, { list: shape, model });
  }
  if (!isObject(applied)) return applied;
  const before = isObject(live) ? live : {};
  let result: Record<string, unknown> | undefined = isObject(live) ? undefined : {};
  for (const name of Object.keys(applied)) {
    const value = applied[name];
    if (value === null) {
      if (before[name] === undefined) continue;
      result ??= { ...before };
      delete result[name];
      continue;
    }
    const child = memberShape(shape, name, { model, value });
    const merged = mergeValues(before[name], value, { shape: child, model });
    if (merged === before[name]) continue;
    result ??= { ...before };
    result[name] = merged;
  }
  return result ?? live;
}

/**
 * Elements in the order of the applied list; live elements it does not name keep their place
 * relative to the ones around them.
 */
function mergeElements(
  live: readonly unknown[],
  applied: readonly unknown[],
  at: { list: ListType; model: SchemaModel },
): readonly unknown[] {
  const { list, model } = at;
  const [old, now] = [indexElements(live, list, model), indexElements(applied, list, model)];
  if (!old || !now) return applied;
  const shape = shapeOf(list.of, model);
  const [liveOrder, appliedOrder] = [[...old.keys()], [...now.keys()]];
  const shared = appliedOrder.filter((element) => old.has(element));
  const result: unknown[] = [];
  const done = new Set<string>();
  const take = (element: string) => {
    done.add(element);
    const [before, after] = [old.get(element), now.get(element)];
    if (after === undefined) result.push(before);
    else if (before === undefined) result.push(after);
    else result.push(mergeValues(before, after, { shape, model }));
  };
  let [liveAt, appliedAt, sharedAt] = [0, 0, 0];
  while (liveAt < liveOrder.length || appliedAt < appliedOrder.length) {
    const [mine, wanted] = [liveOrder[liveAt], appliedOrder[appliedAt]];
    if (mine !== undefined && (done.has(mine) || (now.has(mine) && mine !== shared[sharedAt]))) {
      liveAt++;
    } else if (mine !== undefined && !now.has(mine)) {
      take(mine);
      liveAt++;
    } else if (wanted !== undefined) {
      take(wanted);
      appliedAt++;
      if (wanted === shared[sharedAt]) sharedAt++;
    } else liveAt++;
  }
  const same = result.length === live.length && result.every((item, place) => item === live[place]);
  return same ? live : result;
}

/**
 * The object without the fields that an applier owned before (`last`) and nobody owns now.
 * Objects and lists that this empties go too.
 */
export function removeUnowned(
  object: Json,
  sets: { last: FieldSet; owned: FieldSet },
  { model, struct }: Typed,
): Json {
  return (removeFrom(object, sets, { shape: struct, model }) ?? {}) as Json;
}

/** Told apart from a member without children by its identity. */
const UNOWNED: FieldSet = Object.freeze({});

type Ownership = { last: FieldSet; owned: FieldSet };

/** `undefined` when nothing is left. */
function removeFrom(
  value: unknown,
  sets: Ownership,
  at: { shape: Shape; model: SchemaModel },
): unknown {
  const { shape, model } = at;
  if (isEmpty(sets.last) || isAtomic(shape)) return value;
  if (!("fields" in shape) && shape.kind === "list") {
    return Array.isArray(value) ? removeElements(value, sets, { list: shape, model }) : value;
  }
  if (!isObject(value)) return value;
  let result: Record<string, unknown> | undefined;
  for (const element in sets.last) {
    const name = element.slice(2);
    const before = value[name];
    if (!element.startsWith("f:") || before === undefined) continue;
    const last = sets.last[element] ?? {};
    const owned = sets.owned[element];
    const named = "fields" in shape && shape.fields.has(name);
    const child = memberShape(shape, name, { model, value: before });
    const after =
      !owned && (named || isMember(last))
        ? undefined
        : removeFrom(before, { last, owned: owned ?? UNOWNED }, { shape: child, model });
    if (after === before) continue;
    result ??= { ...value };
    if (after === undefined) delete result[name];
    else result[name] = after;
  }
  if (!result) return value;
  return Object.keys(result).length > 0 || isOwned(sets) ? result : undefined;
}

function removeElements(
  items: readonly unknown[],
  sets: Ownership,
  at: { list: ListType; model: SchemaModel },
): readonly unknown[] | undefined {
  const { list, model } = at;
  const shape = shapeOf(list.of, model);
  let changed = false;
  const result: unknown[] = [];
  for (const item of items) {
    const element = elementOf(item, list, model);
    const last = element === undefined ? undefined : sets.last[element];
    const owned = element === undefined ? undefined : sets.owned[element];
    let after: unknown = item;
    if (last && !owned && isMember(last)) after = undefined;
    else if (last) after = removeFrom(item, { last, owned: owned ?? UNOWNED }, { shape, model });
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
