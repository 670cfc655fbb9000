import { decodePem } from "../../../format/x509/pem-codec.ts";
import { dns1035LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from "../../generated/types/apiextensions-v1.ts";
import { validateDefinitionVersions } from "../definition-versions.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goBytes, goStrings } from "../go-text.ts";
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
    if (established) {
      validateImmutable(errors, "spec.scope", { now: spec?.scope, old: old.spec?.scope });
      const kind = { now: spec?.names?.kind, old: old.spec?.names?.kind };
      validateImmutable(errors, "spec.names.kind", kind);
      validateAuthority(errors, spec, old.spec);
    }
    validateImmutable(errors, "spec.group", { now: spec?.group, old: old.spec?.group });
    const plural = { now: spec?.names?.plural, old: old.spec?.names?.plural };
    validateImmutable(errors, "spec.names.plural", plural);
    validateStoredVersions(errors, definition);
  },
  subresources: {
    status(errors, { status }) {
      validateNames(errors, "status.acceptedNames", status?.acceptedNames);
    },
  },
};

/** Webhooks are known by certificates that can be read, unless they never could. */
function validateAuthority(
  errors: FieldErrors,
  spec: CustomResourceDefinitionSpec | undefined,
  old: CustomResourceDefinitionSpec | undefined,
): void {
  const bundleOf = (of: CustomResourceDefinitionSpec | undefined) =>
    of?.conversion?.webhook?.clientConfig?.caBundle ?? "";
  const isBad = (bundle: string) =>
    bundle !== "" &&
    decodePem("CERTIFICATE", Buffer.from(bundle, "base64").toString("latin1")).length === 0;
  const bundle = bundleOf(spec);
  if (spec?.conversion?.strategy !== "Webhook" || !isBad(bundle) || isBad(bundleOf(old))) return;
  const detail = "unable to load root certificates: unable to parse bytes as PEM block";
  errors.invalid("spec.conversion.webhookClientConfig.caBundle", goBytes(bundle), detail);
}

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
    if (complaints.length > 0) errors.invalid("spec.group", group, complaints.join(","));
    else if (!group.includes(".")) {
      errors.invalid("spec.group", group, "should be a domain with at least one dot");
    }
  }
  if (errors.present("spec.scope", scope)) {
    errors.oneOf("spec.scope", scope, ["Cluster", "Namespaced"]);
  }
  validateDefinitionVersions(errors, spec, old?.spec);
  for (const part of ["plural", "singular", "kind", "listKind"] as const) {
    errors.present(`spec.names.${part}`, names?.[part]);
  }
  validateNames(errors, "spec.names", names);
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
  field: string,
  names: Partial<CustomResourceDefinitionNames> = {},
): void {
  const check = (place: string, value: string, mixed = false) => {
    const complaints = dns1035LabelErrors(mixed ? value.toLowerCase() : value);
    if (complaints.length === 0) return;
    const prefix = mixed ? "may have mixed case, but should otherwise match: " : "";
    errors.invalid(`${field}.${place}`, value, prefix + complaints.join(","));
  };
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  if (plural) check("plural", plural);
  if (singular) check("singular", singular);
  if (kind) check("kind", kind, true);
  if (listKind) check("listKind", listKind, true);
  for (const [at, value] of shortNames.entries()) check(`shortNames[${at}]`, value);
  if (kind && kind === listKind) {
    errors.invalid(`${field}.listKind`, listKind, "kind and listKind may not be the same");
  }
  for (const [at, value] of categories.entries()) check(`categories[${at}]`, value);
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
    errors.invalid(versionsField, goStrings(versions), why);
  }
}

/** Data may still be stored in versions that were once those of storage. */
function validateStoredVersions(errors: FieldErrors, definition: CustomResourceDefinition): void {
  const versions = new Set((definition.spec?.versions ?? []).map(({ name }) => name));
  for (const [at, name] of (definition.status?.storedVersions ?? []).entries()) {
    if (versions.has(name)) continue;
    errors.invalid(`status.storedVersions[${at}]`, name, "must appear in spec.versions");
  }
}

/** What the annotation says: where it was approved, that it was not, or neither. */
function approvalState(annotation: string): "approved" | "bypassed" | "invalid" | "missing" {
  if (annotation === "") return "missing";
  if (annotation.startsWith("unapproved")) return "bypassed";
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(annotation) ? "approved" : "invalid";
}

/** Groups of the project Kubernetes belong to it. */
function validateApproval(
  errors: FieldErrors,
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): void {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(definition.spec.group ?? "")) return;
  const approval = definition.metadata?.annotations?.[APPROVAL] ?? "";
  const state = approvalState(approval);
  if (old && state === approvalState(old.metadata?.annotations?.[APPROVAL] ?? "")) return;
  const field = `metadata.annotations[${APPROVAL}]`;
  const why = `protected groups must have approval annotation "${APPROVAL}"`;
  if (state === "missing") errors.required(field, `${why}, ${APPROVAL_HELP}`);
  else if (state === "invalid") {
    const detail = `${why} with either a URL or a reason starting with "unapproved"`;
    errors.invalid(field, approval, `${detail}, ${APPROVAL_HELP}`);
  }
}
