import type { Environment } from "../../lib/cel/environment.ts";

const FIELDS: ReadonlySet<string> = new Set([
  "expression",
  "messageExpression",
  "rule",
  "valueExpression",
]);

/** All expressions of an object as it was before a change, wherever they stand. */
export function storedExpressions(before: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof before !== "object" || before === null) return found;
  for (const [name, value] of Object.entries(before)) {
    if (typeof value === "string" && FIELDS.has(name)) found.add(value);
    else storedExpressions(value, found);
  }
  return found;
}

/**
 * The environment in which an expression is judged. New ones use nothing that the version before
 * 1.32 does not know, so that a cluster can go back to it; what is stored stays as it is.
 */
export function judging(
  environment: Environment,
  of: { source: string; stored: ReadonlySet<string> },
): Environment {
  return of.stored.has(of.source) ? environment : { ...environment, twoVariables: false };
}
