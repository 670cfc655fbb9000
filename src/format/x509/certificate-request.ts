import { derChildren, DerError, type DerNode, objectIdentifierOf, readDer } from "./der-reader.ts";
import { decodeName, type DistinguishedName } from "./distinguished-name.ts";

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const ALTERNATIVE_NAMES = "2.5.29.17";

/** How a request is signed, in the terms of `crypto.verify`; `undefined` digest for Ed25519. */
const SIGNATURES: Readonly<Record<string, string | undefined>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.3.101.112": undefined,
};

/** How many names of each kind a request wants beside its subject. */
export interface AlternativeNameCounts {
  dns: number;
  ip: number;
  email: number;
  uri: number;
}

/** What a PKCS #10 request (RFC 2986) asks for. */
export interface CertificateRequest {
  subject: DistinguishedName;
  /** The subject as it was encoded, attributes that Kubernetes ignores included. */
  subjectDer: Uint8Array;
  /** SubjectPublicKeyInfo in DER. */
  publicKey: Uint8Array;
  /** `GeneralNames` as encoded; absent when there are none. */
  alternativeNamesDer?: Uint8Array;
  names: AlternativeNameCounts;
  /** What was signed, how and with which result; nothing is proven before it is checked. */
  signed: { bytes: Uint8Array; digest: string | undefined; signature: Uint8Array };
}

/** The subject that a request asks for. @throws DerError */
export function certificateRequestSubject(request: Uint8Array): DistinguishedName {
  return decodeName(partsOf(request).subject);
}

/** Reads a request; its signature stays to be checked. @throws DerError */
export function parseCertificateRequest(request: Uint8Array): CertificateRequest {
  const { info, subject, publicKey, attributes, algorithm, signature } = partsOf(request);
  const identifier = algorithm && derChildren(algorithm)[0];
  const name = identifier ? objectIdentifierOf(identifier.content) : "";
  if (!(name in SIGNATURES)) throw new DerError(`Signature algorithm "${name}" is not supported`);
  if (publicKey?.tag !== 0x30 || signature?.tag !== 0x03) {
    throw new DerError("Request has no key or no signature");
  }
  const alternative = attributes && alternativeNamesOf(attributes);
  return {
    subject: decodeName(subject),
    subjectDer: subject.raw,
    publicKey: publicKey.raw,
    ...(alternative ? { alternativeNamesDer: alternative.raw } : {}),
    names: countNames(alternative),
    signed: {
      bytes: info.raw,
      digest: SIGNATURES[name],
      // The first octet of a bit string counts unused bits.
      signature: signature.content.subarray(1),
    },
  };
}

function partsOf(request: Uint8Array) {
  const [info, algorithm, signature] = derChildren(readDer(request));
  if (info?.tag !== 0x30) throw new DerError("Request has no information");
  const [version, subject, publicKey, attributes] = derChildren(info);
  if (version?.tag !== 0x02 || subject?.tag !== 0x30) throw new DerError("Request has no subject");
  return { info, subject, publicKey, attributes, algorithm, signature };
}

/** `GeneralNames` among the extensions that the attributes ask for. */
function alternativeNamesOf(attributes: DerNode): DerNode | undefined {
  for (const attribute of derChildren(attributes)) {
    const [type, values] = derChildren(attribute);
    if (!type || !values || objectIdentifierOf(type.content) !== EXTENSION_REQUEST) continue;
    for (const extension of derChildren(values).flatMap(derChildren)) {
      const parts = derChildren(extension);
      const value = parts.at(-1);
      if (!parts[0] || value?.tag !== 0x04) continue;
      if (objectIdentifierOf(parts[0].content) === ALTERNATIVE_NAMES) return readDer(value.content);
    }
  }
  return undefined;
}

function countNames(names: DerNode | undefined): AlternativeNameCounts {
  const tags = names ? derChildren(names).map(({ tag }) => tag & 0x1f) : [];
  const count = (tag: number) => tags.filter((each) => each === tag).length;
  return { email: count(1), dns: count(2), uri: count(6), ip: count(7) };
}
