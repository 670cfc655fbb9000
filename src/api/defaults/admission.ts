import type {
  MatchResources,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../generated/types/admissionregistration-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

const HTTPS_PORT = 443;
const TIMEOUT_SECONDS = 10;

/** Defaults of admissionregistration.k8s.io/v1. */
export const ADMISSION_DEFAULTS: Defaulters = {
  MutatingWebhookConfiguration: defaulter<MutatingWebhookConfiguration>(({ webhooks }) => {
    for (const webhook of webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  }),
  ValidatingWebhookConfiguration: defaulter<ValidatingWebhookConfiguration>(({ webhooks }) => {
    for (const webhook of webhooks ?? []) defaultWebhook(webhook);
  }),
  ValidatingAdmissionPolicy: defaulter<ValidatingAdmissionPolicy>(({ spec }) => {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    if (spec.matchConstraints) defaultMatch(spec.matchConstraints);
  }),
  ValidatingAdmissionPolicyBinding: defaulter<ValidatingAdmissionPolicyBinding>(({ spec }) => {
    if (spec?.matchResources) defaultMatch(spec.matchResources);
  }),
};

function defaultWebhook(webhook: ValidatingWebhook | MutatingWebhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= TIMEOUT_SECONDS;
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= HTTPS_PORT;
  defaultRules(webhook.rules);
}

function defaultMatch(match: MatchResources): void {
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}
