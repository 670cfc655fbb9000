import { StatusError } from "../errors.ts";
import type { ListType, SchemaModel, StructType } from "../schema/model.ts";
import {
  elementOf,
  isAtomic,
  isObject,
  type Json,
  memberShape,
  type Shape,
  shapeOf,
} from "./shape.ts";

/**
 * Refuses configurations that cannot be merged: wrong version, own managedFields, list elements
 * that are double or have no key. Returns the configuration's apiVersion.
 * @throws StatusError BadRequest
 */
export function checkApplied(request: {
  live?: Json | undefined;
  applied: Json;
  model: SchemaModel;
  struct: StructType;
}): string {
  const { live, applied, model, struct } = request;
  const { apiVersion, metadata } = applied;
  if (typeof apiVersion !== "string" || apiVersion === "") {
    throw badRequest("apiVersion must be set in the apply patch");
  }
  const expected = live?.apiVersion;
  if (typeof expected === "string" && expected !== apiVersion) {
    throw badRequest(
      "Incorrect version specified in apply patch. " +
        `Specified patch version: ${apiVersion}, expected: ${expected}`,
    );
  }
  if (isObject(metadata) && Array.isArray(metadata.managedFields)) {
    throw badRequest("metadata.managedFields must be nil");
  }
  checkValue(applied, struct, { model, path: "", applied });
  return apiVersion;
}

/** What upstream says of a configuration that cannot be owned, in front of why. */
export function notTyped({ apiVersion, kind, metadata }: Json): string {
  const { namespace = "", name = "" } = isObject(metadata) ? metadata : {};
  const version = String(apiVersion);
  const qualified = version.includes("/") ? version : `/${version}`;
  const what = `${String(namespace)}/${String(name)}; ${qualified}, Kind=${String(kind)}`;
  return `failed to create typed patch object (${what}): `;
}

interface Place {
  model: SchemaModel;
  path: string;
  /** The whole configuration. */
  applied: Json;
}

function checkValue(value: unknown, shape: Shape, at: Place): void {
  if (!("fields" in shape) && shape.kind === "list") {
    if (Array.isArray(value)) checkElements(value, shape, at);
  } else if (isObject(value)) {
    for (const name in value) {
      const child = memberShape(shape, name, { model: at.model, value: value[name] });
      checkValue(value[name], child, { ...at, path: `${at.path}.${name}` });
    }
  }
}

function checkElements(items: readonly unknown[], list: ListType, at: Place): void {
  const seen = new Set<string>();
  const shape = shapeOf(list.of, at.model);
  if (isAtomic(list)) {
    items.forEach((item, index) =>
      checkValue(item, shape, { ...at, path: `${at.path}[${index}]` }),
    );
    return;
  }
  items.forEach((item, index) => {
    const element = elementOf(item, list, at.model);
    if (element === undefined) {
      throw badRequest(
        `${notTyped(at.applied)}${at.path}: element ${index}: ${namelessComplaint(item, list)}`,
      );
    }
    if (seen.has(element)) {
      const key = element.slice(2);
      throw badRequest(`${notTyped(at.applied)}${at.path}: duplicate entries for key ${key}`);
    }
    seen.add(element);
    checkValue(item, shape, { ...at, path: `${at.path}[${element.slice(2)}]` });
  });
}

/** Why an element of a keyed list or set has no name. */
function namelessComplaint(item: unknown, { listType, mapKeys = [] }: ListType): string {
  if (listType === "map") {
    const keys = mapKeys.map((key) => `"${key}"`).join(", ");
    const why = `omits key field ${keys} (and doesn't have default value)`;
    return `associative list with keys has an element that ${why}`;
  }
  if (Array.isArray(item)) return "not supported: associative list with lists as elements";
  const what = item === null ? "an explicit null" : "a map type";
  return `associative list without keys has an element that's ${what}`;
}

function badRequest(message: string): StatusError {
  return new StatusError("BadRequest", message);
}
