import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import { additionalOf } from "./schema-parts.ts";

/** A path into values of a schema, as rules and selectable fields name them. */
export interface FieldPath {
  /** As complaints write it: "spec.ports[http]". */
  path: string;
  schema: JSONSchemaProps;
}

const STEP = /\.([^.[\]']+)|\['((?:[^'\\]|\\.)*)'\]/y;

/** Reads ".spec.replicas" or ".labels['a.b']"; undefined when the schema has no such field. */
export function fieldPathOf(text: string, root: JSONSchemaProps): FieldPath | undefined {
  let schema = root;
  let path = "";
  STEP.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    STEP.lastIndex = at;
    const step = STEP.exec(text);
    if (!step) return undefined;
    const name = step[1] ?? (step[2] ?? "").replace(/\\(.)/g, "$1");
    const { properties } = schema;
    const named = properties !== undefined;
    const next = named
      ? Object.hasOwn(properties, name)
        ? properties[name]
        : undefined
      : additionalOf(schema);
    if (!next) return undefined;
    if (named) path += path ? `.${name}` : name;
    else path += `[${name}]`;
    schema = next;
    at += step[0].length;
  }
  return at === 0 ? undefined : { path, schema };
}
