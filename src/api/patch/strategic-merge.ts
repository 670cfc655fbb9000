import { StatusError } from "../errors.ts";
import type { FieldType, MapType, SchemaModel, StructType } from "../schema/model.ts";
import { arrange, type MergeKey, partitionKeyOf } from "./element-order.ts";

type Json = Record<string, unknown>;

/** What members of an object are: those of a struct, any of a map, or unknown. */
type ObjectType = StructType | MapType | undefined;

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const SET_ORDER = "$setElementOrder/";
const DELETE_PRIMITIVES = "$deleteFromPrimitiveList/";
const BAD_ORDER = "invalid patch format of setElementOrder list";
const BAD_RETAINED = "invalid patch format of retainKeys";
const BAD_PRIMITIVES = "invalid patch format of primitive list";

/** How the value of one member is patched. */
interface Member {
  type: FieldType | undefined;
  /** Lists merge element by element instead of being replaced. */
  merges: boolean;
  /** Objects are replaced instead of being merged. */
  replaces: boolean;
  mergeKey: MergeKey;
}

const UNKNOWN_MEMBER: Member = {
  type: undefined,
  merges: false,
  replaces: false,
  mergeKey: undefined,
};

/** Copies its original at the first change that is one. */
class Draft {
  readonly #original: Json;
  value: Json;

  constructor(original: Json | undefined) {
    this.#original = original ?? {};
    this.value = this.#original;
  }

  set(key: string, value: unknown): void {
    if (this.value[key] === value) return;
    this.#own()[key] = value;
  }

  delete(key: string): void {
    if (Object.hasOwn(this.value, key)) delete this.#own()[key];
  }

  #own(): Json {
    if (this.value === this.#original) this.value = { ...this.#original };
    return this.value;
  }
}

/**
 * Applies a strategic merge patch with its directives. Neither argument changes; the result shares
 * every sub-tree that the patch left alone and is `original` itself when nothing changed. Members
 * the schema does not know merge as a JSON merge patch would, for the decoder to judge.
 * @throws StatusError BadRequest for a patch that is malformed
 */
export function strategicMerge(
  original: Json,
  patch: Json,
  options: { model: SchemaModel; struct: StructType },
): Json {
  return new StrategicMerge(options.model).object(original, patch, options.struct);
}

class StrategicMerge {
  readonly #model: SchemaModel;

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  object(original: Json | undefined, patch: Json, type: ObjectType): Json {
    const directive = patch[DIRECTIVE];
    if (directive !== undefined) return replacement(directive, patch);
    const draft = new Draft(original);
    checkDirectives(patch);
    retainKeys(draft, patch);
    const done = new Set<string>();
    for (const key of Object.keys(patch)) {
      if (key.startsWith(SET_ORDER)) {
        const name = key.slice(SET_ORDER.length);
        if (this.#orderedList(draft, name, { patch, type })) done.add(name);
      }
    }
    for (const key of Object.keys(patch)) {
      if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || done.has(key)) continue;
      if (key.startsWith(DELETE_PRIMITIVES)) {
        deletePrimitives(draft, key.slice(DELETE_PRIMITIVES.length), patch[key]);
      } else this.#member(draft, key, { value: patch[key], type });
    }
    return draft.value;
  }

  #member(draft: Draft, key: string, patch: { value: unknown; type: ObjectType }): void {
    const { value } = patch;
    if (value === null) return draft.delete(key);
    if (key === "__proto__") return;
    const before = Object.hasOwn(draft.value, key) ? draft.value[key] : undefined;
    const member = this.#memberOf(patch.type, key);
    if (isObject(value) && isObject(before) && !member.replaces) {
      draft.set(key, this.object(before, value, this.#objectType(member.type)));
    } else if (Array.isArray(value) && Array.isArray(before) && member.merges) {
      draft.set(key, this.#list(before, value, member));
    } else if (isOneValue(value, before)) draft.set(key, value);
    else if (isDirected(value)) draft.delete(key);
    else draft.set(key, typeof value === "object" ? withoutDirectives(value) : value);
  }

  /** Merges a list in the order its directive asks for; false when there is no list at all. */
  #orderedList(draft: Draft, name: string, from: { patch: Json; type: ObjectType }): boolean {
    const order = from.patch[SET_ORDER + name];
    const before = draft.value[name];
    const change = from.patch[name];
    if (!Array.isArray(order)) throw badRequest(BAD_ORDER);
    if (change === null) return false;
    if (change !== undefined && !Array.isArray(change)) throw badRequest(BAD_ORDER);
    const member = this.#memberOf(from.type, name);
    if (order.length > 0) checkOrder(change ?? [], order, { name, mergeKey: member.mergeKey });
    const live = Array.isArray(before) ? before : undefined;
    if (!live && !change) return true;
    let merged: readonly unknown[];
    if (!change) merged = live ?? [];
    else if (!live) merged = withoutDirectives(change) as unknown[];
    else merged = member.merges ? this.#list(live, change, member) : change;
    const { mergeKey } = member;
    const liveOrder = member.merges ? orderInPlace(live ?? [], change ?? [], mergeKey) : live;
    const arranged = arrange(merged, { wanted: order, live: liveOrder ?? [], mergeKey });
    draft.set(name, sameOr(live, arranged));
    return true;
  }

  #list(original: readonly unknown[], patch: readonly unknown[], member: Member): unknown[] {
    const { mergeKey } = member;
    const elements = [...original, ...patch];
    if (!elements.some(isObject)) {
      return arrange([...new Set(elements)], {
        wanted: patch,
        live: original,
        mergeKey: undefined,
      });
    }
    if (mergeKey === undefined) throw badRequest("cannot merge lists without merge key");
    const { live, changes } = applySpecialElements(original, patch, mergeKey);
    const merged = [...live];
    const places = new Map(
      live.map((item, at) => [partitionKeyOf(item, mergeKey), at] as const).reverse(),
    );
    for (const change of changes) {
      const place = places.get(requiredKey(change, mergeKey));
      if (place === undefined) merged.push(withoutDirectives(change));
      else {
        const before = merged[place];
        const type = this.#elementType(member.type);
        merged[place] = this.object(isObject(before) ? before : undefined, change, type);
      }
    }
    const arranged = arrange(merged, { wanted: changes, live, mergeKey });
    return sameOr(original, arranged);
  }

  #memberOf(type: ObjectType, key: string): Member {
    if (!type) return UNKNOWN_MEMBER;
    if ("kind" in type) return { ...UNKNOWN_MEMBER, type: type.of };
    const field = type.fields.get(key);
    if (!field) return UNKNOWN_MEMBER;
    const strategy = field.patchStrategy ?? "";
    return {
      type: field.type,
      merges: strategy.includes("merge"),
      replaces: strategy.includes("replace"),
      mergeKey: field.patchMergeKey,
    };
  }

  #objectType(type: FieldType | undefined): ObjectType {
    if (type?.kind === "struct") return this.#model.struct(type.struct);
    return type?.kind === "map" ? type : undefined;
  }

  #elementType(type: FieldType | undefined): ObjectType {
    return type?.kind === "list" ? this.#objectType(type.of) : undefined;
  }
}

/** Whether a list or object stands for another as it is: what looks like directives is none. */
function isOneValue(value: unknown, before: unknown): boolean {
  return Array.isArray(value) ? Array.isArray(before) : isObject(value) && isObject(before);
}

/** Whether a directive says what is to become of what is not there. */
function isDirected(value: unknown): boolean {
  return isObject(value) && DIRECTIVE in value;
}

/** Refuses directives that name no list. */
function checkDirectives(patch: Json): void {
  if (SET_ORDER.slice(0, -1) in patch) throw badRequest(BAD_ORDER);
  if (DELETE_PRIMITIVES.slice(0, -1) in patch) throw badRequest(BAD_PRIMITIVES);
}

/** `before` when the list has the very same elements, so that a patch without effect shows. */
function sameOr(before: readonly unknown[] | undefined, after: unknown[]): unknown[] {
  if (before?.length !== after.length) return after;
  return after.every((item, at) => item === before[at]) ? (before as unknown[]) : after;
}

function replacement(directive: unknown, patch: Json): Json {
  if (directive === "delete") return {};
  if (directive === "replace") return withoutDirectives(patch) as Json;
  throw badRequest(
    `unknown patch type: ${JSON.stringify(directive)} in map: ${JSON.stringify(patch)}`,
  );
}

function retainKeys(draft: Draft, patch: Json): void {
  const retained = patch[RETAIN_KEYS];
  if (retained === undefined) return;
  if (!Array.isArray(retained)) throw badRequest(BAD_RETAINED);
  for (const key of Object.keys(patch)) {
    const directive =
      key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_PRIMITIVES);
    if (!directive && patch[key] !== null && !retained.includes(key))
      throw badRequest(BAD_RETAINED);
  }
  for (const key of Object.keys(draft.value)) {
    if (!retained.includes(key)) draft.delete(key);
  }
}

function deletePrimitives(draft: Draft, name: string, values: unknown): void {
  const before = draft.value[name];
  if (!Array.isArray(before) || !Array.isArray(values)) return;
  const after = (before as unknown[]).filter((item) => !values.includes(item));
  if (after.length !== before.length) draft.set(name, after);
}

/** Carries out the elements that are directives and returns what is left to merge. */
function applySpecialElements(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): { live: readonly unknown[]; changes: Json[] } {
  let live = original;
  let replace = false;
  const changes: Json[] = [];
  for (const element of patch) {
    if (!isObject(element)) throw badRequest("a list must not hold objects beside other values");
    const directive = element[DIRECTIVE];
    if (directive === undefined) changes.push(element);
    else if (directive === "replace") replace = true;
    else if (directive === "delete") {
      const key = requiredKey(element, mergeKey);
      live = live.filter((item) => partitionKeyOf(item, mergeKey) !== key);
    } else if (directive === "merge") {
      throw badRequest("merging lists cannot yet be specified in the patch");
    } else {
      const text = JSON.stringify(element);
      throw badRequest(`unknown patch type: ${JSON.stringify(directive)} in map: ${text}`);
    }
  }
  if (!replace) return { live, changes };
  return { live: changes.map((change) => withoutDirectives(change)), changes: [] };
}

/**
 * The order of the live list as the reference implementation sees it after it edited that list in
 * place: new elements stand in the room that deleted ones left.
 */
function orderInPlace(
  live: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: MergeKey,
): readonly unknown[] {
  if (mergeKey === undefined) return live;
  const deleted = new Set<unknown>();
  for (const element of patch) {
    if (isObject(element) && element[DIRECTIVE] === "delete") deleted.add(element[mergeKey]);
  }
  if (deleted.size === 0) return live;
  const kept = live.filter((item) => !deleted.has(partitionKeyOf(item, mergeKey)));
  const keys = new Set(kept.map((item) => partitionKeyOf(item, mergeKey)));
  const added = patch.filter((element) => {
    const special = isObject(element) && element[DIRECTIVE] !== undefined;
    return !special && !keys.has(partitionKeyOf(element, mergeKey));
  });
  return [...kept, ...added].slice(0, live.length);
}

/** The elements of the patch must stand in the order that the directive lists them in. */
function checkOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  list: { name: string; mergeKey: MergeKey },
): void {
  let next = 0;
  for (const element of patch) {
    if (isObject(element) && element[DIRECTIVE] !== undefined) continue;
    const key = partitionKeyOf(element, list.mergeKey);
    while (next < order.length && partitionKeyOf(order[next], list.mergeKey) !== key) next++;
    if (next === order.length) {
      throw badRequest(
        `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match ` +
          `${SET_ORDER}${list.name} list:\n${JSON.stringify(order)}\n`,
      );
    }
  }
}

function requiredKey(element: Json, mergeKey: string): unknown {
  const key = element[mergeKey];
  if (key !== undefined) return key;
  const text = JSON.stringify(element);
  throw badRequest(`map: ${text} does not contain declared merge key: ${mergeKey}`);
}

/** The value as it stands in an object: without directives, nulls and elements to delete. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    const kept = (value as unknown[]).filter((item) => !isDirected(item));
    return kept.map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  const result: Json = {};
  for (const key of Object.keys(value)) {
    const directive =
      key === DIRECTIVE ||
      key === RETAIN_KEYS ||
      key.startsWith(SET_ORDER) ||
      key.startsWith(DELETE_PRIMITIVES);
    if (directive || value[key] === null || isDirected(value[key]) || key === "__proto__") continue;
    result[key] = withoutDirectives(value[key]);
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badRequest(message: string): StatusError {
  return new StatusError("BadRequest", message);
}
