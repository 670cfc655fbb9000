import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import { dns1035LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../generated/types/admissionregistration-v1.ts";
import { policyEnvironment } from "../../policy/policy-environment.ts";
import { storedExpressions } from "../../policy/stored-expressions.ts";
import { validateAdmissionRule } from "../admission-rule.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateMatchConditions } from "../match-conditions.ts";
import { validateSelector } from "../values.ts";
import { validateWebhookClient } from "../webhook-client.ts";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Webhook = MutatingWebhook | ValidatingWebhook;

const REVIEW_VERSIONS = ["v1", "v1beta1"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun"];

/** Rules of MutatingWebhookConfiguration and ValidatingWebhookConfiguration. */
export const WEBHOOK_CONFIGURATION: KindRules<Configuration> = {
  validateCreate: (errors, configuration) =>
    validateWebhooks(errors, configuration.webhooks, new Set()),
  validateUpdate: (errors, configuration, old) =>
    validateWebhooks(errors, configuration.webhooks, storedExpressions(old.webhooks)),
};

function validateWebhooks(
  errors: FieldErrors,
  webhooks: readonly Webhook[] = [],
  stored: ReadonlySet<string>,
): void {
  const names = new Set<string>();
  for (const [at, webhook] of webhooks.entries()) {
    const field = `webhooks[${at}]`;
    validateWebhook(errors, field, { webhook, stored });
    if (names.has(webhook.name)) errors.duplicate(`${field}.name`, webhook.name);
    if (webhook.name) names.add(webhook.name);
  }
}

function validateWebhook(
  errors: FieldErrors,
  field: string,
  { webhook, stored }: { webhook: Webhook; stored: ReadonlySet<string> },
): void {
  validateName(errors, `${field}.name`, webhook.name);
  for (const [at, rule] of (webhook.rules ?? []).entries()) {
    validateAdmissionRule(errors, `${field}.rules[${at}]`, rule);
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
  validateMatchConditions(errors, `${field}.matchConditions`, {
    conditions: webhook.matchConditions ?? [],
    environment: () => policyEnvironment(createKubernetesEnvironment(), {}),
    stored,
  });
  const versions = webhook.admissionReviewVersions ?? [];
  validateVersions(errors, `${field}.admissionReviewVersions`, versions);
}

function validateName(errors: FieldErrors, field: string, name: string | undefined): void {
  if (!errors.present(field, name)) return;
  const complaints = dns1123SubdomainErrors(name);
  if (complaints.length > 0) errors.invalid(field, name, complaints.join(","));
  else if (name.split(".").length < 3) {
    const why = "should be a domain with at least three segments separated by dots";
    errors.invalid(field, name, why);
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
    errors.invalid(field, goStrings(versions), why);
  }
}
