import type { Environment } from "../../lib/cel/environment.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../status.ts";
import { embeddedProblems } from "./embedded-resources.ts";
import { duplicateItems } from "./list-uniqueness.ts";
import { compileRules, type RuleTree } from "./rule-compiler.ts";
import { evaluateRules } from "./rule-evaluation.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";
import { createValueValidator } from "./value-validation.ts";

/** What of an object breaks the schema of its definition. */
export type ObjectValidator = (object: unknown, old?: unknown) => StatusCause[];

/** Complaints after which rules are not evaluated: they rely on a schema that is kept. */
const BLOCKING: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const NOT_CHECKED: StatusCause = {
  reason: "FieldValueInvalid",
  message:
    'Invalid value: "null": some validation rules were not checked because the object was ' +
    "invalid; correct the existing errors to complete validation",
  field: "<nil>",
};

/**
 * Checks objects against a structural schema: values, uniqueness of items, and rules. Only a
 * schema with rules asks for the environment that they are compiled in.
 */
export function createObjectValidator(
  schema: JSONSchemaProps,
  environment: () => Environment,
): ObjectValidator {
  const values = createValueValidator(schema);
  let rules: RuleTree | undefined;
  const embeds = has(schema, (each) => each["x-kubernetes-embedded-resource"] === true);
  if (has(schema, (each) => each["x-kubernetes-validations"]?.length)) {
    rules = compileRules(schema, { base: environment(), isRoot: true });
  }
  return (object, old) => {
    const causes = values.validate(object, old);
    if (embeds) causes.push(...embeddedProblems(schema, object));
    const duplicates = duplicateItems(schema, object);
    // Objects that had duplicates before may keep them.
    const known = duplicates.length > 0 && old !== undefined && duplicateItems(schema, old).length;
    if (!known) causes.push(...duplicates);
    if (!rules) return causes;
    if (causes.some(({ reason = "" }) => BLOCKING.has(reason))) return [...causes, NOT_CHECKED];
    return [...causes, ...evaluateRules(rules, object, old)];
  };
}

/** Whether something holds for a schema or one below it. */
function has(schema: JSONSchemaProps, test: (schema: JSONSchemaProps) => unknown): boolean {
  if (test(schema)) return true;
  const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), additionalOf(schema)];
  return inner.some((each) => each && has(each, test));
}
