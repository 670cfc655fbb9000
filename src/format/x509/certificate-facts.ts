import { derChildren, DerError, type DerNode, readDer } from "./der-reader.ts";
import { decodeName, type DistinguishedName } from "./distinguished-name.ts";

/** What authentication needs to know of a certificate. */
export interface CertificateFacts {
  subject: DistinguishedName;
  notBeforeMs: number;
  notAfterMs: number;
}

function decodeTime({ tag, content }: DerNode): number {
  const text = new TextDecoder("latin1").decode(content);
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match || (tag !== 0x17 && tag !== 0x18)) throw new DerError("Time is malformed");
  const [, year = "", month, day, hour, minute, second] = match;
  // RFC 5280: two digits mean 1950 to 2049.
  const century = year.length === 4 ? "" : Number(year) < 50 ? "20" : "19";
  return Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Reads subject and term of a certificate in DER. @throws DerError */
export function certificateFactsOf(certificate: Uint8Array): CertificateFacts {
  const [tbs] = derChildren(readDer(certificate));
  if (!tbs) throw new DerError("Certificate is empty");
  const fields = derChildren(tbs);
  const base = fields[0]?.tag === 0xa0 ? 4 : 3;
  const [validity, subject] = fields.slice(base, base + 2);
  if (validity?.tag !== 0x30 || subject?.tag !== 0x30) {
    throw new DerError("Certificate has no validity or no subject");
  }
  const [notBefore, notAfter] = derChildren(validity);
  if (!notBefore || !notAfter) throw new DerError("Validity has no end");
  return {
    subject: decodeName(subject),
    notBeforeMs: decodeTime(notBefore),
    notAfterMs: decodeTime(notAfter),
  };
}
