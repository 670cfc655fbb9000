import type {
  FlowSchema,
  NonResourcePolicyRule,
  ResourcePolicyRule,
  Subject,
} from "../../api/generated/types/flowcontrol-v1.ts";
import type { UserInfo } from "../contract.ts";
import type { Target } from "../request/target.ts";
import { userNameOf } from "../token/service-account-user.ts";

/** What flow schemas look at. */
export interface FlowRequest {
  user: UserInfo;
  verb: string;
  path: string;
  /** Absent for paths that are no resources. */
  target: Target | undefined;
}

/** A FlowSchema, ready to be matched. */
export interface CompiledSchema {
  name: string;
  uid: string;
  levelName: string;
  precedence: number;
  distinguisher: "ByUser" | "ByNamespace" | undefined;
  rules: readonly CompiledRule[];
}

interface CompiledRule {
  users: ReadonlySet<string>;
  groups: ReadonlySet<string>;
  anyUser: boolean;
  /** Service accounts of these namespaces. */
  accountPrefixes: readonly string[];
  resources: readonly ResourcePolicyRule[];
  paths: readonly NonResourcePolicyRule[];
  /** Every resource and every path: most rules are so. */
  everything: boolean;
}

/** Schemas in the order in which they are tried. */
export function compileSchemas(schemas: readonly FlowSchema[]): CompiledSchema[] {
  return schemas
    .map(compileSchema)
    .sort((a, b) => a.precedence - b.precedence || (a.name < b.name ? -1 : 1));
}

function compileSchema({ metadata, spec }: FlowSchema): CompiledSchema {
  const type = spec?.distinguisherMethod?.type;
  return {
    name: metadata?.name ?? "",
    uid: metadata?.uid ?? "",
    levelName: spec?.priorityLevelConfiguration.name ?? "",
    precedence: spec?.matchingPrecedence ?? 1000,
    distinguisher: type === "ByUser" || type === "ByNamespace" ? type : undefined,
    rules: (spec?.rules ?? []).map(({ subjects, resourceRules = [], nonResourceRules = [] }) => ({
      ...compileSubjects(subjects ?? []),
      resources: resourceRules,
      paths: nonResourceRules,
      everything: resourceRules.some(isEveryResource) && nonResourceRules.some(isEveryPath),
    })),
  };
}

function compileSubjects(subjects: readonly Subject[]) {
  const users = new Set<string>();
  const groups = new Set<string>();
  const accountPrefixes: string[] = [];
  let anyUser = false;
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === "User" && user?.name === "*") anyUser = true;
    else if (kind === "User" && user) users.add(user.name);
    else if (kind === "Group" && group?.name === "*") anyUser = true;
    else if (kind === "Group" && group) groups.add(group.name);
    else if (serviceAccount?.name === "*") {
      accountPrefixes.push(userNameOf({ ...serviceAccount, name: "" }));
    } else if (serviceAccount) users.add(userNameOf(serviceAccount));
  }
  return { users, groups, anyUser, accountPrefixes };
}

/** The first schema that matches. */
export function classify(
  schemas: readonly CompiledSchema[],
  request: FlowRequest,
): CompiledSchema | undefined {
  for (const schema of schemas) {
    for (const rule of schema.rules) {
      if (matchesUser(rule, request.user) && matchesAction(rule, request)) return schema;
    }
  }
  return undefined;
}

/** Requests of one flow are served in turns with those of others. */
export function flowOf({ name, distinguisher }: CompiledSchema, request: FlowRequest): string {
  const { user, target } = request;
  const who = distinguisher === "ByUser" ? user.name : "";
  const where = distinguisher === "ByNamespace" ? (target?.namespace ?? "") : "";
  return `${name}/${who}${where}`;
}

function matchesUser(rule: CompiledRule, { name, groups }: UserInfo): boolean {
  if (rule.anyUser || rule.users.has(name)) return true;
  for (const group of groups) if (rule.groups.has(group)) return true;
  return rule.accountPrefixes.some((prefix) => name.startsWith(prefix));
}

function matchesAction(rule: CompiledRule, { verb, path, target }: FlowRequest): boolean {
  if (rule.everything) return true;
  if (!target) {
    return rule.paths.some(
      ({ verbs, nonResourceURLs }) =>
        holds(verbs, verb) && nonResourceURLs.some((pattern) => matchesPath(pattern, path)),
    );
  }
  const { group, resource, subresource, namespace } = target;
  const full = subresource ? `${resource}/${subresource}` : resource;
  return rule.resources.some(
    (each) =>
      holds(each.verbs, verb) &&
      holds(each.apiGroups, group) &&
      holds(each.resources, full) &&
      (namespace ? holds(each.namespaces ?? [], namespace) : each.clusterScope === true),
  );
}

function holds(items: readonly string[], wanted: string): boolean {
  return items.includes(wanted) || items.includes("*");
}

function matchesPath(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1));
}

function isEveryResource(rule: ResourcePolicyRule): boolean {
  const { verbs, apiGroups, resources, namespaces = [], clusterScope } = rule;
  return (
    [verbs, apiGroups, resources, namespaces].every((list) => list.includes("*")) && !!clusterScope
  );
}

function isEveryPath({ verbs, nonResourceURLs }: NonResourcePolicyRule): boolean {
  return verbs.includes("*") && nonResourceURLs.includes("*");
}
