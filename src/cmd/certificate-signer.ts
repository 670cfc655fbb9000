import { createPublicKey, verify } from "node:crypto";
import type { CertificateAuthority } from "../apiserver/pki/certificate-authority.ts";
import type { SignCertificate } from "../controllers/certificate-signing/certificate-signing-controller.ts";

/** Signs with the cluster's authority, for whoever proves to hold the key of the request. */
export function certificateSigner(authority: CertificateAuthority): SignCertificate {
  return (request, { purposes, lifetimeMs }) => {
    const { bytes, digest, signature } = request.signed;
    const key = createPublicKey({
      key: Buffer.from(request.publicKey),
      format: "der",
      type: "spki",
    });
    if (!verify(digest, bytes, key, signature)) {
      throw new Error("unable to verify certificate request signature");
    }
    return authority.issue({
      subject: request.subjectDer,
      purposes,
      lifetimeMs,
      publicKey: request.publicKey,
      ...(request.alternativeNamesDer ? { alternativeNames: request.alternativeNamesDer } : {}),
    });
  };
}
