import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { X509Certificate } from "node:crypto";
import { type CertificateFields, encodeCertificate } from "../../format/x509/certificate-codec.ts";
import { certificateFactsOf } from "../../format/x509/certificate-facts.ts";
import type { DistinguishedName } from "../../format/x509/distinguished-name.ts";
import { encodePem } from "../../format/x509/pem-codec.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
/** Certificates begin a little in the past, so that a peer whose clock lags accepts them. */
const BACKDATE_MS = 300_000;

/** A certificate and its private key as PEM text. */
export interface KeyPairPem {
  certPem: string;
  keyPem: string;
}

/** What a leaf certificate shall state. */
export interface LeafRequest {
  /** An encoded name is taken as it is. */
  subject: DistinguishedName | Uint8Array;
  usages?: readonly ("server" | "client")[];
  /** Instead of `usages`: words of `certificates.k8s.io`. */
  purposes?: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  /** Encoded `GeneralNames` instead of both. */
  alternativeNames?: Uint8Array;
  lifetimeMs: number;
  /** SubjectPublicKeyInfo in DER of a key that somebody else holds. */
  publicKey: Uint8Array;
}

/** Signs certificates for one trust domain. */
export interface CertificateAuthority {
  readonly pem: KeyPairPem;
  readonly certificate: X509Certificate;
  /** A certificate in PEM for a public key. */
  issue(request: LeafRequest): string;
}

interface Sources {
  clock: Clock;
  random: Random;
}

/** A new P-256 key in PKCS #8 PEM. */
export function generateKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

/** SubjectPublicKeyInfo in DER of a private key. */
export function publicKeyOf(keyPem: string): Uint8Array {
  return createPublicKey(keyPem).export({ type: "spki", format: "der" });
}

function keyIdOf(publicKey: Uint8Array): Uint8Array {
  return createHash("sha1").update(publicKey).digest();
}

function serialFrom(random: Random): Uint8Array {
  const serial = random.bytes(16);
  // A clear top bit keeps it positive, a set one below keeps it from being zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function encodeSigned(fields: CertificateFields, key: KeyObject): string {
  return encodePem(
    "CERTIFICATE",
    encodeCertificate(fields, (tbs) => sign("sha256", tbs, key)),
  );
}

/** A self-signed root with the given key. */
export function createAuthority(
  commonName: string,
  options: Sources & { keyPem: string },
): CertificateAuthority {
  const { clock, random, keyPem } = options;
  const publicKey = publicKeyOf(keyPem);
  const name = { commonName, organizations: [] };
  const fields: CertificateFields = {
    serial: serialFrom(random),
    subject: name,
    issuer: name,
    notBeforeMs: clock.now() - BACKDATE_MS,
    notAfterMs: clock.now() + AUTHORITY_LIFETIME_MS,
    publicKey,
    subjectKeyId: keyIdOf(publicKey),
    authorityKeyId: keyIdOf(publicKey),
    isAuthority: true,
  };
  const certPem = encodeSigned(fields, createPrivateKey(keyPem));
  return openAuthority({ certPem, keyPem }, options);
}

/** An authority whose root exists already. */
export function openAuthority(pem: KeyPairPem, { clock, random }: Sources): CertificateAuthority {
  const key = createPrivateKey(pem.keyPem);
  const certificate = new X509Certificate(pem.certPem);
  const issuer = certificateFactsOf(certificate.raw).subject;
  const authorityKeyId = keyIdOf(publicKeyOf(pem.keyPem));
  return {
    pem,
    certificate,
    issue: ({ lifetimeMs, publicKey, ...stated }) =>
      encodeSigned(
        {
          ...stated,
          serial: serialFrom(random),
          issuer,
          notBeforeMs: clock.now() - BACKDATE_MS,
          notAfterMs: Math.min(clock.now() + lifetimeMs, Date.parse(certificate.validTo)),
          publicKey,
          subjectKeyId: keyIdOf(publicKey),
          authorityKeyId,
          isAuthority: false,
        },
        key,
      ),
  };
}
