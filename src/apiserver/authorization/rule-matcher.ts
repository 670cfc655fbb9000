import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import type { AccessRequest } from "../contract.ts";

/** A rule whose lists became sets; `undefined` stands for "*". */
export interface CompiledRule {
  verbs: ReadonlySet<string> | undefined;
  groups: ReadonlySet<string> | undefined;
  /** "pods", "pods/log", and forms with a star. */
  resources: ReadonlySet<string> | undefined;
  /** `undefined`: any name. */
  names: ReadonlySet<string> | undefined;
  paths: readonly string[];
  hasResources: boolean;
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values?.includes("*") ? undefined : new Set(values);
}

/** Prepares a rule for `ruleAllows`. */
export function compileRule(rule: PolicyRule): CompiledRule {
  return {
    verbs: setOf(rule.verbs),
    groups: setOf(rule.apiGroups),
    resources: setOf(rule.resources),
    names: rule.resourceNames?.length ? new Set(rule.resourceNames) : undefined,
    paths: rule.nonResourceURLs ?? [],
    hasResources: (rule.resources?.length ?? 0) > 0,
  };
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1));
}

/** Whether one rule allows one access; its namespace was judged by the binding already. */
export function ruleAllows(rule: CompiledRule, request: AccessRequest): boolean {
  if (rule.verbs && !rule.verbs.has(request.verb)) return false;
  if (request.resource === undefined) {
    const path = request.path ?? "";
    return rule.paths.some((pattern) => pathMatches(pattern, path));
  }
  if (!rule.hasResources) return false;
  if (rule.groups && !rule.groups.has(request.group ?? "")) return false;
  if (rule.resources) {
    const { resource, subresource } = request;
    const asked = subresource ? `${resource}/${subresource}` : resource;
    const anyParent = subresource ? rule.resources.has(`*/${subresource}`) : false;
    if (!rule.resources.has(asked) && !anyParent) return false;
  }
  return rule.names === undefined || (!!request.name && rule.names.has(request.name));
}
