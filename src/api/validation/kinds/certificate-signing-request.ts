import { createPublicKey, verify } from "node:crypto";
import { deepEqual } from "../../../lib/deep-equal.ts";
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
} from "../../../lib/names.ts";
import { certificateFactsOf } from "../../../format/x509/certificate-facts.ts";
import { parseCertificateRequest } from "../../../format/x509/certificate-request.ts";
import { decodePem, pemBlocks } from "../../../format/x509/pem-codec.ts";
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
/** What is said of a signature that the key did not make, by the type of the key. */
const BAD_SIGNATURES: Readonly<Record<string, string>> = {
  ec: "x509: ECDSA verification failure",
  ed25519: "x509: Ed25519 verification failure",
  rsa: "crypto/rsa: verification error",
};
const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const VERDICTS: readonly string[] = ["Approved", "Denied"];
/** These are there or not. */
const CERTAIN: readonly string[] = [...VERDICTS, "Failed"];
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
    validateRequest(errors, spec?.request ?? "");
    const usages = spec?.usages ?? [];
    if (usages.length === 0) errors.required("spec.usages");
    for (const [index, usage] of usages.entries()) {
      errors.oneOf(`spec.usages[${index}]`, usage, USAGES);
    }
    for (const [index, usage] of usages.entries()) {
      if (usages.indexOf(usage) < index) errors.duplicate(`spec.usages[${index}]`, usage);
    }
    validateSignerName(errors, spec?.signerName ?? "");
    const seconds = spec?.expirationSeconds;
    if (seconds !== undefined && seconds < EXPIRATION_MIN_S) {
      const detail = `may not specify a duration less than ${EXPIRATION_MIN_S} seconds (10 minutes)`;
      errors.invalid("spec.expirationSeconds", seconds, detail);
    }
    validateConditions(errors, status?.conditions ?? []);
  },
  subresources: {
    approval(errors, request, old) {
      validateConditions(errors, request.status?.conditions ?? []);
      validateKept(errors, request, old);
      if (request.status?.certificate !== old.status?.certificate) {
        errors.forbidden("status.certificate", "updates may not set certificate content");
      }
    },
    status(errors, request, old) {
      validateConditions(errors, request.status?.conditions ?? []);
      const before = old.status?.certificate ?? "";
      const now = request.status?.certificate ?? "";
      const complaint = now === before ? undefined : certificateComplaint(now);
      if (complaint) errors.invalid("status.certificate", "<certificate data>", complaint);
      validateKept(errors, request, old);
      validateVerdicts(errors, request, old);
      if (before && now !== before) {
        const detail = "updates may not modify existing certificate content";
        errors.forbidden("status.certificate", detail);
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
    const { signed, publicKey } = parseCertificateRequest(block);
    const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    if (verify(signed.digest, signed.bytes, key, signed.signature)) return;
    refuse(BAD_SIGNATURES[key.asymmetricKeyType ?? ""] ?? "x509: signature does not fit its key");
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

/** What is wrong with the certificates that a signer hands in; nothing when there are none. */
function certificateComplaint(base64: string): string | undefined {
  if (base64 === "") return undefined;
  const blocks = pemBlocks(decodeBase64(base64));
  for (const { label, headers, bytes } of blocks) {
    if (label !== "CERTIFICATE") {
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(label)}`;
    }
    if (headers) return "no PEM block headers are permitted";
    if (bytes.length === 0) return "found CERTIFICATE PEM block containing 0 certificates";
    try {
      certificateFactsOf(bytes);
    } catch {
      return "x509: malformed certificate";
    }
  }
  return blocks.length === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
}

/** `example.com/signer-name`. */
function validateSignerName(errors: FieldErrors, name: string): void {
  const field = "spec.signerName";
  if (name === "") return errors.required(field);
  if (name === LEGACY_SIGNER) {
    const detail = "the legacy signerName is not allowed via this API version";
    return errors.invalid(field, name, detail);
  }
  const [domain = "", path, ...rest] = name.split("/");
  if (path === undefined || rest.length > 0) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return errors.invalid(field, name, detail);
  }
  if (domain.length > DOMAIN_MAX) errors.tooLong(field, DOMAIN_MAX);
  const wrong = domain.split(".").find((label) => dns1123LabelErrors(label).length > 0);
  for (const text of wrong === undefined ? [] : dns1123LabelErrors(wrong)) {
    errors.invalid(field, domain, `validating label "${wrong}": ${text}`);
  }
  if (domain.split(".").length < 2) {
    const detail = "should be a domain with at least two segments separated by dots";
    errors.invalid(field, domain, detail);
  }
  const bad = path.split(".").find((label) => dns1123SubdomainErrors(label).length > 0);
  for (const text of bad === undefined ? [] : dns1123SubdomainErrors(bad)) {
    errors.invalid(field, path, `validating label "${bad}": ${text}`);
  }
  if (name.length > SIGNER_MAX) errors.tooLong(field, SIGNER_MAX);
}

type Conditions = readonly CertificateSigningRequestCondition[];

function validateConditions(errors: FieldErrors, conditions: Conditions): void {
  const seen = new Set<string>();
  for (const [index, { type, status }] of conditions.entries()) {
    const path = `status.conditions[${index}]`;
    errors.present(`${path}.type`, type);
    const statuses = CERTAIN.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    errors.required1Of(`${path}.status`, status, statuses);
    if (VERDICTS.includes(type) && VERDICTS.some((other) => other !== type && seen.has(other))) {
      const detail = "Approved and Denied conditions are mutually exclusive";
      errors.invalid(`${path}.type`, type, detail);
    }
    if (seen.has(type)) errors.duplicate(`${path}.type`, type);
    seen.add(type);
  }
}

function conditionsOf(request: CertificateSigningRequest, type: string): Conditions {
  return (request.status?.conditions ?? []).filter((condition) => condition.type === type);
}

/** What was found stands. */
function validateKept(
  errors: FieldErrors,
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): void {
  for (const type of CERTAIN) {
    if (conditionsOf(request, type).length >= conditionsOf(old, type).length) continue;
    const detail = `updates may not remove a condition of type "${type}"`;
    errors.forbidden("status.conditions", detail);
  }
}

/** A verdict comes through its own endpoint. */
function validateVerdicts(
  errors: FieldErrors,
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): void {
  for (const type of VERDICTS) {
    const [now, before] = [conditionsOf(request, type), conditionsOf(old, type)];
    const refuse = (verb: string) => {
      const detail = `updates may not ${verb} a condition of type "${type}"`;
      errors.forbidden("status.conditions", detail);
    };
    if (now.length > before.length) refuse("add");
    else if (now.length === before.length && !deepEqual(now, before)) refuse("modify");
  }
}
