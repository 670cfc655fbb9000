import { isNotFound } from "../../api/errors.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../api/generated/resources.ts";
import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import type { Resource } from "../../api/resource.ts";
import type { CertificateRequest } from "../../format/x509/certificate-request.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf } from "../ownership.ts";
import { hasCondition, withCondition } from "./request-conditions.ts";
import { BUILT_IN_SIGNERS, refusalOf, requestOf } from "./signer-rules.ts";

const LIFETIME_MAX_MS = 365 * 86_400_000;

/** Makes a certificate, in PEM, for what a checked request asks. @throws Error when it is forged */
export type SignCertificate = (
  request: CertificateRequest,
  terms: { purposes: readonly string[]; lifetimeMs: number },
) => string;

/** Not served: RBAC alone knows signers, as what one may approve or sign for. */
export const SIGNERS: Resource = {
  group: "certificates.k8s.io",
  version: "v1",
  plural: "signers",
  singular: "signer",
  kind: "Signer",
  namespaced: false,
};

/** Signs approved requests to the signers that the cluster's own authority stands behind. */
export function certificateSigningController(sign: SignCertificate): ControllerDefinition {
  return defineController({
    name: "certificate-signing",
    inputs: {
      requests: input(CERTIFICATE_SIGNING_REQUESTS, (request) =>
        isSignable(request) ? [refOf(request)] : [],
      ),
    },
    outputs: [
      { resource: CERTIFICATE_SIGNING_REQUESTS, verbs: ["update"], subresources: ["status"] },
      { resource: SIGNERS, verbs: ["sign"], names: BUILT_IN_SIGNERS },
    ],
    async reconcile({ inputs, client, clock }, { name }) {
      const request = inputs.requests.get(undefined, name);
      if (!request || !isSignable(request)) return;
      const outcome = signOrRefuse(request, sign);
      const status =
        "certificate" in outcome
          ? { ...request.status, certificate: outcome.certificate }
          : { ...request.status, conditions: failed(request, outcome.refusal, clock.now()) };
      await client
        .for(CERTIFICATE_SIGNING_REQUESTS)
        .updateStatus({ ...request, status })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  });
}

function isSignable(request: CertificateSigningRequest): boolean {
  return (
    BUILT_IN_SIGNERS.includes(request.spec.signerName) &&
    !request.status?.certificate &&
    hasCondition(request, "Approved") &&
    !hasCondition(request, "Denied") &&
    !hasCondition(request, "Failed")
  );
}

function signOrRefuse(
  { spec, ...rest }: CertificateSigningRequest,
  sign: SignCertificate,
): { certificate: string } | { refusal: string } {
  const { signerName, usages = [], expirationSeconds } = spec;
  try {
    const request = requestOf({ spec, ...rest });
    const refusal = refusalOf(signerName, request, usages);
    if (refusal) return { refusal };
    const asked = (expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    const lifetimeMs = Math.min(asked, LIFETIME_MAX_MS);
    const pem = sign(request, { purposes: usages, lifetimeMs });
    return { certificate: Buffer.from(pem).toString("base64") };
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error) };
  }
}

function failed(request: CertificateSigningRequest, message: string, nowMs: number) {
  const reason = "SignerValidationFailure";
  return withCondition(request, { type: "Failed", reason, message }, nowMs);
}
