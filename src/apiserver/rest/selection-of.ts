import { StatusError } from "../../api/errors.ts";
import { fieldGetterFor, parseFieldSelector } from "../../api/selection/field-selector.ts";
import { LabelSelectorError, matchesLabels, parseLabelSelector } from "../../lib/labels.ts";
import { type AttributeMatcher, Selection } from "../watch-cache/selection.ts";
import type { Call } from "./call.ts";

function labelMatcher(text: string): AttributeMatcher {
  try {
    const requirements = parseLabelSelector(text);
    return ({ labels }) => matchesLabels(requirements, labels);
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    throw new StatusError("BadRequest", error.message);
  }
}

/** Whether the call names conditions beside its namespace. */
export function hasSelectors(call: Call): boolean {
  return call.query.get("labelSelector") !== undefined ||
    call.query.get("fieldSelector") !== undefined
    ? true
    : call.target.name !== undefined;
}

/** Namespace, name and selectors of a list, watch or deletecollection. @throws StatusError */
export function selectionOf(call: Call): Selection {
  const { served, target, query } = call;
  const { namespaced } = served.resource;
  let namespace = namespaced ? target.namespace : undefined;
  let name = target.name;
  const matchers: AttributeMatcher[] = [];
  for (const requirement of parseFieldSelector(query.get("fieldSelector") ?? "")) {
    const { field, operator, value } = requirement;
    if (operator === "=" && field === "metadata.name" && (name === undefined || name === value)) {
      name = value;
    } else if (operator === "=" && field === "metadata.namespace" && namespaced && !namespace) {
      namespace = value;
    } else {
      if (!fieldGetterFor(served.resource, field, served.selectable)) {
        throw new StatusError("BadRequest", `field label not supported: ${field}`);
      }
      const wanted = operator === "=";
      matchers.push(({ fields }) => ((fields[field] ?? "") === value) === wanted);
    }
  }
  const labels = query.get("labelSelector");
  if (labels !== undefined) matchers.push(labelMatcher(labels));
  const prefix = namespace ? `${namespace}/` : "";
  const key = keyWanted({ namespaced, namespace, name });
  const suffix = name !== undefined && key === undefined ? `/${name}` : "";
  const matcher: AttributeMatcher | undefined =
    matchers.length > 1
      ? (attributes) => matchers.every((matches) => matches(attributes))
      : matchers[0];
  return new Selection({ prefix, key, suffix, matcher, attributesOf: served.attributesOf });
}

function keyWanted(at: {
  namespaced: boolean;
  namespace: string | undefined;
  name: string | undefined;
}): string | undefined {
  if (at.name === undefined) return undefined;
  if (!at.namespaced) return at.name;
  return at.namespace ? `${at.namespace}/${at.name}` : undefined;
}
