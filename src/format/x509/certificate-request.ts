import { derChildren, DerError, readDer } from "./der-reader.ts";
import { decodeName, type DistinguishedName } from "./distinguished-name.ts";

/** The subject that a PKCS #10 request (RFC 2986) asks for. @throws DerError */
export function certificateRequestSubject(request: Uint8Array): DistinguishedName {
  const [info] = derChildren(readDer(request));
  if (info?.tag !== 0x30) throw new DerError("Request has no information");
  const [version, subject] = derChildren(info);
  if (version?.tag !== 0x02 || subject?.tag !== 0x30) throw new DerError("Request has no subject");
  return decodeName(subject);
}
