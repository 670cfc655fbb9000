import { StatusError } from "../../api/errors.ts";
import {
  fieldGetterFor,
  type FieldRequirements,
  parseFieldSelector,
  unsupportedField,
} from "../../api/selection/field-selector.ts";
import {
  LabelSelectorError,
  type LabelRequirements,
  matchesLabels,
  parseLabelSelector,
} from "../../lib/labels.ts";
import type { Pin } from "../watch-cache/pin.ts";
import { type AttributeMatcher, Selection } from "../watch-cache/selection.ts";
import type { Call } from "./call.ts";

function labelRequirementsOf(text: string): LabelRequirements {
  try {
    return parseLabelSelector(text);
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
  const pins: Pin[] = [];
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  if (name !== undefined) checkNameWanted(name, fields);
  for (const requirement of fields) {
    const { field, operator, value } = requirement;
    if (operator === "=" && field === "metadata.name" && (name === undefined || name === value)) {
      name = value;
    } else if (operator === "=" && field === "metadata.namespace" && namespaced && !namespace) {
      namespace = value;
    } else {
      const isNowhere = served.custom && !namespaced && field === "metadata.namespace";
      if (isNowhere || !fieldGetterFor(served.resource, field, served.selectable)) {
        throw served.custom
          ? new StatusError("BadRequest", `field label not supported: ${field}`)
          : unsupportedField(served.resource, field);
      }
      const wanted = operator === "=";
      matchers.push(({ fields }) => ((fields[field] ?? "") === value) === wanted);
      if (wanted) pins.push({ of: "fields", name: field, value });
    }
  }
  const labels = query.get("labelSelector");
  const requirements = labelRequirementsOf(labels ?? "");
  if (requirements.length > 0) {
    matchers.push((attributes) => matchesLabels(requirements, attributes.labels));
  }
  for (const { key: label, operator, values } of requirements) {
    const [value] = values;
    if (operator !== "In" || value === undefined || values.length > 1) continue;
    pins.push({ of: "labels", name: label, value });
  }
  const prefix = namespace ? `${namespace}/` : "";
  const key = keyWanted({ namespaced, namespace, name });
  const suffix = name !== undefined && key === undefined ? `/${name}` : "";
  const matcher: AttributeMatcher | undefined =
    matchers.length > 1
      ? (attributes) => matchers.every((matches) => matches(attributes))
      : matchers[0];
  return new Selection({ prefix, key, suffix, pins, matcher, attributesOf: served.attributesOf });
}

/** A path that names an object goes with a field selector only if that names it, too. */
function checkNameWanted(name: string, fields: FieldRequirements): void {
  const named = fields.find(({ field, operator }) => field === "metadata.name" && operator === "=");
  if (fields.length === 0 || named?.value === name) return;
  throw new StatusError("BadRequest", "fieldSelector metadata.name doesn't match requested name");
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
