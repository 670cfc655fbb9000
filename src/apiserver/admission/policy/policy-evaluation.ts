import {
  CONDITIONS_COST_MAX,
  EXPRESSION_COST_MAX,
} from "../../../lib/cel/kubernetes-environment.ts";
import type { Variables } from "../../../lib/cel/frame.ts";
import type { Program } from "../../../lib/cel/program.ts";
import { CelError, CostExceededError } from "../../../lib/cel/source-errors.ts";
import type { Value } from "../../../lib/cel/values.ts";

/** An expression: what it was compiled to, or why it could not be. */
export interface Expression {
  source: string;
  program: Program | Error;
}

/** What is left for a group of expressions. */
export interface Budget {
  left: number;
}

/** An expression failed; `outOfBudget` ends the evaluation of all others. */
export interface Failure {
  message: string;
  outOfBudget: boolean;
}

/** Whether a request matches. An `error` stands where no condition is false but one fails. */
export interface ConditionsResult {
  matches: boolean;
  error?: string;
}

const OUT_OF_BUDGET =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** Evaluates within a budget that several expressions share; failures are values. */
export function evaluate(
  { source, program }: Expression,
  variables: Variables,
  budget: Budget,
): { value: Value } | Failure {
  if (program instanceof Error) {
    return { message: `compilation error: ${program.message}`, outOfBudget: false };
  }
  const limit = Math.min(EXPRESSION_COST_MAX, budget.left);
  try {
    const { value, cost } = program.evaluate(variables, limit);
    budget.left -= cost;
    return { value };
  } catch (error) {
    if (error instanceof CostExceededError) {
      if (limit === budget.left) return { message: OUT_OF_BUDGET, outOfBudget: true };
      budget.left -= limit;
    } else if (!(error instanceof CelError)) throw error;
    const message = `expression '${source}' resulted in error: ${error.message}`;
    return { message, outOfBudget: false };
  }
}

/** Match conditions: one that is false decides, whatever else fails. */
export function evaluateConditions(
  conditions: readonly Expression[],
  variables: Variables,
): ConditionsResult {
  const errors: string[] = [];
  const budget = { left: CONDITIONS_COST_MAX };
  for (const condition of conditions) {
    const result = evaluate(condition, variables, budget);
    if ("value" in result) {
      if (result.value === false) return { matches: false };
      if (result.value === true) continue;
      const why = "resulted in error: cel expression must evaluate to bool";
      errors.push(`expression '${condition.source}' ${why}`);
    } else {
      errors.push(result.message);
      if (result.outOfBudget) break;
    }
  }
  if (errors.length === 0) return { matches: true };
  const error = errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
  return { matches: false, error };
}
