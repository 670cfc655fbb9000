import type { ValidatingAdmissionPolicy } from "../../../api/generated/types/admissionregistration-v1.ts";
import { policyEnvironment } from "../../../api/policy/policy-environment.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import { DYN, type ObjectField, type ObjectType, type Type } from "../../../lib/cel/types.ts";
import { tryCompile } from "./contract.ts";
import type { Expression } from "./policy-evaluation.ts";

/** A policy whose expressions are compiled. */
export interface CompiledPolicy {
  conditions: readonly Expression[];
  /** In the order of their declaration: each may use those before it. */
  variables: ReadonlyMap<string, Expression>;
  validations: readonly CompiledValidation[];
  auditAnnotations: readonly { key: string; value: Expression }[];
}

/** A check of a policy. */
export interface CompiledValidation {
  check: Expression;
  messageExpression: Expression | undefined;
  message: string | undefined;
  reason: string | undefined;
}

/** Compiles all expressions of a policy over the functions of `base`. */
export function compilePolicy(
  { spec = {} }: ValidatingAdmissionPolicy,
  base: Environment,
): CompiledPolicy {
  const params: Record<string, Type> = spec.paramKind ? { params: DYN } : {};
  const environment = (variables: Record<string, Type>, authorizer: boolean): Environment =>
    policyEnvironment(base, { variables: { ...params, ...variables }, authorizer });
  const fields = new Map<string, ObjectField>();
  const type: ObjectType = { kind: "object", name: "kubernetes.variables", fields };
  const variables = new Map<string, Expression>();
  for (const { name, expression: source } of spec.variables ?? []) {
    const program = tryCompile(source, environment({ variables: type }, true));
    variables.set(name, { source, program });
    fields.set(name, { name, type: program instanceof Error ? DYN : program.type });
  }
  const checking = environment({ variables: type }, true);
  const telling = environment({ variables: type }, false);
  const expression = (source: string, within: Environment): Expression => {
    return { source, program: tryCompile(source, within) };
  };
  return {
    conditions: (spec.matchConditions ?? []).map((each) => {
      return expression(each.expression, environment({}, true));
    }),
    variables,
    validations: (spec.validations ?? []).map((each) => ({
      check: expression(each.expression, checking),
      messageExpression: each.messageExpression
        ? expression(each.messageExpression, telling)
        : undefined,
      message: each.message,
      reason: each.reason,
    })),
    auditAnnotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => {
      return { key, value: expression(valueExpression, telling) };
    }),
  };
}
