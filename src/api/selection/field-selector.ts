import { StatusError } from "../errors.ts";
import type { Resource } from "../resource.ts";

/** One condition of `?fieldSelector=`. */
export interface FieldRequirement {
  field: string;
  operator: "=" | "!=";
  value: string;
}

/** Conditions that must all hold; none at all matches everything. */
export type FieldRequirements = readonly FieldRequirement[];

/** Splits at commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === ",") {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms.filter((term) => term !== "");
}

function unescapeValue(value: string): string {
  const [invalid] = /\\(?:[^\\,=]|$)/su.exec(value.replaceAll("\\\\", "")) ?? [];
  if (invalid) throw invalidSelector(`invalid escape sequence: ${invalid}`);
  if (/(?<!\\)=/.test(value)) {
    throw invalidSelector(`unescaped character in value: ${"=".charCodeAt(0)}`);
  }
  return value.replace(/\\([\\,=])/g, "$1");
}

function invalidSelector(why: string): StatusError {
  return new StatusError("BadRequest", `invalid field selector: ${why}`);
}

/**
 * Parses `a=b,c!=d`; a backslash escapes comma, equals sign and backslash in values.
 * @throws StatusError BadRequest
 */
export function parseFieldSelector(text: string): FieldRequirements {
  return splitTerms(text).map((term) => {
    const found = /^((?:[^=!]|!(?!=))*)(!=|==|=)(.*)$/s.exec(term);
    const [, field = "", operator = "", value = ""] = found ?? [];
    if (!found) {
      throw new StatusError(
        "BadRequest",
        `invalid selector: '${text}'; can't understand '${term}'`,
      );
    }
    return {
      field,
      operator: operator === "!=" ? "!=" : "=",
      value: unescapeValue(value),
    };
  });
}

/** The text that `parseFieldSelector` reads back. */
export function formatFieldSelector(requirements: FieldRequirements): string {
  return requirements
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, "\\$&")}`)
    .join(",");
}

/** Reads a selectable field; absent values are "". */
export type FieldGetter = (object: unknown) => string;

/** Fields beside metadata.name and metadata.namespace, by "group/plural". */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  "/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
  ],
  "/nodes": ["spec.unschedulable"],
  "/replicationcontrollers": ["status.replicas"],
  "/namespaces": ["status.phase"],
  "/secrets": ["type"],
  "/services": ["spec.clusterIP", "spec.type"],
  "/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  "events.k8s.io/events": [
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
  ],
  "batch/jobs": ["status.successful"],
  "certificates.k8s.io/certificatesigningrequests": ["spec.signerName"],
};

/** Fields whose absence means something else than "". */
const ABSENT: Readonly<Record<string, string>> = {
  "spec.unschedulable": "false",
  "spec.hostNetwork": "false",
  "status.replicas": "0",
  "status.successful": "0",
};

/** Fields whose value stands at another path. */
const STORED_AT: Readonly<Record<string, string>> = { "status.successful": "status.succeeded" };

/** Values that no single path gives. */
const COMPUTED: Readonly<Record<string, FieldGetter>> = {
  source: (object) =>
    textAt(object, ["source", "component"]) || textAt(object, ["reportingComponent"]),
  reportingComponent: (object) => textAt(object, ["reportingComponent"]),
  "status.podIPs": (object) => {
    const ips = valueAt(object, ["status", "podIPs"]);
    return Array.isArray(ips) ? ips.map((item) => textAt(item, ["ip"])).join(",") : "";
  },
};

function valueAt(object: unknown, path: readonly string[]): unknown {
  let node = object;
  for (const name of path) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return node;
}

function textAt(object: unknown, path: readonly string[]): string {
  const value = valueAt(object, path);
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? `${value}` : "";
}

/** Fields that selectors of this resource may name beside metadata.name and metadata.namespace. */
export function selectableFields(resource: Resource): readonly string[] {
  return SELECTABLE[`${resource.group}/${resource.plural}`] ?? [];
}

/**
 * How to read a field that the selector of this resource may name, or `undefined`. Custom
 * resources name theirs in `selectable`, as paths without the leading dot.
 */
export function fieldGetterFor(
  resource: Resource,
  field: string,
  selectable: readonly string[] = [],
): FieldGetter | undefined {
  const known = SELECTABLE[`${resource.group}/${resource.plural}`] ?? [];
  // Kinds with fields of their own say themselves that they have no namespace.
  const isPlaced = resource.namespaced || known.length === 0;
  const general = field === "metadata.name" || (field === "metadata.namespace" && isPlaced);
  if (!general && !known.includes(field) && !selectable.includes(field)) return undefined;
  const computed = COMPUTED[field];
  if (computed) return computed;
  const path = (STORED_AT[field] ?? field).split(".");
  const absent = ABSENT[field] ?? "";
  return (object) => textAt(object, path) || absent;
}

/**
 * A test of whole objects for parsed conditions. @throws StatusError BadRequest for a field that
 * the resource does not offer
 */
export function compileFieldSelector(
  requirements: FieldRequirements,
  options: { resource: Resource; selectable?: readonly string[] },
): (object: unknown) => boolean {
  const tests = requirements.map(({ field, operator, value }) => {
    const get = fieldGetterFor(options.resource, field, options.selectable);
    if (!get) throw unsupportedField(options.resource, field);
    return operator === "="
      ? (object: unknown) => get(object) === value
      : (object: unknown) => get(object) !== value;
  });
  return (object) => tests.every((test) => test(object));
}

/** The refusal of a field that selectors of this resource may not name. */
export function unsupportedField(resource: Resource, field: string): StatusError {
  if (resource.group === "batch" && resource.kind === "Job") {
    return new StatusError("BadRequest", `field label "${field}" not supported for Job`);
  }
  const specific = SELECTABLE[`${resource.group}/${resource.plural}`] !== undefined;
  const text = specific
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: ` +
      `only "metadata.name", "metadata.namespace"`;
  return new StatusError("BadRequest", text);
}
