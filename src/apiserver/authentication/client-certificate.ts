import { createHash } from "node:crypto";
import { StatusError } from "../../api/errors.ts";
import { type CertificateFacts, certificateFactsOf } from "../../format/x509/certificate-facts.ts";
import type { Clock } from "../../lib/clock.ts";
import { Histogram, type MetricFamily } from "../../lib/prometheus.ts";
import type { Authenticator, UserInfo } from "../contract.ts";

interface Identity {
  user: UserInfo;
  facts: CertificateFacts;
  /** When its term was last counted. */
  countedMs: number;
}

/** Upper ends of upstream's buckets, in seconds: from half an hour to a year. */
const EXPIRATION_SECONDS = [
  0, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000,
  15_552_000, 31_104_000,
];
/** Often enough for rates over minutes, and next to nothing for each request. */
const COUNT_EVERY_MS = 60_000;

/** How long the certificates of clients will still be good, as kube-apiserver counts them. */
export class CertificateTerms {
  readonly #seconds = new Histogram(EXPIRATION_SECONDS);

  observe(remainingMs: number): void {
    this.#seconds.observe(remainingMs / 1000);
  }

  families(): MetricFamily[] {
    return [
      {
        name: "apiserver_client_certificate_expiration_seconds",
        type: "histogram",
        help: "Seconds that certificates of clients were still good for, once a minute of use.",
        samples: this.#seconds.samples(),
      },
    ];
  }
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
  return { user, facts, countedMs: Number.NEGATIVE_INFINITY };
}

/**
 * The common name is the user, organizations are its groups. The TLS layer verified the chain;
 * the term is checked on each request, since connections outlive certificates. Give the same
 * array for all requests of a connection, and it is parsed only once.
 */
export function clientCertificateAuthenticator({
  clock,
  terms,
}: {
  clock: Clock;
  terms?: CertificateTerms | undefined;
}): Authenticator {
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
      if (terms && now - identity.countedMs >= COUNT_EVERY_MS) {
        identity.countedMs = now;
        terms.observe(notAfterMs - now);
      }
      return identity.user;
    },
  };
}
