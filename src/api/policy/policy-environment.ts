import { type Environment, withVariables } from "../../lib/cel/environment.ts";
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from "../../lib/cel/functions/authorization.ts";
import { DYN, parseType, type Type } from "../../lib/cel/types.ts";
import { NAMESPACE_TYPE, REQUEST_TYPE } from "./policy-types.ts";

/** What an expression of admission may use beside the variables of every request. */
export interface PolicyVariables {
  /** Further variables, or other types of those that are there. */
  variables?: Readonly<Record<string, Type>>;
  /** Whether it may ask the authorizer; messages and audit annotations may not. Default true. */
  authorizer?: boolean;
}

const REQUEST_VARIABLES: Readonly<Record<string, Type>> = {
  object: DYN,
  oldObject: DYN,
  request: REQUEST_TYPE,
  namespaceObject: NAMESPACE_TYPE,
};
const AUTHORIZER_VARIABLES: Readonly<Record<string, Type>> = {
  authorizer: parseType(AUTHORIZER_TYPE),
  "authorizer.requestResource": parseType(RESOURCE_CHECK_TYPE),
};

/** The environment of expressions of webhooks and policies, over the functions of `base`. */
export function policyEnvironment(base: Environment, options: PolicyVariables): Environment {
  const { authorizer = true, variables } = options;
  return withVariables(base, {
    ...REQUEST_VARIABLES,
    ...(authorizer ? AUTHORIZER_VARIABLES : {}),
    ...variables,
  });
}
