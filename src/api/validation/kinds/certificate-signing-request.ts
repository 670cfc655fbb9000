import { deepEqual } from "../../../lib/deep-equal.ts";
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
} from "../../../lib/names.ts";
import { parseCertificateRequest } from "../../../format/x509/certificate-request.ts";
import { decodePem } from "../../../format/x509/pem-codec.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../../generated/types/certificates-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goBytes } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";

const EXPIRATION_MIN_S = 600;
const DOMAIN_MAX = 253;
const SIGNER_MAX = 571;
const USAGES: readonly string[] = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

export const CERTIFICATE_SIGNING_REQUEST: KindRules<CertificateSigningRequest> = {
  nameRule: pathSegmentErrors,
  validate(errors, { spec, status }) {
    if (!spec) return errors.required("spec.request");
    validateRequest(errors, spec.request ?? "");
    const usages = spec.usages ?? [];
    if (usages.length === 0) errors.required("spec.usages", "usages must be provided");
    for (const [index, usage] of usages.entries()) {
      errors.oneOf(`spec.usages[${index}]`, usage, USAGES);
      if (usages.indexOf(usage) < index) errors.duplicate(`spec.usages[${index}]`, usage);
    }
    validateSignerName(errors, spec.signerName ?? "");
    const seconds = spec.expirationSeconds;
    if (seconds !== undefined && seconds < EXPIRATION_MIN_S) {
      const detail = `may not specify a duration less than ${EXPIRATION_MIN_S} seconds (10 minutes)`;
      errors.invalid("spec.expirationSeconds", seconds, detail);
    }
    validateConditions(errors, status?.conditions ?? []);
  },
  subresources: {
    approval(errors, request, old) {
      validateConditions(errors, request.status?.conditions ?? []);
      validateVerdicts(errors, request, { old, may: ["Approved", "Denied"] });
      if (request.status?.certificate !== old.status?.certificate) {
        errors.forbidden("status.certificate", "updates may not set certificate content");
      }
    },
    status(errors, request, old) {
      validateConditions(errors, request.status?.conditions ?? []);
      validateVerdicts(errors, request, { old, may: [] });
      const before = old.status?.certificate;
      const now = request.status?.certificate;
      if (before && now !== before) {
        const detail = "updates may not modify existing certificate content";
        errors.forbidden("status.certificate", detail);
      } else if (now && decodePem("CERTIFICATE", decodeBase64(now)).length === 0) {
        const detail = "invalid certificate data: no CERTIFICATE PEM blocks";
        errors.invalid("status.certificate", "<certificate data>", detail);
      }
    },
  },
};

function decodeBase64(text: string): string {
  return Buffer.from(text, "base64").toString("latin1");
}

function validateRequest(errors: FieldErrors, request: string): void {
  const refuse = (detail: string) => errors.invalid("spec.request", goBytes(request), detail);
  const [block] = decodePem("CERTIFICATE REQUEST", decodeBase64(request));
  if (!block) return refuse("PEM block type must be CERTIFICATE REQUEST");
  try {
    parseCertificateRequest(block);
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

/** `example.com/signer-name`. */
function validateSignerName(errors: FieldErrors, name: string): void {
  const field = "spec.signerName";
  if (name === "") return errors.required(field, "signerName must be provided");
  const [domain = "", path, ...rest] = name.split("/");
  if (path === undefined || rest.length > 0) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return errors.invalid(field, name, detail);
  }
  if (domain.length > DOMAIN_MAX) errors.tooLong(field, DOMAIN_MAX);
  for (const label of domain.split(".")) {
    for (const text of dns1123LabelErrors(label)) {
      errors.invalid(field, domain, `validating label "${label}": ${text}`);
    }
  }
  if (domain.split(".").length < 2) {
    const detail = "should be a domain with at least two segments separated by dots";
    errors.invalid(field, domain, detail);
  }
  for (const text of dns1123SubdomainErrors(path)) {
    errors.invalid(field, path, `validating label "${path}": ${text}`);
  }
  if (name.length > SIGNER_MAX) errors.tooLong(field, SIGNER_MAX);
}

type Conditions = readonly CertificateSigningRequestCondition[];

function validateConditions(errors: FieldErrors, conditions: Conditions): void {
  const seen = new Set<string>();
  for (const [index, { type, status }] of conditions.entries()) {
    const path = `status.conditions[${index}]`;
    errors.present(`${path}.type`, type);
    errors.required1Of(`${path}.status`, status, ["False", "True", "Unknown"]);
    if (type !== "Failed" && status !== "True" && (type === "Approved" || type === "Denied")) {
      errors.notSupported(`${path}.status`, status, ["True"]);
    }
    const other = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (other && seen.has(other)) {
      const detail = "Approved and Denied conditions are mutually exclusive";
      errors.invalid(`${path}.type`, type, detail);
    }
    if (seen.has(type)) errors.duplicate(`${path}.type`, type);
    seen.add(type);
  }
}

/** A verdict stands; only its endpoint adds one. */
function validateVerdicts(
  errors: FieldErrors,
  request: CertificateSigningRequest,
  { old, may }: { old: CertificateSigningRequest; may: readonly string[] },
): void {
  const of = ({ status }: CertificateSigningRequest, type: string) =>
    (status?.conditions ?? []).filter((condition) => condition.type === type);
  for (const type of ["Approved", "Denied", "Failed"]) {
    const [now, before] = [of(request, type), of(old, type)];
    const refuse = (verb: string) => {
      const detail = `updates may not ${verb} a condition of type "${type}"`;
      errors.forbidden("status.conditions", detail);
    };
    if (before.length > now.length) refuse("remove");
    else if (before.length < now.length) {
      const adds = may.includes(type) || (type === "Failed" && may.length === 0);
      if (!adds) refuse("add");
    } else if (before.length > 0 && !deepEqual(now, before)) refuse("modify");
  }
}
