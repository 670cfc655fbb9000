import { forbidden } from "../../api/errors.ts";
import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import { certificateRequestSubject } from "../../format/x509/certificate-request.ts";
import { decodePem } from "../../format/x509/pem-codec.ts";
import { PRIVILEGED_GROUP } from "../authorization/privileged-group.ts";
import type { AdmissionPlugin, AdmissionRequest, Authorizer } from "../contract.ts";

const GROUP = "certificates.k8s.io";
const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";

function isRequest({ resource }: AdmissionRequest): boolean {
  return resource.group === GROUP && resource.plural === "certificatesigningrequests";
}

function maySign(
  authorizer: Authorizer,
  request: AdmissionRequest,
  of: { verb: string; signerName: string },
): boolean {
  const [domain = ""] = of.signerName.split("/");
  return [of.signerName, `${domain}/*`].some(
    (name) =>
      authorizer.authorize({
        user: request.user,
        verb: of.verb,
        group: GROUP,
        version: "v1",
        resource: "signers",
        name,
      }).allowed,
  );
}

/** Approving needs the right to approve for that signer. */
export function certificateApprovalPlugin(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    handles: (request) =>
      request.operation === "UPDATE" && isRequest(request) && request.subresource === "approval",
    validate: (request) => {
      const { spec } = request.oldObject as unknown as CertificateSigningRequest;
      if (maySign(authorizer, request, { verb: "approve", signerName: spec.signerName })) return;
      const why = `user not permitted to approve requests with signerName ${JSON.stringify(spec.signerName)}`;
      throw forbidden(request.resource, request.name, why);
    },
  };
}

/** Storing a certificate needs the right to sign for that signer. */
export function certificateSigningPlugin(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    handles: (request) =>
      request.operation === "UPDATE" && isRequest(request) && request.subresource === "status",
    validate: (request) => {
      const old = request.oldObject as unknown as CertificateSigningRequest;
      const next = request.object as unknown as CertificateSigningRequest;
      if (next.status?.certificate === old.status?.certificate) return;
      const { signerName } = old.spec;
      if (maySign(authorizer, request, { verb: "sign", signerName })) return;
      const why = `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`;
      throw forbidden(request.resource, request.name, why);
    },
  };
}

/** Nobody asks for a certificate of the privileged group. */
export function certificateSubjectRestrictionPlugin(): AdmissionPlugin {
  return {
    name: "CertificateSubjectRestriction",
    handles: (request) =>
      request.operation === "CREATE" && isRequest(request) && !request.subresource,
    validate: (request) => {
      const { spec } = request.object as unknown as Partial<CertificateSigningRequest>;
      if (spec?.signerName !== CLIENT_SIGNER) return;
      // Without a request the rules of the kind say so.
      if (!spec.request) return;
      const [der] = decodePem(
        "CERTIFICATE REQUEST",
        Buffer.from(spec.request, "base64").toString(),
      );
      const refuse = (why: string) => forbidden(request.resource, request.name, why);
      if (!der) throw refuse("unable to parse csr: PEM block type must be CERTIFICATE REQUEST");
      let organizations: readonly string[];
      try {
        ({ organizations } = certificateRequestSubject(der));
      } catch (error) {
        throw refuse(
          `unable to parse csr: ${error instanceof Error ? error.message : "malformed"}`,
        );
      }
      if (!organizations.includes(PRIVILEGED_GROUP)) return;
      throw refuse(`use of ${CLIENT_SIGNER} signer with ${PRIVILEGED_GROUP} group is not allowed`);
    },
  };
}
