import { forbidden, notFound } from "../../../api/errors.ts";
import type { MatchCondition } from "../../../api/generated/types/admissionregistration-v1.ts";
import { NAMESPACES } from "../../../api/generated/resources.ts";
import type { Resource } from "../../../api/resource.ts";
import { type Labels, type LabelRequirements, matchesLabels } from "../../../lib/labels.ts";
import type { AdmissionRequest, ObjectReader, ServedKinds } from "../../contract.ts";
import { isNamespace, namespaceOf } from "./admission-review.ts";
import type { Hook } from "./hook-source.ts";
import { rulesCover } from "./webhook-rules.ts";

/** Evaluates `matchConditions`. */
export type ConditionMatcher = (
  conditions: readonly MatchCondition[],
  request: AdmissionRequest,
) => { matches: boolean; error?: string };

/** What matching looks at beside the request. */
export interface MatchParts {
  reader: ObjectReader;
  kinds: ServedKinds;
  conditions: ConditionMatcher;
}

/** Configurations of webhooks are never shown to webhooks: a bad one could not be removed. */
export function isExempt({ resource }: AdmissionRequest): boolean {
  if (resource.group !== "admissionregistration.k8s.io") return false;
  return (
    resource.plural === "validatingwebhookconfigurations" ||
    resource.plural === "mutatingwebhookconfigurations"
  );
}

/**
 * The resource under which the webhook wants to see the request; `undefined` when it does not.
 * @throws StatusError when that cannot be told and the webhook's policy is to fail
 */
export function matchHook(
  hook: Hook,
  request: AdmissionRequest,
  parts: MatchParts,
): Resource | undefined {
  const resource = resourceWanted(hook, request, parts.kinds);
  if (!resource) return undefined;
  if (!namespaceMatches(hook.namespaceSelector, request, parts.reader)) return undefined;
  if (!objectMatches(hook.objectSelector, request)) return undefined;
  if (hook.conditions.length === 0) return resource;
  const { matches, error } = parts.conditions(hook.conditions, request);
  if (matches) return resource;
  if (error === undefined || hook.ignoresFailure) return undefined;
  throw forbidden(request.resource, request.name, error);
}

function resourceWanted(
  { webhook }: Hook,
  { operation, resource, subresource = "" }: AdmissionRequest,
  kinds: ServedKinds,
): Resource | undefined {
  const { rules, matchPolicy } = webhook;
  const covers = (candidate: Resource) =>
    rulesCover(rules, { operation, resource: candidate, subresource });
  if (covers(resource)) return resource;
  if (matchPolicy === "Exact") return undefined;
  return kinds.equivalentsOf(resource).find(covers);
}

/** @throws StatusError NotFound when the namespace that decides does not exist */
function namespaceMatches(
  selector: LabelRequirements,
  request: AdmissionRequest,
  reader: ObjectReader,
): boolean {
  if (selector.length === 0) return true;
  const { operation, object, resource } = request;
  const name = namespaceOf(request);
  if (isNamespace(resource) && object && (operation === "CREATE" || operation === "UPDATE")) {
    return matchesLabels(selector, labelsOf(object));
  }
  // Objects outside namespaces are never left out.
  if (!name) return true;
  const namespace = reader.get(NAMESPACES, { name });
  if (!namespace) throw notFound(NAMESPACES, name);
  return matchesLabels(selector, namespace.metadata?.labels);
}

/** Either state will do, so that an object cannot leave unseen. */
function objectMatches(
  selector: LabelRequirements,
  { object, oldObject }: AdmissionRequest,
): boolean {
  if (selector.length === 0) return true;
  return [object, oldObject].some((each) => each && matchesLabels(selector, labelsOf(each)));
}

function labelsOf(object: Record<string, unknown>): Labels | undefined {
  return (object["metadata"] as { labels?: Labels } | undefined)?.labels;
}
