import type { JSONSchemaProps } from "../../api/generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../../api/status.ts";
import { deepEqual } from "../../lib/deep-equal.ts";

/** What of `value` breaks the schema, in the words of upstream. */
export function validateValue(
  schema: JSONSchemaProps,
  value: unknown,
  path: string,
): StatusCause[] {
  if (value === null && schema.nullable) return [];
  const wrongType = typeProblem(schema, value, path);
  if (wrongType) return [wrongType];
  const causes = [...enumProblems(schema, value, path), ...formProblems(schema, value, path)];
  if (Array.isArray(value)) {
    causes.push(...countProblems(value.length, path, [schema.minItems, schema.maxItems, "items"]));
    const items = Array.isArray(schema.items) ? schema.items[0] : schema.items;
    if (items) {
      for (const [at, item] of value.entries()) {
        causes.push(...validateValue(items, item, `${path}[${at}]`));
      }
    }
  } else if (typeof value === "object" && value !== null) {
    causes.push(...objectProblems(schema, value as Record<string, unknown>, path));
  }
  return causes;
}

function invalid(path: string, shown: unknown, why: string): StatusCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(shown)}: ${path} in body ${why}`,
    field: path,
  };
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeProblem(
  schema: JSONSchemaProps,
  value: unknown,
  path: string,
): StatusCause | undefined {
  const type = typeOf(value);
  if (schema["x-kubernetes-int-or-string"]) {
    if (type === "integer" || type === "string") return undefined;
    return typeInvalid(path, type, "integer,string");
  }
  const wanted = schema.type;
  if (!wanted || type === wanted || (wanted === "number" && type === "integer")) return undefined;
  return typeInvalid(path, type, wanted);
}

function typeInvalid(path: string, type: string, wanted: string): StatusCause {
  const why = `must be of type ${wanted}: ${JSON.stringify(type)}`;
  return { ...invalid(path, type, why), reason: "FieldValueTypeInvalid" };
}

function enumProblems(schema: JSONSchemaProps, value: unknown, path: string): StatusCause[] {
  if (!schema.enum || schema.enum.some((allowed) => deepEqual(allowed, value))) return [];
  const supported = schema.enum.map((allowed) => JSON.stringify(allowed)).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  return [{ reason: "FieldValueNotSupported", message, field: path }];
}

/** Numbers and texts. */
function formProblems(schema: JSONSchemaProps, value: unknown, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (typeof value === "number") {
    const { minimum, maximum, multipleOf } = schema;
    if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
      const orEqual = schema.exclusiveMinimum ? "" : " or equal to";
      causes.push(invalid(path, value, `should be greater than${orEqual} ${minimum}`));
    }
    if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
      const orEqual = schema.exclusiveMaximum ? "" : " or equal to";
      causes.push(invalid(path, value, `should be less than${orEqual} ${maximum}`));
    }
    if (multipleOf && value % multipleOf !== 0) {
      causes.push(invalid(path, value, `should be a multiple of ${multipleOf}`));
    }
  }
  if (typeof value === "string") {
    const { minLength, maxLength } = schema;
    if (minLength !== undefined && value.length < minLength) {
      causes.push(invalid(path, value, `should be at least ${minLength} chars long`));
    }
    if (maxLength !== undefined && value.length > maxLength) {
      const message = `Too long: may not be more than ${maxLength} bytes`;
      causes.push({ reason: "FieldValueTooLong", message, field: path });
    }
    if (schema.pattern && !matches(schema.pattern, value)) {
      causes.push(invalid(path, value, `should match '${schema.pattern}'`));
    }
  }
  return causes;
}

/** Patterns of RE2 that JavaScript cannot read are not enforced. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function countProblems(
  count: number,
  path: string,
  [least, most, what]: [number | undefined, number | undefined, string],
): StatusCause[] {
  const causes: StatusCause[] = [];
  if (least !== undefined && count < least) {
    causes.push(invalid(path, count, `should have at least ${least} ${what}`));
  }
  if (most !== undefined && count > most) {
    const message = `Too many: ${count}: must have at most ${most} items`;
    causes.push({ reason: "FieldValueTooMany", message, field: path });
  }
  return causes;
}

function objectProblems(
  schema: JSONSchemaProps,
  value: Record<string, unknown>,
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  const at = (key: string) => (path ? `${path}.${key}` : key);
  for (const key of schema.required ?? []) {
    if (value[key] !== undefined) continue;
    causes.push({ reason: "FieldValueRequired", message: "Required value", field: at(key) });
  }
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined || (path === "" && SERVER_OWNED.has(key))) continue;
    const property = schema.properties?.[key];
    if (property) causes.push(...validateValue(property, inner, at(key)));
    else if (typeof schema.additionalProperties === "object") {
      causes.push(...validateValue(schema.additionalProperties, inner, at(key)));
    }
  }
  return causes;
}

const SERVER_OWNED: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
