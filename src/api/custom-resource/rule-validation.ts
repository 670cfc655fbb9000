import type { Environment } from "../../lib/cel/environment.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { FieldErrors } from "../validation/field-errors.ts";
import { goRule } from "../validation/go-text.ts";
import { declaredSizes } from "./declared-sizes.ts";
import { fieldPathOf } from "./field-path.ts";
import { compileRule } from "./rule-compiler.ts";
import type { RuleCosts } from "./rule-costs.ts";
import type { SchemaPlace } from "./schema-validation.ts";
import { celTypeOf } from "./schema-types.ts";

const REASONS = [
  "FieldValueDuplicate",
  "FieldValueForbidden",
  "FieldValueInvalid",
  "FieldValueRequired",
];

/** The form of the rules of one schema, whatever their expressions say. */
export function validateRuleForms(
  errors: FieldErrors,
  field: string,
  schema: JSONSchemaProps,
): void {
  for (const [at, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    const place = `${field}.x-kubernetes-validations[${at}]`;
    const { message = "", messageExpression = "", fieldPath = "" } = rule;
    if (!rule.rule?.trim()) errors.required(`${place}.rule`, "rule is not specified");
    else if (message && !message.trim()) {
      errors.invalid(`${place}.message`, message, "message must be non-empty if specified");
    } else if (/[\n\r]/.test(message.trim())) {
      errors.invalid(`${place}.message`, message, "message must not contain line breaks");
    } else if (/[\n\r]/.test(rule.rule.trim()) && !message.trim()) {
      const why = "message must be specified if rule contains line breaks";
      errors.required(`${place}.message`, why);
    }
    if (messageExpression && !messageExpression.trim()) {
      const why = "messageExpression must be non-empty if specified";
      errors.required(`${place}.messageExpression`, why);
    }
    errors.oneOf(`${place}.reason`, rule.reason, REASONS);
    if (fieldPath && !fieldPath.trim()) {
      errors.invalid(`${place}.fieldPath`, fieldPath, "fieldPath must be non-empty if specified");
    }
    if (/[\n\r]/.test(fieldPath)) {
      errors.invalid(`${place}.fieldPath`, fieldPath, "fieldPath must not contain line breaks");
    }
    if (fieldPath && !fieldPathOf(fieldPath, schema)) {
      errors.invalid(`${place}.fieldPath`, fieldPath, "fieldPath must be a valid path");
    }
  }
}

/** The expressions of the rules of one schema; it and all below it must be right already. */
export function validateRuleExpressions(
  errors: FieldErrors,
  field: string,
  of: {
    schema: JSONSchemaProps;
    place: SchemaPlace;
    base: Environment;
    stored: ReadonlySet<string>;
    costs: RuleCosts;
  },
): void {
  const { schema, place, base, stored, costs } = of;
  const isRoot = place.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const type = celTypeOf(schema, isRoot);
  const sizes = declaredSizes(schema, isRoot);
  const valuesMax = place.valuesMax ?? sizes.valuesMax;
  for (const [at, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    const target = `${field}.x-kubernetes-validations[${at}]`;
    if (!type) {
      errors.invalid(`${target}.rule`, goRule(rule), "the type of the values is not known");
      continue;
    }
    const compiled = compileRule(rule, { schema, type, base, stored, sizeOf: sizes.sizeOf });
    costs.rule(`${target}.rule`, (compiled.program?.costMax ?? 0) * valuesMax);
    if (compiled.error) errors.invalid(`${target}.rule`, goRule(rule), compiled.error);
    if (compiled.messageError) {
      errors.invalid(`${target}.messageExpression`, goRule(rule), compiled.messageError);
    }
    const { message } = compiled;
    if (message) costs.message(`${target}.messageExpression`, message.costMax ?? 0);
    if (compiled.usesOldSelf && place.uncorrelatable !== undefined) {
      const why =
        "oldSelf cannot be used on the uncorrelatable portion of the schema within " +
        place.uncorrelatable;
      errors.invalid(`${target}.rule`, rule.rule, why);
    } else if (!compiled.usesOldSelf && rule.optionalOldSelf !== undefined && !compiled.error) {
      const why = "may not be set if oldSelf is not used in rule";
      errors.invalid(`${target}.optionalOldSelf`, rule.optionalOldSelf, why);
    }
  }
}
