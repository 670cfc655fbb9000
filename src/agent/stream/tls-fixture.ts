import { generateKeyPairSync, sign } from "node:crypto";
import { encodeCertificate } from "../../format/x509/certificate-codec.ts";
import { encodePem } from "../../format/x509/pem-codec.ts";

/** A certificate and its key. */
interface Pair {
  certPem: string;
  keyPem: string;
}

/** An authority of its own for tests. */
export interface TlsFixture {
  caPem: string;
  issue(
    commonName: string,
    more?: { organizations?: readonly string[]; usage?: "server" | "client" },
  ): Pair;
}

const DAY_MS = 86_400_000;

/** Creates the authority; `now` is the machine's time, since TLS looks at it too. */
export function createTlsFixture(now: number): TlsFixture {
  const root = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = { commonName: "test", organizations: [] };
  const keyId = Uint8Array.of(1, 2, 3, 4);
  const certify = (
    publicKey: Uint8Array,
    of: Partial<Parameters<typeof encodeCertificate>[0]>,
  ): string =>
    encodePem(
      "CERTIFICATE",
      encodeCertificate(
        {
          serial: Uint8Array.of(1),
          subject: issuer,
          issuer,
          notBeforeMs: now - DAY_MS,
          notAfterMs: now + DAY_MS,
          publicKey,
          subjectKeyId: keyId,
          authorityKeyId: keyId,
          isAuthority: false,
          ...of,
        },
        (tbs) => sign("sha256", tbs, root.privateKey),
      ),
    );
  const spki = (key: typeof root.publicKey) => key.export({ type: "spki", format: "der" });
  return {
    caPem: certify(spki(root.publicKey), { isAuthority: true }),
    issue: (commonName, { organizations = [], usage = "client" } = {}) => {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const certPem = certify(spki(pair.publicKey), {
        serial: Uint8Array.of(2),
        subject: { commonName, organizations },
        usages: [usage],
        subjectKeyId: Uint8Array.of(9),
        ipAddresses: ["127.0.0.1"],
      });
      const keyPem = pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
      return { certPem, keyPem };
    },
  };
}
