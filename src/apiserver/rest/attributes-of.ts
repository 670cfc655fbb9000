import { fieldGetterFor, selectableFields } from "../../api/selection/field-selector.ts";
import type { Resource } from "../../api/resource.ts";
import type { AttributesOf } from "../watch-cache/cached-object.ts";

const NO_LABELS: Readonly<Record<string, string>> = {};

/** Reads labels and every field that selectors of `resource` may name. */
export function attributesOf(resource: Resource, selectable: readonly string[] = []): AttributesOf {
  const names = ["metadata.name", "metadata.namespace", ...selectableFields(resource)];
  const getters = [...names, ...selectable].flatMap((name) => {
    const getter = fieldGetterFor(resource, name, selectable);
    return getter ? [{ name, getter }] : [];
  });
  return (object) => {
    const fields: Record<string, string> = {};
    for (const { name, getter } of getters) fields[name] = getter(object);
    return { labels: object.metadata.labels ?? NO_LABELS, fields };
  };
}
