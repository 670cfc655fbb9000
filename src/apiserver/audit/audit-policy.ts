import { dns1123SubdomainErrors } from "../../lib/names.ts";
import type { UserInfo } from "../contract.ts";
import type { Target } from "../request/target.ts";

/** How much of a request is recorded, in rising order. */
export const AUDIT_LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof AUDIT_LEVELS)[number];

/** When an event is written. */
const AUDIT_STAGES: readonly string[] = [
  "RequestReceived",
  "ResponseStarted",
  "ResponseComplete",
  "Panic",
];

/** `audit.k8s.io/v1` GroupResources. */
interface ResourceRule {
  group: string;
  resources: readonly string[];
  resourceNames: readonly string[];
}

/** `audit.k8s.io/v1` PolicyRule; empty lists match everything. */
interface AuditRule {
  level: AuditLevel;
  users: readonly string[];
  userGroups: readonly string[];
  verbs: readonly string[];
  resources: readonly ResourceRule[];
  namespaces: readonly string[];
  nonResourceURLs: readonly string[];
  omitStages: ReadonlySet<string>;
  omitManagedFields: boolean;
}

/** `audit.k8s.io/v1` Policy; the first rule that matches decides. */
export interface AuditPolicy {
  rules: readonly AuditRule[];
}

/** What rules look at. */
export interface AuditedRequest {
  user: UserInfo | undefined;
  verb: string;
  path: string;
  /** Absent for paths that are no resources. */
  target: Target | undefined;
}

/** What is to be recorded of a request. */
export interface AuditDecision {
  level: Exclude<AuditLevel, "None">;
  omitStages: ReadonlySet<string>;
  omitManagedFields: boolean;
}

/** The document is no policy; the message says where. */
export class AuditPolicyError extends Error {
  override name = "AuditPolicyError";
}

/** Writes, and whatever opens a connection into a pod; never the noise of heartbeats and events. */
const DEFAULT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    {
      level: "Metadata",
      resources: [
        {
          group: "",
          resources: ["pods/exec", "pods/attach", "pods/portforward", "*/proxy"],
        },
      ],
    },
    { level: "None", verbs: ["get", "list", "watch", "head", "options"] },
    {
      level: "None",
      resources: [
        { group: "", resources: ["events"] },
        { group: "events.k8s.io", resources: ["events"] },
        { group: "coordination.k8s.io", resources: ["leases"] },
        { group: "authentication.k8s.io", resources: ["*"] },
        { group: "authorization.k8s.io", resources: ["*"] },
      ],
    },
    { level: "Metadata" },
  ],
};

/** Metadata of writes; bodies, and with them Secrets, are never recorded. */
export function defaultAuditPolicy(): AuditPolicy {
  return readAuditPolicy(DEFAULT_POLICY);
}

type Json = Record<string, unknown>;

/** Reads a Policy from decoded YAML or JSON. @throws AuditPolicyError */
export function readAuditPolicy(document: unknown): AuditPolicy {
  const policy = objectOf(document, "the policy");
  if (policy["apiVersion"] !== "audit.k8s.io/v1" || policy["kind"] !== "Policy") {
    throw new AuditPolicyError('it must be of apiVersion "audit.k8s.io/v1" and kind "Policy"');
  }
  refuseUnknown(policy, "", ["apiVersion", "kind", "metadata", ...POLICY_FIELDS]);
  const omitStages = stagesOf(policy["omitStages"], "omitStages");
  const omitManagedFields = flagOf(policy["omitManagedFields"], "omitManagedFields") ?? false;
  const { rules } = policy;
  if (!Array.isArray(rules) || rules.length === 0) {
    throw new AuditPolicyError("rules must be a list with at least one rule");
  }
  return {
    rules: rules.map((rule, at) =>
      readRule(rule, { at: `rules[${at}]`, omitStages, omitManagedFields }),
    ),
  };
}

const POLICY_FIELDS = ["rules", "omitStages", "omitManagedFields"];
const RULE_FIELDS = [
  "level",
  "users",
  "userGroups",
  "verbs",
  "resources",
  "namespaces",
  "nonResourceURLs",
  "omitStages",
  "omitManagedFields",
];

function readRule(
  value: unknown,
  of: { at: string; omitStages: readonly string[]; omitManagedFields: boolean },
): AuditRule {
  const { at } = of;
  const rule = objectOf(value, at);
  refuseUnknown(rule, `${at}.`, RULE_FIELDS);
  const level = AUDIT_LEVELS.find((known) => known === rule["level"]);
  if (!level) throw new AuditPolicyError(`${at}.level must be one of ${AUDIT_LEVELS.join(", ")}`);
  const list = (field: string) => textsOf(rule[field], `${at}.${field}`);
  const resources = rule["resources"] ?? [];
  if (!Array.isArray(resources)) throw new AuditPolicyError(`${at}.resources must be a list`);
  const nonResourceURLs = list("nonResourceURLs");
  const namespaces = list("namespaces");
  if (nonResourceURLs.length > 0 && resources.length + namespaces.length > 0) {
    const why = "cannot have nonResourceURLs beside resources or namespaces";
    throw new AuditPolicyError(`${at} ${why}`);
  }
  refuseStrayPaths(nonResourceURLs, `${at}.nonResourceURLs`);
  const own = stagesOf(rule["omitStages"], `${at}.omitStages`);
  const omits = flagOf(rule["omitManagedFields"], `${at}.omitManagedFields`);
  return {
    level,
    users: list("users"),
    userGroups: list("userGroups"),
    verbs: list("verbs"),
    namespaces,
    nonResourceURLs,
    resources: resources.map((each: unknown, nth) => readResource(each, `${at}.resources[${nth}]`)),
    omitStages: new Set([...of.omitStages, ...own]),
    omitManagedFields: omits ?? of.omitManagedFields,
  };
}

function readResource(value: unknown, where: string): ResourceRule {
  const entry = objectOf(value, where);
  refuseUnknown(entry, `${where}.`, ["group", "resources", "resourceNames"]);
  const group = entry["group"] ?? "";
  if (typeof group !== "string") throw new AuditPolicyError(`${where}.group must be a text`);
  if (group !== "" && dns1123SubdomainErrors(group).length > 0) {
    throw new AuditPolicyError(`${where}.group must be a group without a version, not "${group}"`);
  }
  const resources = textsOf(entry["resources"], `${where}.resources`);
  const resourceNames = textsOf(entry["resourceNames"], `${where}.resourceNames`);
  if (resourceNames.length > 0 && resources.length === 0) {
    throw new AuditPolicyError(`${where}.resourceNames needs resources beside it`);
  }
  return { group, resources, resourceNames };
}

/** Paths are absolute, and a star stands at their end only, or alone. */
function refuseStrayPaths(paths: readonly string[], where: string): void {
  const stray = paths.find((path) => path !== "*" && !/^\/[^*]*\*?$/.test(path));
  if (stray === undefined) return;
  throw new AuditPolicyError(`${where}: "${stray}" must start with / and have * at its end only`);
}

/** What the first rule that matches says; `undefined` when nothing is recorded. */
export function decide(policy: AuditPolicy, request: AuditedRequest): AuditDecision | undefined {
  for (const rule of policy.rules) {
    if (!matches(rule, request)) continue;
    const { level, omitStages, omitManagedFields } = rule;
    return level === "None" ? undefined : { level, omitStages, omitManagedFields };
  }
  return undefined;
}

function matches(rule: AuditRule, { user, verb, path, target }: AuditedRequest): boolean {
  if (rule.verbs.length > 0 && !rule.verbs.includes(verb)) return false;
  if (rule.users.length > 0 && !rule.users.includes(user?.name ?? "")) return false;
  if (rule.userGroups.length > 0) {
    if (!user?.groups.some((group) => rule.userGroups.includes(group))) return false;
  }
  if (target) {
    if (rule.nonResourceURLs.length > 0) return false;
    return matchesTarget(rule, target);
  }
  if (rule.resources.length > 0 || rule.namespaces.length > 0) return false;
  if (rule.nonResourceURLs.length === 0) return true;
  return rule.nonResourceURLs.some((pattern) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  );
}

function matchesTarget(rule: AuditRule, target: Target): boolean {
  const { group, resource, subresource, namespace = "", name = "" } = target;
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(namespace)) return false;
  if (rule.resources.length === 0) return true;
  const full = subresource ? `${resource}/${subresource}` : resource;
  return rule.resources.some((each) => {
    if (each.group !== group) return false;
    if (each.resourceNames.length > 0 && !each.resourceNames.includes(name)) return false;
    if (each.resources.length === 0) return true;
    return each.resources.some((pattern) => {
      if (pattern === "*" || pattern === full) return true;
      if (pattern.startsWith("*/")) return subresource === pattern.slice(2);
      return pattern.endsWith("/*") && resource === pattern.slice(0, -2);
    });
  });
}

function objectOf(value: unknown, where: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new AuditPolicyError(`${where} must be an object`);
}

function textsOf(value: unknown, where: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  throw new AuditPolicyError(`${where} must be a list of texts`);
}

function flagOf(value: unknown, where: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw new AuditPolicyError(`${where} must be true or false`);
}

function stagesOf(value: unknown, where: string): string[] {
  const stages = textsOf(value, where);
  const unknown = stages.find((stage) => !AUDIT_STAGES.includes(stage));
  if (unknown) throw new AuditPolicyError(`${where}: "${unknown}" is no stage`);
  return stages;
}

function refuseUnknown(object: Json, where: string, known: readonly string[]): void {
  const unknown = Object.keys(object).find((field) => !known.includes(field));
  if (unknown) throw new AuditPolicyError(`${where}${unknown} is no field of a policy`);
}
