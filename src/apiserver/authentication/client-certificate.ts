import { createHash } from "node:crypto";
import { StatusError } from "../../api/errors.ts";
import { type CertificateFacts, certificateFactsOf } from "../../format/x509/certificate-facts.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Authenticator, UserInfo } from "../contract.ts";

interface Identity {
  user: UserInfo;
  facts: CertificateFacts;
}

function identityOf(certificate: Uint8Array): Identity {
  const facts = certificateFactsOf(certificate);
  const { commonName, organizations } = facts.subject;
  if (!commonName) throw new StatusError("Unauthorized", "Unauthorized");
  const digest = createHash("sha256").update(certificate).digest("hex");
  const user = {
    name: commonName,
    groups: organizations,
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${digest}`] },
  };
  return { user, facts };
}

/**
 * The common name is the user, organizations are its groups. The TLS layer verified the chain;
 * the term is checked on each request, since connections outlive certificates. Give the same
 * array for all requests of a connection, and it is parsed only once.
 */
export function clientCertificateAuthenticator({ clock }: { clock: Clock }): Authenticator {
  const known = new WeakMap<Uint8Array, Identity>();
  return {
    authenticate: ({ clientCertificate }) => {
      if (!clientCertificate) return undefined;
      let identity = known.get(clientCertificate);
      if (!identity) {
        try {
          identity = identityOf(clientCertificate);
        } catch (error) {
          throw new StatusError("Unauthorized", "Unauthorized", { cause: error });
        }
        known.set(clientCertificate, identity);
      }
      const { notBeforeMs, notAfterMs } = identity.facts;
      const now = clock.now();
      if (now < notBeforeMs || now > notAfterMs) {
        throw new StatusError("Unauthorized", "Unauthorized");
      }
      return identity.user;
    },
  };
}
