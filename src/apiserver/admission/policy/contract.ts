import { policyEnvironment } from "../../../api/policy/policy-environment.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import { type CompileError, compile, type Program } from "../../../lib/cel/program.ts";
import type { AdmissionRequest, Authorizer, ObjectReader } from "../../contract.ts";
import { type ConditionsResult, evaluateConditions, type Expression } from "./policy-evaluation.ts";
import { PolicyInput } from "./policy-input.ts";

/** A condition with a name, as webhooks list them. */
export interface MatchCondition {
  name: string;
  expression: string;
}

/**
 * Evaluates conditions of webhooks. Make one per server: it compiles each expression once. Make
 * one input per request and share it between all webhooks that look at the request.
 */
export interface ConditionEngine {
  input(request: AdmissionRequest): PolicyInput;
  /** What `matchConditions` say; an error is for the failure policy to judge. */
  matchConditions(conditions: readonly MatchCondition[], input: PolicyInput): ConditionsResult;
}

/** Compiled expressions that are kept; beyond that all are compiled again. */
const KEPT_MAX = 2_000;

/** An engine over the state of the server. */
export function createConditionEngine(parts: {
  reader: ObjectReader;
  authorizer: Authorizer;
}): ConditionEngine {
  // Most servers never meet a condition.
  let environment: Environment | undefined;
  const known = new Map<string, Expression>();
  const expressionOf = ({ expression: source }: MatchCondition): Expression => {
    let expression = known.get(source);
    if (!expression) {
      if (known.size >= KEPT_MAX) known.clear();
      environment ??= policyEnvironment(createKubernetesEnvironment(), {});
      expression = { source, program: tryCompile(source, environment) };
      known.set(source, expression);
    }
    return expression;
  };
  return {
    input: (request) => new PolicyInput(request, parts),
    matchConditions: (conditions, input) => {
      return evaluateConditions(conditions.map(expressionOf), input);
    },
  };
}

/** The program, or why there is none. */
export function tryCompile(source: string, environment: Environment): Program | CompileError {
  try {
    return compile(source, environment);
  } catch (error) {
    return error as CompileError;
  }
}
