import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type {
  MatchCondition,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../generated/types/admissionregistration-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateSelector } from "../values.ts";
import { validateWebhookClient } from "../webhook-client.ts";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Webhook = MutatingWebhook | ValidatingWebhook;

const REVIEW_VERSIONS = ["v1", "v1beta1"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const CONDITIONS_MAX = 64;

/** Rules of MutatingWebhookConfiguration and ValidatingWebhookConfiguration. */
export const WEBHOOK_CONFIGURATION: KindRules<Configuration> = {
  validate(errors, { webhooks = [] }) {
    const names = new Set<string>();
    for (const [at, webhook] of webhooks.entries()) {
      const field = `webhooks[${at}]`;
      validateWebhook(errors, field, webhook);
      if (names.has(webhook.name)) errors.duplicate(`${field}.name`, webhook.name);
      if (webhook.name) names.add(webhook.name);
    }
  },
};

function validateWebhook(errors: FieldErrors, field: string, webhook: Webhook): void {
  validateName(errors, `${field}.name`, webhook.name);
  for (const [at, rule] of (webhook.rules ?? []).entries()) {
    validateRule(errors, `${field}.rules[${at}]`, rule);
  }
  errors.oneOf(`${field}.failurePolicy`, webhook.failurePolicy, ["Fail", "Ignore"]);
  errors.oneOf(`${field}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]);
  if (webhook.sideEffects === undefined) {
    errors.required(`${field}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(", ")}`);
  } else errors.oneOf(`${field}.sideEffects`, webhook.sideEffects, SIDE_EFFECTS);
  const { timeoutSeconds = 10 } = webhook;
  if (timeoutSeconds < 1 || timeoutSeconds > 30) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.invalid(`${field}.timeoutSeconds`, timeoutSeconds, why);
  }
  validateSelector(errors, `${field}.namespaceSelector`, webhook.namespaceSelector);
  validateSelector(errors, `${field}.objectSelector`, webhook.objectSelector);
  if ("reinvocationPolicy" in webhook) {
    const allowed = ["IfNeeded", "Never"];
    errors.oneOf(`${field}.reinvocationPolicy`, webhook.reinvocationPolicy, allowed);
  }
  validateWebhookClient(errors, `${field}.clientConfig`, webhook.clientConfig);
  validateConditions(errors, `${field}.matchConditions`, webhook.matchConditions ?? []);
  const versions = webhook.admissionReviewVersions ?? [];
  validateVersions(errors, `${field}.admissionReviewVersions`, versions);
}

function validateName(errors: FieldErrors, field: string, name: string | undefined): void {
  if (!errors.present(field, name)) return;
  const complaints = dns1123SubdomainErrors(name);
  errors.complaints(field, name, complaints);
  if (complaints.length === 0 && name.split(".").length < 3) {
    const why = "should be a domain with at least three segments separated by dots";
    errors.invalid(field, name, why);
  }
}

function validateRule(errors: FieldErrors, field: string, rule: RuleWithOperations): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  const alone = (name: string, items: readonly string[], what: string) => {
    if (items.length === 0) errors.required(`${field}.${name}`);
    if (items.length > 1 && items.includes("*")) {
      const why = `if '*' is present, must not specify other ${what}`;
      errors.invalid(`${field}.${name}`, items, why);
    }
  };
  alone("operations", operations, "operations");
  for (const [at, operation] of operations.entries()) {
    errors.oneOf(`${field}.operations[${at}]`, operation, OPERATIONS);
  }
  alone("apiGroups", apiGroups, "API groups");
  alone("apiVersions", apiVersions, "API versions");
  for (const [at, version] of apiVersions.entries()) {
    errors.present(`${field}.apiVersions[${at}]`, version);
  }
  validateResources(errors, `${field}.resources`, resources);
  errors.oneOf(`${field}.scope`, rule.scope, ["*", "Cluster", "Namespaced"]);
}

function validateResources(errors: FieldErrors, field: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.required(field);
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  for (const [at, text] of resources.entries()) {
    const place = `${field}[${at}]`;
    if (!errors.present(place, text)) continue;
    const slash = text.indexOf("/");
    if (slash < 0) continue;
    const [resource, below] = [text.slice(0, slash), text.slice(slash + 1)];
    if (wholeResources.has(resource)) {
      errors.invalid(place, text, `if '${resource}/*' is present, must not specify ${text}`);
    }
    if (wholeSubresources.has(below)) {
      errors.invalid(place, text, `if '*/${below}' is present, must not specify ${text}`);
    }
    if (below === "*") wholeResources.add(resource);
    if (resource === "*") wholeSubresources.add(below);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.invalid(field, resources, "if '*/*' is present, must not specify other resources");
  }
  if (resources.includes("*") && resources.some((text) => text !== "*" && !text.includes("/"))) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.invalid(field, resources, why);
  }
}

function validateConditions(
  errors: FieldErrors,
  field: string,
  conditions: readonly MatchCondition[],
): void {
  if (conditions.length > CONDITIONS_MAX) {
    errors.tooMany(field, conditions.length, CONDITIONS_MAX);
    return;
  }
  const names = new Set<string>();
  for (const [at, { name, expression }] of conditions.entries()) {
    const place = `${field}[${at}]`;
    if (!expression?.trim()) errors.required(`${place}.expression`);
    if (!name) errors.required(`${place}.name`);
    else errors.complaints(`${place}.name`, name, qualifiedNameErrors(name));
    if (names.has(name)) errors.duplicate(`${place}.name`, name);
    names.add(name);
  }
}

function validateVersions(errors: FieldErrors, field: string, versions: readonly string[]): void {
  if (versions.length === 0) {
    errors.required(field, `must specify one of ${REVIEW_VERSIONS.join(", ")}`);
    return;
  }
  for (const [at, version] of versions.entries()) {
    if (versions.indexOf(version) < at)
      errors.invalid(`${field}[${at}]`, version, "duplicate version");
    else errors.complaints(`${field}[${at}]`, version, dns1035LabelErrors(version));
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(", ")}`;
    errors.invalid(field, versions, why);
  }
}
