import type { RuleWithOperations } from "../../../api/generated/types/admissionregistration-v1.ts";
import type { Resource } from "../../../api/resource.ts";

/** What rules look at. */
export interface RuleSubject {
  operation: string;
  resource: Pick<Resource, "group" | "version" | "plural" | "namespaced">;
  subresource: string;
}

/** Whether one of the rules covers the subject. */
export function rulesCover(
  rules: readonly RuleWithOperations[] | undefined,
  subject: RuleSubject,
): boolean {
  return rules?.some((rule) => ruleCovers(rule, subject)) ?? false;
}

function ruleCovers(rule: RuleWithOperations, { operation, resource, subresource }: RuleSubject) {
  return (
    holds(rule.operations, operation) &&
    holds(rule.apiGroups, resource.group) &&
    holds(rule.apiVersions, resource.version) &&
    scopeCovers(rule.scope, resource) &&
    (rule.resources ?? []).some((text) => resourceCovers(text, resource.plural, subresource))
  );
}

function holds(items: readonly string[] | undefined, wanted: string): boolean {
  return items?.some((item) => item === "*" || item === wanted) ?? false;
}

/** "pods", "pods/status", "pods/*", "*" (no subresource), "*\/scale", "*\/*". */
function resourceCovers(text: string, plural: string, subresource: string): boolean {
  const at = text.indexOf("/");
  const name = at < 0 ? text : text.slice(0, at);
  const below = at < 0 ? "" : text.slice(at + 1);
  return (name === "*" || name === plural) && (below === "*" || below === subresource);
}

/** A namespace is an object of the cluster, though its requests name a namespace. */
function scopeCovers(scope: string | undefined, { namespaced }: { namespaced: boolean }): boolean {
  if (scope === undefined || scope === "*") return true;
  return scope === (namespaced ? "Namespaced" : "Cluster");
}
