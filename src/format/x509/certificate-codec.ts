import { isIPv4 } from "node:net";
import {
  concatBytes,
  derBitString,
  derBoolean,
  derContext,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  derTime,
  derValue,
} from "./der-writer.ts";
import { type DistinguishedName, encodeName } from "./distinguished-name.ts";
import { type KeyPurposes, keyUsageBits, purposeIdentifiers } from "./key-usages.ts";

/** What a certificate states; RFC 5280 section 4. */
export interface CertificateFields {
  /** Big-endian, positive, at most 20 octets. */
  serial: Uint8Array;
  /** An encoded name is taken as it is. */
  subject: DistinguishedName | Uint8Array;
  issuer: DistinguishedName;
  notBeforeMs: number;
  notAfterMs: number;
  /** SubjectPublicKeyInfo in DER. */
  publicKey: Uint8Array;
  subjectKeyId: Uint8Array;
  authorityKeyId: Uint8Array;
  /** A CA signs certificates; a leaf signs handshakes. */
  isAuthority: boolean;
  usages?: readonly ("server" | "client")[];
  /** Instead of `usages`, and of the key usage of a leaf: words of `certificates.k8s.io`. */
  purposes?: KeyPurposes;
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  /** Encoded `GeneralNames` instead of both. */
  alternativeNames?: Uint8Array;
}

const ECDSA_WITH_SHA256 = derSequence(derObjectIdentifier("1.2.840.10045.4.3.2"));
const USAGE_OIDS = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [derBoolean(true)] : [];
  return derSequence(derObjectIdentifier(oid), ...flag, derOctetString(value));
}

/** Network-order bytes of a textual address. */
export function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = address.split("::");
  const words = (part: string) =>
    part.split(":").flatMap((word) => {
      if (!word.includes(".")) return word ? [Number.parseInt(word, 16)] : [];
      const [a = 0, b = 0, c = 0, d = 0] = word.split(".").map(Number);
      return [a * 256 + b, c * 256 + d];
    });
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0);
  return Uint8Array.from([...front, ...zeros, ...back].flatMap((word) => [word >> 8, word & 255]));
}

function alternativeNames(fields: CertificateFields): Uint8Array[] {
  if (fields.alternativeNames) return [extension("2.5.29.17", false, fields.alternativeNames)];
  const names = (fields.dnsNames ?? []).map((name) =>
    derContext(2, new TextEncoder().encode(name), false),
  );
  const addresses = (fields.ipAddresses ?? []).map((address) =>
    derContext(7, addressBytes(address), false),
  );
  if (names.length + addresses.length === 0) return [];
  return [extension("2.5.29.17", false, derSequence(...names, ...addresses))];
}

/** Numbers of the set bits; keyCertSign, cRLSign and digitalSignature for a CA. */
function keyUsageOf({ isAuthority, purposes }: CertificateFields): readonly number[] {
  if (isAuthority) return [0, 5, 6];
  return purposes ? keyUsageBits(purposes) : [0];
}

function namedBits(bits: readonly number[]): Uint8Array {
  const last = bits.at(-1) ?? 0;
  const octets = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return derBitString(octets, 7 - (last & 7));
}

function extensions(fields: CertificateFields): Uint8Array {
  const { isAuthority, usages = [], purposes } = fields;
  const bits = keyUsageOf(fields);
  const identifiers = purposes
    ? purposeIdentifiers(purposes)
    : usages.map((usage) => USAGE_OIDS[usage]);
  const extended = derSequence(...identifiers.map(derObjectIdentifier));
  return derSequence(
    extension("2.5.29.19", true, isAuthority ? derSequence(derBoolean(true)) : derSequence()),
    ...(bits.length > 0 ? [extension("2.5.29.15", true, namedBits(bits))] : []),
    ...(identifiers.length > 0 ? [extension("2.5.29.37", false, extended)] : []),
    extension("2.5.29.14", false, derOctetString(fields.subjectKeyId)),
    extension("2.5.29.35", false, derSequence(derContext(0, fields.authorityKeyId, false))),
    ...alternativeNames(fields),
  );
}

/**
 * Encodes and signs a version 3 certificate. `sign` makes an ECDSA signature with SHA-256 over its
 * argument, in DER, with the issuer's key.
 */
export function encodeCertificate(
  fields: CertificateFields,
  sign: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const tbs = derSequence(
    derContext(0, derInteger(Uint8Array.of(2))),
    derInteger(fields.serial),
    ECDSA_WITH_SHA256,
    encodeName(fields.issuer),
    derSequence(derTime(fields.notBeforeMs), derTime(fields.notAfterMs)),
    fields.subject instanceof Uint8Array ? fields.subject : encodeName(fields.subject),
    fields.publicKey,
    derContext(3, extensions(fields)),
  );
  const signature = derBitString(sign(tbs));
  return derValue(0x30, concatBytes([tbs, ECDSA_WITH_SHA256, signature]));
}
