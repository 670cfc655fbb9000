import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { addressBytes, type CertificateFields, encodeCertificate } from "./certificate-codec.ts";
import { DerError, readDer } from "./der-reader.ts";
import { derInteger, derObjectIdentifier, derTime } from "./der-writer.ts";
import { certificateFactsOf } from "./certificate-facts.ts";
import { decodePem, encodePem } from "./pem-codec.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function selfSigned(more: Partial<CertificateFields>): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = { commonName: "root", organizations: [] };
  const fields: CertificateFields = {
    serial: Uint8Array.of(0x80, 1),
    subject: name,
    issuer: name,
    notBeforeMs: Date.UTC(2026, 0, 1),
    notAfterMs: Date.UTC(2055, 0, 1),
    publicKey: publicKey.export({ type: "spki", format: "der" }),
    subjectKeyId: Uint8Array.of(1, 2, 3),
    authorityKeyId: Uint8Array.of(1, 2, 3),
    isAuthority: true,
    ...more,
  };
  return encodeCertificate(fields, (tbs) => sign("sha256", tbs, privateKey));
}

test("primitives have the bytes of X.690", () => {
  assert.equal(hex(derInteger(Uint8Array.of(0x80))), "02020080");
  assert.equal(hex(derInteger(Uint8Array.of(0, 0, 5))), "020105");
  assert.equal(hex(derObjectIdentifier("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(hex(derTime(Date.UTC(2049, 11, 31))).slice(0, 4), "170d");
  assert.equal(hex(derTime(Date.UTC(2050, 0, 1))).slice(0, 4), "180f");
  assert.equal(hex(addressBytes("10.96.0.1")), "0a600001");
  assert.equal(hex(addressBytes("fd00::1:2")), "fd000000000000000000000000010002");
  assert.equal(hex(addressBytes("::ffff:1.2.3.4")), "00000000000000000000ffff01020304");
});

test("node:crypto reads what is written", () => {
  const der = selfSigned({
    usages: ["server", "client"],
    dnsNames: ["kubernetes.default"],
    ipAddresses: ["10.96.0.1", "fd00::1"],
  });
  const certificate = new X509Certificate(der);
  assert.equal(certificate.ca, true);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.validTo, "Jan  1 00:00:00 2055 GMT");
  assert.equal(certificate.checkHost("kubernetes.default"), "kubernetes.default");
  assert.equal(certificate.checkIP("fd00::1"), "fd00::1");
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  assert.equal(certificate.serialNumber, "8001");
});

test("openssl reads what is written", () => {
  const der = selfSigned({ subject: { commonName: "root", organizations: ["a", "b"] } });
  const text = execFileSync("openssl", ["x509", "-noout", "-text"], {
    input: encodePem("CERTIFICATE", der),
    encoding: "utf8",
  });
  assert.match(text, /Subject: O\s?=\s?a, O\s?=\s?b, CN\s?=\s?root/);
  assert.match(text, /Basic Constraints: critical\s+CA:TRUE/);
  assert.match(text, /Digital Signature, Certificate Sign, CRL Sign/);
});

test("any subject comes back as it was written", () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), (commonName, organizations) => {
      const subject = { commonName, organizations };
      assert.deepEqual(certificateFactsOf(selfSigned({ subject })).subject, subject);
    }),
    { numRuns: 50 },
  );
});

test("random bytes are refused, never misread", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readDer(bytes);
      } catch (error) {
        assert.ok(error instanceof DerError);
      }
    }),
  );
});

test("PEM comes back, with text around the blocks", () => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const pem = key.export({ type: "spki", format: "pem" }) as string;
  const [der] = decodePem("PUBLIC KEY", `before\n${pem}${pem}after`);
  assert.ok(der);
  assert.equal(encodePem("PUBLIC KEY", der), pem);
  assert.ok(createPublicKey(encodePem("PUBLIC KEY", der)).equals(key));
});

test("a name that is no UTF-8 is refused as what it is", () => {
  const certificate = Buffer.from(selfSigned({}));
  const at = certificate.indexOf("root", certificate.indexOf("root") + 1);
  certificate[at] = 0xff;
  assert.throws(() => certificateFactsOf(certificate), DerError);
});
