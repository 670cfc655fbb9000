import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../status.ts";
import { isJsonObject, itemsOf, propertyOf } from "./schema-parts.ts";

/** Objects within objects must say what they are. */
export function embeddedProblems(
  schema: JSONSchemaProps,
  value: unknown,
  path: string = "",
): StatusCause[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (!items) return [];
    return value.flatMap((item, at) => embeddedProblems(items, item, `${path}[${at}]`));
  }
  if (!isJsonObject(value)) return [];
  const causes = schema["x-kubernetes-embedded-resource"] ? typeProblems(value, path) : [];
  for (const [key, inner] of Object.entries(value)) {
    const property = propertyOf(schema, key);
    if (property) causes.push(...embeddedProblems(property, inner, path ? `${path}.${key}` : key));
  }
  return causes;
}

function typeProblems(value: Record<string, unknown>, path: string): StatusCause[] {
  return ["apiVersion", "kind"]
    .filter((name) => typeof value[name] !== "string" || value[name] === "")
    .map((name) => ({
      reason: "FieldValueRequired",
      message: "Required value: must not be empty",
      field: `${path}.${name}`,
    }));
}
