import { deepEqual } from "../../lib/deep-equal.ts";
import { compileRegexp, type LinearRegexp } from "../../lib/regexp/regexp.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../status.ts";
import { isJsonObject, itemBefore, itemsOf, propertyOf } from "./schema-parts.ts";
import { hasFormat } from "./value-formats.ts";

/** Where a value stands, and what it was before where that can be told. */
interface Place {
  path: string;
  /** Undefined where there was nothing, or where nothing tells what it was. */
  old?: unknown;
}

/** Checks values; patterns are compiled once per validator. */
export interface ValueValidator {
  /**
   * What of `value` breaks the schema, in the words of upstream. With `old` complaints about what
   * has not changed are dropped, so that a stricter schema does not lock old objects.
   */
  validate(value: unknown, old?: unknown): StatusCause[];
}

/** A validator of a schema; `path` is where its values stand. */
export function createValueValidator(schema: JSONSchemaProps, path: string = ""): ValueValidator {
  const checker = new Checker();
  return { validate: (value, old) => checker.validate(schema, value, { path, old }) };
}

function invalid(path: string, shown: unknown, why: string): StatusCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(shown)}: ${path} in body ${why}`,
    field: path,
  };
}

/** A complaint that upstream gives no field to. */
function unplaced(message: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: "": ${message}`, field: "<nil>" };
}

class Checker {
  readonly #patterns = new Map<string, LinearRegexp | undefined>();

  validate(schema: JSONSchemaProps, value: unknown, place: Place): StatusCause[] {
    const causes = this.#check(schema, value, place);
    if (causes.length === 0 || place.old === undefined) return causes;
    return deepEqual(value, place.old) ? [] : causes;
  }

  #check(schema: JSONSchemaProps, value: unknown, place: Place): StatusCause[] {
    const { path } = place;
    if (value === null && schema.nullable) return [];
    const wrongType = typeProblem(schema, value, path);
    if (wrongType) return [wrongType];
    const causes = enumProblems(schema, value, path);
    if (typeof value === "number" || typeof value === "bigint") {
      causes.push(...numberProblems(schema, value, path));
    } else if (typeof value === "string") causes.push(...this.#text(schema, value, path));
    else if (Array.isArray(value)) causes.push(...this.#array(schema, value, place));
    else if (isJsonObject(value)) causes.push(...this.#object(schema, value, place));
    if (schema.allOf || schema.anyOf || schema.oneOf || schema.not) {
      causes.push(...this.#combinations(schema, value, path));
    }
    return causes;
  }

  #text(schema: JSONSchemaProps, value: string, path: string): StatusCause[] {
    const causes: StatusCause[] = [];
    const { minLength, maxLength, pattern, format } = schema;
    const length =
      minLength === undefined && maxLength === undefined ? 0 : Array.from(value).length;
    if (minLength !== undefined && length < minLength) {
      causes.push(invalid(path, value, `should be at least ${minLength} chars long`));
    }
    if (maxLength !== undefined && length > maxLength) {
      const message = `Too long: may not be more than ${maxLength} bytes`;
      causes.push({ reason: "FieldValueTooLong", message, field: path });
    }
    if (pattern && this.#pattern(pattern)?.test(value) === false) {
      causes.push(invalid(path, value, `should match '${pattern}'`));
    }
    if (format && !hasFormat(value, format)) {
      const why = `must be of type ${format}: ${JSON.stringify(value)}`;
      causes.push({ ...invalid(path, value, why), reason: "FieldValueTypeInvalid" });
    }
    return causes;
  }

  /** Definitions with a pattern that cannot be read are refused; older ones go unchecked. */
  #pattern(pattern: string): LinearRegexp | undefined {
    if (!this.#patterns.has(pattern)) {
      let compiled: LinearRegexp | undefined;
      try {
        compiled = compileRegexp(pattern);
      } catch {
        compiled = undefined;
      }
      this.#patterns.set(pattern, compiled);
    }
    return this.#patterns.get(pattern);
  }

  #array(schema: JSONSchemaProps, value: readonly unknown[], { path, old }: Place): StatusCause[] {
    const causes = countProblems(value.length, path, [schema.minItems, schema.maxItems, "items"]);
    const items = itemsOf(schema);
    if (!items) return causes;
    const before = itemBefore(schema, old);
    for (const [at, item] of value.entries()) {
      const place = { path: `${path}[${at}]`, old: before(item) };
      causes.push(...this.validate(items, item, place));
    }
    return causes;
  }

  #object(
    schema: JSONSchemaProps,
    value: Record<string, unknown>,
    { path, old }: Place,
  ): StatusCause[] {
    const at = (key: string) => (path ? `${path}.${key}` : key);
    const { minProperties, maxProperties } = schema;
    const counted = minProperties !== undefined || maxProperties !== undefined;
    const count = counted ? Object.keys(value).length : 0;
    const causes = counted
      ? countProblems(count, path, [minProperties, maxProperties, "properties"])
      : [];
    for (const key of schema.required ?? []) {
      if (value[key] !== undefined) continue;
      causes.push({ reason: "FieldValueRequired", message: "Required value", field: at(key) });
    }
    const before = isJsonObject(old) ? old : undefined;
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined || (path === "" && SERVER_OWNED.has(key))) continue;
      const property = propertyOf(schema, key);
      const place = { path: at(key), old: before?.[key] };
      if (property) causes.push(...this.validate(property, inner, place));
    }
    return causes;
  }

  /** `allOf`, `anyOf`, `oneOf` and `not`; what is wrong below them is told, too. */
  #combinations(schema: JSONSchemaProps, value: unknown, path: string): StatusCause[] {
    const { allOf = [], anyOf = [], oneOf = [], not } = schema;
    const results = (schemas: readonly JSONSchemaProps[]): StatusCause[][] =>
      schemas.map((each) => this.#check(each, value, { path }));
    const shown = JSON.stringify(path);
    const causes: StatusCause[] = [];
    const any = results(anyOf);
    if (any.length > 0 && any.every((each) => each.length > 0)) {
      causes.push(unplaced(`${shown} must validate at least one schema (anyOf)`), ...fewest(any));
    }
    const one = results(oneOf);
    const valid = one.filter((each) => each.length === 0).length;
    if (one.length > 0 && valid !== 1) {
      const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      causes.push(unplaced(`${shown} must validate one and only one schema (oneOf). ${found}`));
      if (valid === 0) causes.push(...fewest(one));
    }
    const all = results(allOf);
    const broken = all.filter((each) => each.length > 0);
    if (broken.length > 0) {
      const none = broken.length === all.length ? ". None validated" : "";
      causes.push(...broken.flat());
      causes.push(unplaced(`${shown} must validate all the schemas (allOf)${none}`));
    }
    if (not && this.#check(not, value, { path }).length === 0) {
      causes.push(unplaced(`${shown} must not validate the schema (not)`));
    }
    return causes;
  }
}

function fewest(results: readonly StatusCause[][]): StatusCause[] {
  return results.reduce((best, each) => (each.length < best.length ? each : best));
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

function numberProblems(
  schema: JSONSchemaProps,
  value: number | bigint,
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  const { minimum, maximum, multipleOf, format, type } = schema;
  const shown = Number(value);
  if (type === "integer" && format === "int32" && Math.abs(shown + 0.5) > 2 ** 31) {
    const why = `Checked value must be of type integer with format int32`;
    causes.push({ ...invalid(path, shown, why), message: `Invalid value: ${shown}: ${why}` });
  }
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    const orEqual = schema.exclusiveMinimum ? "" : " or equal to";
    causes.push(invalid(path, shown, `should be greater than${orEqual} ${minimum}`));
  }
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    const orEqual = schema.exclusiveMaximum ? "" : " or equal to";
    causes.push(invalid(path, shown, `should be less than${orEqual} ${maximum}`));
  }
  if (multipleOf && !Number.isInteger(Number((shown / multipleOf).toFixed(9)))) {
    causes.push(invalid(path, shown, `should be a multiple of ${multipleOf}`));
  }
  return causes;
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

const SERVER_OWNED: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
