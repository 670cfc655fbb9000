import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createAuthority, generateKeyPem } from "../apiserver/pki/certificate-authority.ts";
import { parseCertificateRequest } from "../format/x509/certificate-request.ts";
import { decodePem } from "../format/x509/pem-codec.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { certificateSigner } from "./certificate-signer.ts";

test("a signed certificate says what its request asked for", () => {
  const sources = { clock: new VirtualClock(), random: seededRandom(1) };
  const authority = createAuthority("ca", { ...sources, keyPem: generateKeyPem() });
  const sign = certificateSigner(authority);
  const names = "subjectAltName=DNS:a.example,IP:10.0.0.1,email:a@b.example,URI:spiffe://a/b";
  const pem = execFileSync(
    "openssl",
    ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null"].concat([
      "-subj",
      "/C=DE/O=dev/CN=jane",
      "-addext",
      names,
    ]),
    { stdio: ["ignore", "pipe", "ignore"], encoding: "latin1" },
  );
  const [der] = decodePem("CERTIFICATE REQUEST", pem);
  assert.ok(der);
  const request = parseCertificateRequest(der);
  const purposes = ["digital signature", "key encipherment", "client auth"];
  const certificate = new X509Certificate(sign(request, { purposes, lifetimeMs: 3_600_000 }));
  assert.ok(certificate.verify(authority.certificate.publicKey));
  assert.equal(certificate.subject, "C=DE\nO=dev\nCN=jane");
  assert.equal(
    certificate.subjectAltName,
    "DNS:a.example, IP Address:10.0.0.1, email:a@b.example, URI:spiffe://a/b",
  );
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  const text = execFileSync("openssl", ["x509", "-noout", "-text"], {
    input: certificate.toString(),
    encoding: "utf8",
  });
  assert.match(text, /Digital Signature, Key Encipherment/);
  const forged = { ...request, signed: { ...request.signed, bytes: Buffer.from("x") } };
  assert.throws(() => sign(forged, { purposes, lifetimeMs: 1 }), /unable to verify/);
});
