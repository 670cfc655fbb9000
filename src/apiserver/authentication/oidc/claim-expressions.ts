import { checkExpression } from "../../../api/policy/expression-problem.ts";
import type { ConfigurationReader } from "../../../lib/configuration-reader.ts";
import { type Environment, withVariables } from "../../../lib/cel/environment.ts";
import { valueOfJson } from "../../../lib/cel/json-values.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import type { Program } from "../../../lib/cel/program.ts";
import { DYN, listOf, mapOf, objectOf, STRING, type Type } from "../../../lib/cel/types.ts";
import { ListValue, type Value } from "../../../lib/cel/values.ts";
import type { UserInfo } from "../../contract.ts";

/** What expressions may use: the claims of a token, or the user that was made of them. */
export interface ClaimEnvironments {
  claims: Environment;
  user: Environment;
}

const CLAIMS_TYPE: Type = mapOf(STRING, DYN);
const USER_TYPE: Type = objectOf("kubernetes.UserInfo", {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});

/** The most that one expression may cost. */
const COST_MAX = 1_000_000;

export function claimEnvironments(): ClaimEnvironments {
  const base = createKubernetesEnvironment();
  return {
    claims: withVariables(base, { claims: CLAIMS_TYPE }),
    user: withVariables(base, { user: USER_TYPE }),
  };
}

/** @throws ConfigurationFileError for what is no expression, or one of another type */
export function compileClaims(
  from: ConfigurationReader,
  {
    field,
    types,
    environment,
  }: { field: string; types: readonly Type[]; environment: Environment },
): Program {
  const { program, problem } = checkExpression(from.requiredText(field), { environment, types });
  if (program && !problem) return program;
  throw from.error(field, problem ?? "cannot be compiled");
}

/** @throws CelError | CostExceededError */
export function evaluateClaims(program: Program, claims: Record<string, unknown>): Value {
  return program.evaluate({ claims: valueOfJson(claims, CLAIMS_TYPE) }, COST_MAX).value;
}

/** @throws CelError | CostExceededError */
export function evaluateUser(program: Program, user: UserInfo): Value {
  const { name: username, uid = "", groups, extra = {} } = user;
  const value = valueOfJson({ username, uid, groups: [...groups], extra }, USER_TYPE);
  return program.evaluate({ user: value }, COST_MAX).value;
}

/** One text or several; undefined for what is neither. Nothing and empty texts are none. */
export function textsOf(value: Value): string[] | undefined {
  if (value === null) return [];
  if (typeof value === "string") return value === "" ? [] : [value];
  if (!(value instanceof ListValue)) return undefined;
  const items = [...value];
  return items.every((item) => typeof item === "string") ? items.filter(Boolean) : undefined;
}
