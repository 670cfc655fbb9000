import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { encodeCertificate } from "../../format/x509/certificate-codec.ts";
import { encodePem } from "../../format/x509/pem-codec.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";

const DAY_MS = 86_400_000;
const LIFETIME_MS = 3_650 * DAY_MS;

/** A certificate that nobody trusts, for names that have none. */
export function selfSigned(
  commonName: string,
  { clock, random }: { clock: Clock; random: Random },
): { certPem: string; keyPem: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const keyId = createHash("sha1").update(publicKey).digest();
  const name = { commonName, organizations: ["Nephos"] };
  const serial = random.bytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never zero
  const certificate = encodeCertificate(
    {
      serial,
      subject: name,
      issuer: name,
      notBeforeMs: clock.now() - DAY_MS,
      notAfterMs: clock.now() + LIFETIME_MS,
      publicKey,
      subjectKeyId: keyId,
      authorityKeyId: keyId,
      isAuthority: false,
      usages: ["server"],
      dnsNames: [commonName],
    },
    (tbs) => sign("sha256", tbs, privateKey),
  );
  return {
    certPem: encodePem("CERTIFICATE", certificate),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}
