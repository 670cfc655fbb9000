import { policyEnvironment } from "../../../api/policy/policy-environment.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import {
  CONDITIONS_COST_MAX,
  createKubernetesEnvironment,
  EXPRESSION_COST_MAX,
} from "../../../lib/cel/kubernetes-environment.ts";
import { type CompileError, compile, type Program } from "../../../lib/cel/program.ts";
import { CelError, CostExceededError } from "../../../lib/cel/source-errors.ts";
import type { Value } from "../../../lib/cel/values.ts";
import type { AdmissionRequest, Authorizer, ObjectReader } from "../../contract.ts";
import { PolicyInput } from "./policy-input.ts";

/** A condition with a name, as webhooks and policies list them. */
export interface MatchCondition {
  name: string;
  expression: string;
}

/** Whether a request matches. An `error` stands where no condition is false but one fails. */
export interface ConditionsResult {
  matches: boolean;
  error?: string;
}

/**
 * Evaluates the expressions of admission. Make one per server: it compiles each expression once.
 * Make one input per request and share it between all that look at the request.
 */
export interface ConditionEngine {
  input(request: AdmissionRequest): PolicyInput;
  /** As for `matchConditions` of webhooks: one that is false decides, whatever else fails. */
  matchConditions(conditions: readonly MatchCondition[], input: PolicyInput): ConditionsResult;
}

/** An expression failed at run time. `outOfBudget` ends the evaluation of all others. */
interface Failure {
  message: string;
  outOfBudget: boolean;
}

/** Compiled expressions that are kept; beyond that all are compiled again. */
const KEPT_MAX = 2_000;

const OUT_OF_BUDGET =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** An engine over the state of the server. */
export function createConditionEngine(parts: {
  reader: ObjectReader;
  authorizer: Authorizer;
}): ConditionEngine {
  const environment = policyEnvironment(createKubernetesEnvironment(), {});
  const conditions = new Map<string, Program | CompileError>();
  const compiled = (expression: string): Program => {
    let known = conditions.get(expression);
    if (!known) {
      if (conditions.size >= KEPT_MAX) conditions.clear();
      known = tryCompile(expression, environment);
      conditions.set(expression, known);
    }
    if (known instanceof Error) throw known;
    return known;
  };
  return {
    input: (request) => new PolicyInput(request, parts),
    matchConditions: (all, input) => matchConditions(all, input, compiled),
  };
}

function tryCompile(expression: string, environment: Environment): Program | CompileError {
  try {
    return compile(expression, environment);
  } catch (error) {
    return error as CompileError;
  }
}

function matchConditions(
  conditions: readonly MatchCondition[],
  input: PolicyInput,
  compiled: (expression: string) => Program,
): ConditionsResult {
  const errors: string[] = [];
  const budget = { left: CONDITIONS_COST_MAX };
  for (const { expression } of conditions) {
    const result = evaluate(() => compiled(expression), { expression, input, budget });
    if ("value" in result) {
      if (result.value === false) return { matches: false };
      if (result.value !== true) errors.push(wrongResult(expression));
    } else {
      errors.push(result.message);
      if (result.outOfBudget) break;
    }
  }
  if (errors.length === 0) return { matches: true };
  const text = errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`;
  return { matches: false, error: text ?? "" };
}

function wrongResult(expression: string): string {
  return `expression '${expression}' resulted in error: must evaluate to bool`;
}

/** Evaluates within a budget that several expressions share; failures are values. */
function evaluate(
  program: () => Program,
  of: { expression: string; input: PolicyInput; budget: { left: number } },
): { value: Value } | Failure {
  const { expression, input, budget } = of;
  const limit = Math.min(EXPRESSION_COST_MAX, budget.left);
  try {
    const { value, cost } = program().evaluate(input.variables, limit);
    budget.left -= cost;
    return { value };
  } catch (error) {
    if (error instanceof CostExceededError && limit === budget.left) {
      return { message: OUT_OF_BUDGET, outOfBudget: true };
    }
    if (error instanceof CelError || error instanceof CostExceededError) {
      if (error instanceof CostExceededError) budget.left -= limit;
      const message = `expression '${expression}' resulted in error: ${error.message}`;
      return { message, outOfBudget: false };
    }
    if ((error as Error).name !== "CompileError") throw error;
    return { message: `compilation error: ${(error as Error).message}`, outOfBudget: false };
  }
}
