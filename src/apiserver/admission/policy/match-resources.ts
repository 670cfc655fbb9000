import { CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES } from "../../../api/generated/resources.ts";
import type {
  MatchResources,
  NamedRuleWithOperations,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import { type Labels, matchesSelector } from "../../../lib/labels.ts";
import type { AdmissionRequest, ObjectReader } from "../../contract.ts";

/** Whether a request is one that the constraints of a policy or binding are about. */
export function matchesResources(
  match: MatchResources,
  request: AdmissionRequest,
  reader: ObjectReader,
): boolean {
  const matches = (rule: NamedRuleWithOperations) =>
    matchesRule(rule, request, { reader, equivalent: match.matchPolicy !== "Exact" });
  const { resourceRules = [], excludeResourceRules = [] } = match;
  if (resourceRules.length > 0 && !resourceRules.some(matches)) return false;
  if (excludeResourceRules.some(matches)) return false;
  return matchesNamespace(match, request, reader) && matchesObject(match, request);
}

function matchesRule(
  rule: NamedRuleWithOperations,
  request: AdmissionRequest,
  of: { reader: ObjectReader; equivalent: boolean },
): boolean {
  const { operations, apiGroups, apiVersions, resourceNames, scope = "*" } = rule;
  const { resource } = request;
  if (!has(operations, request.operation) || !has(apiGroups, resource.group)) return false;
  const wanted = apiVersions ?? [];
  if (!has(wanted, resource.version)) {
    // The same object under another version that is served is as good.
    if (!of.equivalent) return false;
    if (!otherVersions(request, of.reader).some((version) => wanted.includes(version)))
      return false;
  }
  if (!(rule.resources ?? []).some((each) => namesResource(each, request))) return false;
  if (scope === "Namespaced" && !resource.namespaced) return false;
  if (scope === "Cluster" && resource.namespaced) return false;
  return !resourceNames?.length || resourceNames.includes(request.name);
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return values?.some((value) => value === "*" || value === wanted) ?? false;
}

function namesResource(text: string, { resource, subresource = "" }: AdmissionRequest): boolean {
  const [plural = "", below = ""] = text.split("/");
  return (plural === "*" || plural === resource.plural) && (below === "*" || below === subresource);
}

const BUILT_IN_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  "autoscaling/horizontalpodautoscalers": ["v1", "v2"],
};

function otherVersions({ resource }: AdmissionRequest, reader: ObjectReader): readonly string[] {
  const { group, plural } = resource;
  const known = BUILT_IN_VERSIONS[`${group}/${plural}`];
  if (known) return known;
  const definition = reader.get(CUSTOM_RESOURCE_DEFINITIONS, { name: `${plural}.${group}` });
  const versions = definition?.spec.versions ?? [];
  return versions.filter(({ served }) => served).map(({ name }) => name);
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
