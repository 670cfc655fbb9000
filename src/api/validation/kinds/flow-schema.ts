import { deepEqual } from "../../../lib/deep-equal.ts";
import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../../generated/types/flowcontrol-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { MANDATORY_FLOW_SCHEMAS } from "../../mandatory-flow.ts";
import { GoText, goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";

const METHODS: readonly string[] = ["ByNamespace", "ByUser"];
const PRECEDENCE_MAX = 10_000;
const VERBS: readonly string[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];
/** The field of a subject that goes with its kind. */
const SUBJECTS: Readonly<Record<string, "group" | "serviceAccount" | "user">> = {
  ServiceAccount: "serviceAccount",
  User: "user",
  Group: "group",
};

export const FLOW_SCHEMA: KindRules<FlowSchema> = {
  validate(errors, { metadata, spec }) {
    const { matchingPrecedence: precedence = 0, distinguisherMethod } = spec ?? {};
    const refuse = (detail: string) =>
      errors.invalid("spec.matchingPrecedence", precedence, detail);
    if (precedence <= 0) refuse("must be a positive value");
    if (precedence > PRECEDENCE_MAX) refuse(`must not be greater than ${PRECEDENCE_MAX}`);
    if (precedence === 1 && metadata?.name !== "exempt") {
      refuse("only the schema named 'exempt' may have matchingPrecedence 1");
    }
    if (distinguisherMethod && !METHODS.includes(distinguisherMethod.type)) {
      const type = JSON.stringify(distinguisherMethod.type ?? "");
      const shown = new GoText(`flowcontrol.FlowDistinguisherMethod{Type:${type}}`);
      errors.notSupported("spec.distinguisherMethod.type", shown, METHODS);
    }
    const level = spec?.priorityLevelConfiguration?.name ?? "";
    const field = "spec.priorityLevelConfiguration.name";
    if (level === "") errors.required(field, "must reference a priority level");
    else errors.complaints(field, level, dns1123SubdomainErrors(level));
    for (const [index, rule] of (spec?.rules ?? []).entries()) {
      validateRules(errors, `spec.rules[${index}]`, rule);
    }
    validateFixed(errors, { name: metadata?.name, spec, fixed: MANDATORY_FLOW_SCHEMAS });
  },
  subresources: {
    status(errors, { status }) {
      const types = new Set<string | undefined>();
      for (const [index, { type }] of (status?.conditions ?? []).entries()) {
        const path = `status.conditions[${index}].type`;
        if (types.has(type)) errors.duplicate(path, type);
        types.add(type);
        if (!type) errors.required(path, "must not be empty");
      }
    },
  },
};

/** Without some objects requests would go astray, so that nobody may change what they say. */
export function validateFixed(
  errors: FieldErrors,
  of: {
    name: string | undefined;
    spec: object | undefined;
    fixed: Readonly<Record<string, object>>;
  },
): void {
  const { name = "", spec = {}, fixed } = of;
  if (!Object.hasOwn(fixed, name) || deepEqual(spec, fixed[name])) return;
  errors.invalid("spec", spec, `spec of '${name}' must equal the fixed value`);
}

function validateRules(errors: FieldErrors, field: string, rule: PolicyRulesWithSubjects): void {
  const { resourceRules = [], nonResourceRules = [] } = rule;
  const subjects = rule.subjects ?? [];
  if (subjects.length === 0) {
    errors.required(`${field}.subjects`, "subjects must contain at least one value");
  }
  for (const [index, subject] of subjects.entries()) {
    validateSubject(errors, `${field}.subjects[${index}]`, subject);
  }
  if (resourceRules.length + nonResourceRules.length === 0) {
    const detail = "at least one of resourceRules and nonResourceRules has to be non-empty";
    errors.required(field, detail);
  }
  for (const [index, one] of resourceRules.entries()) {
    validateResourceRule(errors, `${field}.resourceRules[${index}]`, one);
  }
  for (const [index, one] of nonResourceRules.entries()) {
    validateUrlRule(errors, `${field}.nonResourceRules[${index}]`, one);
  }
}

function validateSubject(errors: FieldErrors, field: string, subject: Subject): void {
  const { kind } = subject;
  const expected = Object.hasOwn(SUBJECTS, kind) ? SUBJECTS[kind] : undefined;
  if (!expected) {
    return errors.notSupported(`${field}.kind`, kind ?? "", Object.keys(SUBJECTS).toSorted());
  }
  const named = subject[expected];
  if (!named) {
    const detail = `${expected} is required when subject kind is '${kind}'`;
    errors.required(`${field}.${expected}`, detail);
  } else errors.present(`${field}.${expected}.name`, named.name);
  const account = subject.serviceAccount;
  if (expected === "serviceAccount" && account) {
    const place = `${field}.serviceAccount`;
    if (account.name && account.name !== "*") {
      errors.complaints(`${place}.name`, account.name, dns1123SubdomainErrors(account.name));
    }
    if (!account.namespace) {
      errors.required(`${place}.namespace`, "must specify namespace for service account");
    } else {
      const complaints = dns1123LabelErrors(account.namespace);
      errors.complaints(`${place}.namespace`, account.namespace, complaints);
    }
  }
  for (const [other, name] of Object.entries(SUBJECTS)) {
    if (name === expected || subject[name] === undefined) continue;
    const detail = `${name} is forbidden when subject kind is not '${other}'`;
    errors.forbidden(`${field}.${name}`, detail);
  }
}

/** A star stands for everything, so nothing may stand beside it. */
function validateStar(
  errors: FieldErrors,
  field: string,
  { values, what }: { values: readonly string[]; what: string },
): boolean {
  if (!values.includes("*")) return false;
  if (values.length > 1) {
    const detail = `if '*' is present, must not specify other ${what}`;
    errors.invalid(field, goStrings(values), detail);
  }
  return true;
}

function validateVerbs(errors: FieldErrors, field: string, verbs: readonly string[] = []): void {
  if (verbs.length === 0) return errors.required(field, "verbs must contain at least one value");
  if (validateStar(errors, field, { values: verbs, what: "verbs" })) return;
  if (verbs.some((verb) => !VERBS.includes(verb))) {
    errors.notSupported(field, goStrings(verbs), VERBS);
  }
}

function validateResourceRule(errors: FieldErrors, field: string, rule: ResourcePolicyRule): void {
  validateVerbs(errors, `${field}.verbs`, rule.verbs);
  for (const [name, one, what] of [
    ["apiGroups", "api group", "api groups"],
    ["resources", "resource", "resources"],
  ] as const) {
    const values = rule[name] ?? [];
    const place = `${field}.${name}`;
    if (values.length === 0) {
      errors.required(place, `resource rules must supply at least one ${one}`);
    } else validateStar(errors, place, { values, what });
  }
  const namespaces = rule.namespaces ?? [];
  const place = `${field}.namespaces`;
  if (namespaces.length === 0 && !rule.clusterScope) {
    const detail = "resource rules that are not cluster scoped must supply at least one namespace";
    return errors.required(place, detail);
  }
  if (validateStar(errors, place, { values: namespaces, what: "namespaces" })) return;
  for (const [index, namespace] of namespaces.entries()) {
    for (const text of dns1123LabelErrors(namespace)) {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${text}`;
      errors.invalid(`${place}[${index}]`, namespace, detail);
    }
  }
}

function validateUrlRule(errors: FieldErrors, field: string, rule: NonResourcePolicyRule): void {
  validateVerbs(errors, `${field}.verbs`, rule.verbs);
  const place = `${field}.nonResourceURLs`;
  const urls = rule.nonResourceURLs ?? [];
  if (urls.length === 0) {
    return errors.required(place, "nonResourceURLs must contain at least one value");
  }
  if (validateStar(errors, place, { values: urls, what: "non-resource URLs" })) return;
  for (const [index, url] of urls.entries()) {
    const refuse = (detail: string) => errors.invalid(`${place}[${index}]`, url, detail);
    if (url === "") refuse("must not be empty");
    else if (url === "/") continue;
    else if (!url.startsWith("/")) refuse("must start with slash");
    else if (url.includes(" ")) refuse("must not contain white-space");
    else if (url.includes("//")) refuse("must not contain double slash");
    else if (/\*(?!$)|[^/]\*$/.test(url)) refuse("wildcard can only do suffix matching");
  }
}
