import { deepEqual } from "../../../lib/deep-equal.ts";
import { dns1035LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from "../../generated/types/apiextensions-v1.ts";
import { validateDefinitionVersions } from "../definition-versions.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateWebhookClient } from "../webhook-client.ts";

const APPROVAL = "api-approved.kubernetes.io";
const APPROVAL_HELP = "see https://github.com/kubernetes/enhancements/pull/1111";
const REVIEW_VERSIONS = ["v1", "v1beta1"];

/** Rules of CustomResourceDefinition. */
export const CUSTOM_RESOURCE_DEFINITION: KindRules<CustomResourceDefinition> = {
  validateCreate(errors, definition) {
    validateDefinition(errors, definition);
  },
  validateUpdate(errors, definition, old) {
    validateDefinition(errors, definition, old);
    const { spec } = definition;
    const established = old.status?.conditions?.some(
      ({ type, status }) => type === "Established" && status === "True",
    );
    validateImmutable(errors, "spec.group", { now: spec?.group, old: old.spec?.group });
    const plural = { now: spec?.names?.plural, old: old.spec?.names?.plural };
    validateImmutable(errors, "spec.names.plural", plural);
    validateStoredVersions(errors, definition);
    if (!established) return;
    validateImmutable(errors, "spec.scope", { now: spec?.scope, old: old.spec?.scope });
    const kind = { now: spec?.names?.kind, old: old.spec?.names?.kind };
    validateImmutable(errors, "spec.names.kind", kind);
  },
};

function validateDefinition(
  errors: FieldErrors,
  definition: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): void {
  const { spec, metadata } = definition;
  if (!spec) return errors.required("spec");
  const { group, names, scope } = spec;
  const name = metadata?.name ?? "";
  if (!old && name !== "" && name !== `${names?.plural ?? ""}.${group ?? ""}`) {
    errors.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group');
  }
  if (errors.present("spec.group", group)) {
    const complaints = dns1123SubdomainErrors(group);
    errors.complaints("spec.group", group, complaints);
    if (complaints.length === 0 && !group.includes(".")) {
      errors.invalid("spec.group", group, "should be a domain with at least one dot");
    }
  }
  if (errors.present("spec.scope", scope)) {
    errors.oneOf("spec.scope", scope, ["Cluster", "Namespaced"]);
  }
  validateDefinitionVersions(errors, spec, old?.spec);
  validateNames(errors, names);
  validateConversion(errors, spec);
  if (spec.preserveUnknownFields) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in " +
      "spec.versions[*].schema instead";
    if (!old?.spec.preserveUnknownFields) errors.invalid("spec.preserveUnknownFields", true, why);
  }
  validateApproval(errors, definition, old);
}

function validateNames(
  errors: FieldErrors,
  names: CustomResourceDefinitionNames | undefined,
): void {
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    const value = names?.[name];
    const field = `spec.names.${name}`;
    if (!errors.present(field, value)) continue;
    if (name === "plural" || name === "singular") {
      errors.complaints(field, value, dns1035LabelErrors(value));
      continue;
    }
    const [complaint] = dns1035LabelErrors(value.toLowerCase());
    const prefix = "may have mixed case, but should otherwise match: ";
    if (complaint) errors.invalid(field, value, prefix + complaint);
  }
  for (const name of ["shortNames", "categories"] as const) {
    for (const [at, value] of (names?.[name] ?? []).entries()) {
      errors.complaints(`spec.names.${name}[${at}]`, value, dns1035LabelErrors(value));
    }
  }
  if (names?.kind && names.kind === names.listKind) {
    const why = "kind and listKind may not be the same";
    errors.invalid("spec.names.listKind", names.listKind, why);
  }
}

function validateConversion(
  errors: FieldErrors,
  { conversion }: CustomResourceDefinitionSpec,
): void {
  if (!conversion) return;
  const { strategy, webhook }: CustomResourceConversion = conversion;
  const field = "spec.conversion";
  if (errors.present(`${field}.strategy`, strategy)) {
    errors.oneOf(`${field}.strategy`, strategy, ["None", "Webhook"]);
  }
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (webhook?.clientConfig) errors.forbidden(`${field}.webhookClientConfig`, why);
    if (webhook?.conversionReviewVersions?.length) {
      errors.forbidden(`${field}.conversionReviewVersions`, why);
    }
    return;
  }
  const place = `${field}.webhookClientConfig`;
  if (!webhook?.clientConfig) errors.required(place, "required when strategy is set to Webhook");
  else validateWebhookClient(errors, place, webhook.clientConfig);
  const versions = webhook?.conversionReviewVersions ?? [];
  const versionsField = `${field}.conversionReviewVersions`;
  if (versions.length === 0) errors.required(versionsField);
  for (const [at, version] of versions.entries()) {
    const item = `${versionsField}[${at}]`;
    if (versions.indexOf(version) < at) errors.invalid(item, version, "duplicate version");
    else errors.complaints(item, version, dns1035LabelErrors(version));
  }
  if (versions.length > 0 && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(", ")}`;
    errors.invalid(versionsField, versions, why);
  }
}

/** Data may still be stored in versions that were once those of storage. */
function validateStoredVersions(errors: FieldErrors, definition: CustomResourceDefinition): void {
  const versions = new Set((definition.spec?.versions ?? []).map(({ name }) => name));
  for (const [at, name] of (definition.status?.storedVersions ?? []).entries()) {
    if (versions.has(name)) continue;
    errors.invalid(
      `status.storedVersions[${at}]`,
      name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in ` +
        `spec.versions until a storage migration ensures no data remains persisted in ${name} ` +
        `and removes ${name} from status.storedVersions`,
    );
  }
}

/** Groups of the project Kubernetes belong to it. */
function validateApproval(
  errors: FieldErrors,
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): void {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(definition.spec.group ?? "")) return;
  const annotations = definition.metadata?.annotations ?? {};
  const approval = annotations[APPROVAL];
  if (old && deepEqual(approval, old.metadata?.annotations?.[APPROVAL])) return;
  const field = `metadata.annotations[${APPROVAL}]`;
  const why = `protected groups must have approval annotation "${APPROVAL}"`;
  if (!approval) errors.required(field, `${why}, ${APPROVAL_HELP}`);
  else if (!approval.startsWith("unapproved") && !/^https?:\/\/[^/]+/.test(approval)) {
    const detail = `${why} with either a URL or a reason starting with "unapproved"`;
    errors.invalid(field, approval, `${detail}, ${APPROVAL_HELP}`);
  }
}
