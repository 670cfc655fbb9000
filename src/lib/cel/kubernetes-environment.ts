import { createEnvironment, type Environment } from "./environment.ts";
import { AUTHORIZATION } from "./functions/authorization.ts";
import { LISTS, OPTIONALS, SETS } from "./functions/collections.ts";
import { NAMED_FORMATS } from "./functions/named-formats.ts";
import { NETWORK } from "./functions/network.ts";
import { QUANTITIES } from "./functions/quantities.ts";
import { createRegexps } from "./functions/regexps.ts";
import { STRINGS } from "./functions/strings.ts";
import { URLS } from "./functions/urls.ts";

/** The most an expression may cost in one evaluation. */
export const EXPRESSION_COST_MAX = 1_000_000;
/** The most all conditions of a webhook or policy may cost together. */
export const CONDITIONS_COST_MAX = 2_500_000;

/** The functions that expressions of Kubernetes 1.32 have, without variables. */
export function createKubernetesEnvironment(): Environment {
  return createEnvironment([
    createRegexps(),
    STRINGS,
    LISTS,
    SETS,
    OPTIONALS,
    QUANTITIES,
    URLS,
    NETWORK,
    NAMED_FORMATS,
    AUTHORIZATION,
  ]);
}
