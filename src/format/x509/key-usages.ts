/** Bits of the key usage extension (RFC 5280 section 4.2.1.3) by their Kubernetes names. */
const KEY_USAGE_BITS: Readonly<Record<string, number>> = {
  signing: 0,
  "digital signature": 0,
  "content commitment": 1,
  "key encipherment": 2,
  "data encipherment": 3,
  "key agreement": 4,
  "cert sign": 5,
  "crl sign": 6,
  "encipher only": 7,
  "decipher only": 8,
};

/** Purposes of the extended key usage extension by their Kubernetes names. */
const PURPOSES: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

/** What a key may be used for, in the words of `certificates.k8s.io`. */
export type KeyPurposes = readonly string[];

/** Set bits of the key usage extension, lowest first. */
export function keyUsageBits(purposes: KeyPurposes): number[] {
  const bits = purposes.flatMap((purpose) => KEY_USAGE_BITS[purpose] ?? []);
  return [...new Set(bits)].sort((a, b) => a - b);
}

/** Object identifiers of the extended key usage extension. */
export function purposeIdentifiers(purposes: KeyPurposes): string[] {
  return [...new Set(purposes.flatMap((purpose) => PURPOSES[purpose] ?? []))].sort();
}
