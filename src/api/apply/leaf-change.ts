import type { SchemaModel, StructType } from "../schema/model.ts";
import { isAtomic, isObject, type Json, shapeOf } from "./shape.ts";
import { UNMANAGED_METADATA } from "./unmanaged-metadata.ts";

/** A text that was set in a map which is a field of the object, such as `data` of a ConfigMap. */
export interface LeafChange {
  field: string;
  name: string;
}

const UNMANAGED: ReadonlySet<string> = new Set(UNMANAGED_METADATA);
/** Fields that an endpoint may leave to another one. */
const PARTS: ReadonlySet<string> = new Set(["metadata", "spec", "status"]);

/**
 * What a write changed that set one text in a map, and nothing else that anybody could own:
 * `compareFields` at a fraction of its cost. `undefined` for all other writes.
 */
export function leafChange(
  before: Json,
  after: Json,
  { model, struct }: { model: SchemaModel; struct: StructType },
): LeafChange | undefined {
  let field: string | undefined;
  let members = 0;
  for (const name in after) {
    members++;
    if (before[name] === after[name]) continue;
    if (name === "metadata") {
      if (!isSameMeta(before[name], after[name])) return undefined;
    } else if (field === undefined) field = name;
    else return undefined;
  }
  for (const _ in before) members--;
  if (field === undefined || members !== 0 || PARTS.has(field)) return undefined;
  const declared = struct.fields.get(field);
  if (!declared || declared.atomic || declared.type.kind !== "map") return undefined;
  const { type } = declared;
  if (type.atomic || !isAtomic(shapeOf(type.of, model))) return undefined;
  const name = textSet(before[field], after[field]);
  return name === undefined ? undefined : { field, name };
}

function isSameMeta(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after)) return false;
  for (const name in after) {
    if (before[name] !== after[name] && !UNMANAGED.has(name)) return false;
  }
  for (const name in before) {
    if (after[name] === undefined && !UNMANAGED.has(name)) return false;
  }
  return true;
}

/** The only member that is another text than before, where no member went. */
function textSet(before: unknown, after: unknown): string | undefined {
  if (!isObject(before) || !isObject(after)) return undefined;
  let set: string | undefined;
  let members = 0;
  for (const name in after) {
    members++;
    if (before[name] === after[name]) continue;
    if (set !== undefined || typeof after[name] !== "string") return undefined;
    set = name;
  }
  if (set === undefined || set === "__proto__") return undefined;
  if (!Object.hasOwn(before, set)) members--;
  else if (typeof before[set] !== "string") return undefined;
  for (const _ in before) members--;
  return members === 0 ? set : undefined;
}
