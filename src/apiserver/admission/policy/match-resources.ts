import { NAMESPACES } from "../../../api/generated/resources.ts";
import type {
  MatchResources,
  NamedRuleWithOperations,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import type { Resource } from "../../../api/resource.ts";
import { type Labels, matchesSelector } from "../../../lib/labels.ts";
import type { AdmissionRequest, ObjectReader, ServedKinds } from "../../contract.ts";

/** What matching works with. */
export interface MatchParts {
  reader: ObjectReader;
  kinds?: ServedKinds | undefined;
}

/**
 * The resource under which a request is one that the constraints of a policy or binding are
 * about: its own, or another version of it. Undefined when they are not about it.
 */
export function matchedResource(
  match: MatchResources,
  request: AdmissionRequest,
  { reader, kinds }: MatchParts,
): Resource | undefined {
  const { resourceRules = [], excludeResourceRules = [] } = match;
  const equivalents =
    match.matchPolicy === "Exact" ? [] : (kinds?.equivalentsOf(request.resource) ?? []);
  const candidates = [request.resource, ...equivalents];
  const find = (rules: readonly NamedRuleWithOperations[]) =>
    candidates.find((resource) => rules.some((rule) => matchesRule(rule, request, resource)));
  const found = resourceRules.length > 0 ? find(resourceRules) : request.resource;
  if (!found || find(excludeResourceRules)) return undefined;
  const selected = matchesNamespace(match, request, reader) && matchesObject(match, request);
  return selected ? found : undefined;
}

function matchesRule(
  rule: NamedRuleWithOperations,
  request: AdmissionRequest,
  resource: Resource,
): boolean {
  const { operations, apiGroups, apiVersions, resources, resourceNames, scope = "*" } = rule;
  if (!has(operations, request.operation) || !has(apiGroups, resource.group)) return false;
  if (!has(apiVersions, resource.version)) return false;
  const { subresource = "" } = request;
  if (!resources?.some((text) => namesResource(text, { plural: resource.plural, subresource })))
    return false;
  if (scope === "Namespaced" && !resource.namespaced) return false;
  if (scope === "Cluster" && resource.namespaced) return false;
  return !resourceNames?.length || resourceNames.includes(request.name);
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return values?.some((value) => value === "*" || value === wanted) ?? false;
}

function namesResource(
  text: string,
  { plural, subresource }: { plural: string; subresource: string },
): boolean {
  const [resource = "", below = ""] = text.split("/");
  return (resource === "*" || resource === plural) && (below === "*" || below === subresource);
}

function matchesNamespace(
  { namespaceSelector }: MatchResources,
  request: AdmissionRequest,
  reader: ObjectReader,
): boolean {
  if (!namespaceSelector || isEmpty(namespaceSelector)) return true;
  const { resource, namespace } = request;
  if (resource.group === "" && resource.plural === "namespaces") {
    return matchesSelector(namespaceSelector, labelsOf(request.object ?? request.oldObject));
  }
  if (!namespace) return true;
  const object = reader.get(NAMESPACES, { name: namespace });
  return matchesSelector(namespaceSelector, object?.metadata?.labels);
}

function matchesObject({ objectSelector }: MatchResources, request: AdmissionRequest): boolean {
  if (!objectSelector || isEmpty(objectSelector)) return true;
  return [request.object, request.oldObject].some((object) => {
    return object !== undefined && matchesSelector(objectSelector, labelsOf(object));
  });
}

function isEmpty(selector: {
  matchLabels?: object;
  matchExpressions?: readonly unknown[];
}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function labelsOf(object: unknown): Labels | undefined {
  return (object as { metadata?: { labels?: Labels } } | undefined)?.metadata?.labels;
}
