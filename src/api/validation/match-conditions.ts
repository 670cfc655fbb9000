import type { Environment } from "../../lib/cel/environment.ts";
import { BOOL } from "../../lib/cel/types.ts";
import { qualifiedNameErrors } from "../../lib/names.ts";
import type { MatchCondition } from "../generated/types/admissionregistration-v1.ts";
import { checkExpression } from "../policy/expression-problem.ts";
import { judging } from "../policy/stored-expressions.ts";
import type { FieldErrors } from "./field-errors.ts";

const CONDITIONS_MAX = 64;

/** Conditions of webhooks and policies: their names, and that they can be compiled. */
export function validateMatchConditions(
  errors: FieldErrors,
  field: string,
  of: {
    conditions: readonly MatchCondition[];
    environment: () => Environment;
    /** Expressions that were there before. */
    stored: ReadonlySet<string>;
  },
): void {
  const { conditions, stored } = of;
  if (conditions.length > CONDITIONS_MAX) {
    errors.tooMany(field, conditions.length, CONDITIONS_MAX);
  }
  const names = new Set<string>();
  for (const [at, { name, expression }] of conditions.entries()) {
    const place = `${field}[${at}]`;
    if (!expression?.trim()) errors.required(`${place}.expression`);
    else {
      const environment = judging(of.environment(), { source: expression, stored });
      const checked = { environment, types: [BOOL] };
      const { problem } = checkExpression(expression.trim(), checked);
      if (problem) errors.invalid(`${place}.expression`, expression.trim(), problem);
    }
    if (!name) errors.required(`${place}.name`);
    else errors.complaints(`${place}.name`, name, qualifiedNameErrors(name));
    if (names.has(name)) errors.duplicate(`${place}.name`, name);
    if (name) names.add(name);
  }
}
