import { encodeCertificate } from "../../../src/format/x509/certificate-codec.ts";
import { certificateFactsOf } from "../../../src/format/x509/certificate-facts.ts";
import {
  certificateRequestSubject,
  parseCertificateRequest,
} from "../../../src/format/x509/certificate-request.ts";
import { DerError } from "../../../src/format/x509/der-reader.ts";
import {
  derBitString,
  derContext,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  derSet,
  derValue,
} from "../../../src/format/x509/der-writer.ts";
import { encodeName } from "../../../src/format/x509/distinguished-name.ts";
import { decodePem, encodePem } from "../../../src/format/x509/pem-codec.ts";
import { type AnyTarget, bytesTarget, textTarget } from "../fuzz-target.ts";

const ECDSA = derSequence(derObjectIdentifier("1.2.840.10045.4.3.2"));
const KEY = derSequence(
  derSequence(derObjectIdentifier("1.2.840.10045.2.1"), derObjectIdentifier("1.2.840.10045.3.1.7")),
  derBitString(new Uint8Array(65).fill(4)),
);
const SUBJECT = { commonName: "system:node:a", organizations: ["system:nodes"] };

/** Nothing here is checked against its signature, so any bytes do for one. */
function certificate(): Uint8Array {
  return encodeCertificate(
    {
      serial: Uint8Array.of(1, 2, 3),
      subject: SUBJECT,
      issuer: { commonName: "ca", organizations: [] },
      notBeforeMs: 0,
      notAfterMs: 86_400_000,
      publicKey: KEY,
      subjectKeyId: new Uint8Array(20),
      authorityKeyId: new Uint8Array(20),
      isAuthority: false,
      usages: ["client"],
      dnsNames: ["a.example.com"],
      ipAddresses: ["192.0.2.1", "2001:db8::1"],
    },
    () => new Uint8Array(70),
  );
}

function request(): Uint8Array {
  const names = derSequence(derValue(0x82, Buffer.from("a.example.com")));
  const extension = derSequence(derObjectIdentifier("2.5.29.17"), derOctetString(names));
  const attribute = derSequence(
    derObjectIdentifier("1.2.840.113549.1.9.14"),
    derSet(derSequence(extension)),
  );
  const information = derSequence(
    derInteger(Uint8Array.of(0)),
    encodeName(SUBJECT),
    KEY,
    derContext(0, attribute),
  );
  return derSequence(information, ECDSA, derBitString(new Uint8Array(70)));
}

/** Certificates and requests for them, as clients send them. */
export function certificateTargets(): readonly AnyTarget[] {
  return [
    bytesTarget({
      name: "certificates",
      seeds: [certificate()],
      refusals: [DerError],
      run: (bytes) => void certificateFactsOf(bytes),
    }),
    bytesTarget({
      name: "certificate requests",
      seeds: [request()],
      refusals: [DerError],
      run: (bytes) => {
        certificateRequestSubject(bytes);
        parseCertificateRequest(bytes);
      },
    }),
    textTarget({
      name: "PEM",
      seeds: [`text\n${encodePem("CERTIFICATE", certificate())}`.repeat(2)],
      refusals: [],
      run: (text) => void decodePem("CERTIFICATE", text),
    }),
  ];
}
