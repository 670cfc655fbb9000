import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../generated/resources.ts";
import { goBytes } from "../go-text.ts";
import { checkRuleCases } from "../rule-cases.ts";
import { changed } from "../rule-cases.ts";
import { validateObject } from "../validate-object.ts";

/** What openssl makes of a new key: a request, or a certificate. */
function made(...more: string[]): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "/dev/null"];
  const args = ["req", "-new", "-nodes", "-subj", "/CN=jane", ...key, ...more];
  return execFileSync("openssl", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const USAGES =
  '"any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", ' +
  '"data encipherment", "decipher only", "digital signature", "email protection", ' +
  '"encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", ' +
  '"key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", ' +
  '"signing", "timestamping"';
const BASE = {
  spec: {
    request: base64(made()),
    signerName: "example.com/signer",
    usages: ["client auth"],
  },
};
const [APPROVED, DENIED, FAILED] = ["Approved", "Denied", "Failed"].map((type) => ({
  type,
  status: "True",
}));
const C = "status.conditions";

test("rules of new requests for certificates", () => {
  const signer = (name: string, ...texts: string[]) =>
    [{ "spec.signerName": name }, ...texts.map((text) => `spec.signerName: ${text}`)] as const;
  checkRuleCases(CERTIFICATE_SIGNING_REQUESTS, {
    base: BASE,
    create: [
      [{ "metadata.name": "what ever" }],
      [{ "spec.expirationSeconds": 600 }],
      [
        { "spec.request": base64("no PEM") },
        `spec.request: Invalid value: ${goBytes(base64("no PEM")).text}: PEM block type must be CERTIFICATE REQUEST`,
      ],
      [{ "spec.signerName": `example.com/${"a".repeat(253)}.${"b".repeat(253)}` }],
      [{ "spec.usages": [] }, "spec.usages: Required value"],
      [
        { "spec.usages": ["x", "any", "x"] },
        `spec.usages[0]: Unsupported value: "x": supported values: ${USAGES}`,
        `spec.usages[2]: Unsupported value: "x": supported values: ${USAGES}`,
        'spec.usages[2]: Duplicate value: "x"',
      ],
      [
        { "spec.expirationSeconds": 599 },
        "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
      ],
      signer("", "Required value"),
      signer(
        "kubernetes.io/legacy-unknown",
        'Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      ),
      signer(
        "abc",
        `Invalid value: "abc": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
      ),
      signer(
        "abc/d",
        'Invalid value: "abc": should be a domain with at least two segments separated by dots',
      ),
      signer("_a._b.com/d", `Invalid value: "_a._b.com": validating label "_a": ${LABEL}`),
    ].map((one) => one as [Record<string, unknown>, ...string[]]),
  });
});

test("a request is refused that another key signed", () => {
  const der = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\n/g, ""), "base64");
  const bytes = der(made());
  // A letter of the subject.
  bytes[bytes.indexOf("jane")] = 0x4a;
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  const forged = changed({ metadata: { name: "r" }, ...BASE }, { "spec.request": base64(pem) });
  const [cause, ...rest] = validateObject(CERTIFICATE_SIGNING_REQUESTS, forged);
  assert.match(cause?.message ?? "", /: x509: ECDSA verification failure$/);
  assert.deepEqual(rest, []);
});

test("rules of verdicts, failures and certificates", () => {
  const exclusive =
    'Invalid value: "Denied": Approved and Denied conditions are mutually exclusive';
  const certificate = made("-x509");
  const refused = (text: string, complaint: string) =>
    [
      { "status.certificate": base64(text) },
      `status.certificate: Invalid value: "<certificate data>": ${complaint}`,
    ] as const;
  const both = [
    [
      { [C]: [{ type: "Ready", status: "Perhaps" }] },
      `${C}[0].status: Unsupported value: "Perhaps": supported values: "False", "True", "Unknown"`,
    ],
    [
      { [C]: [{ ...FAILED, status: "False" }] },
      `${C}[0].status: Unsupported value: "False": supported values: "True"`,
    ],
    [{ [C]: [{ type: "Ready" }] }, `${C}[0].status: Required value`],
    [{ [C]: [{ status: "False" }] }, `${C}[0].type: Required value`],
    [{ [C]: [FAILED, FAILED] }, `${C}[1].type: Duplicate value: "Failed"`],
  ] as const;
  checkRuleCases(CERTIFICATE_SIGNING_REQUESTS, {
    base: BASE,
    subresources: {
      approval: [
        [{ [C]: [APPROVED] }],
        [{ [C]: [DENIED, FAILED] }],
        [{ [C]: [APPROVED, DENIED] }, `${C}[1].type: ${exclusive}`],
        [
          { "status.certificate": base64(certificate) },
          "status.certificate: Forbidden: updates may not set certificate content",
        ],
        ...both,
      ],
      status: [
        [{ [C]: [FAILED] }],
        [{ "status.certificate": base64(`text\n${certificate}\n${certificate}`) }],
        ...(["Approved", "Denied"] as const).map(
          (type) =>
            [
              { [C]: [{ type, status: "True" }] },
              `${C}: Forbidden: updates may not add a condition of type "${type}"`,
            ] as const,
        ),
        refused("text", "must contain at least one CERTIFICATE PEM block"),
        refused(made(), 'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"'),
        refused(
          certificate.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nA: b\n\n"),
          "no PEM block headers are permitted",
        ),
        refused(
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          "x509: malformed certificate",
        ),
        ...both,
      ],
    },
  });
  checkRuleCases(CERTIFICATE_SIGNING_REQUESTS, {
    base: {
      ...BASE,
      status: { conditions: [APPROVED, FAILED], certificate: base64(certificate) },
    },
    subresources: {
      approval: [
        [{ [C]: [{ ...APPROVED, message: "changed" }, FAILED] }],
        [
          { [C]: [] },
          `${C}: Forbidden: updates may not remove a condition of type "Approved"`,
          `${C}: Forbidden: updates may not remove a condition of type "Failed"`,
        ],
      ],
      status: [
        [{ [C]: [APPROVED, { ...FAILED, message: "changed" }] }],
        [
          { [C]: [{ ...APPROVED, message: "changed" }, FAILED] },
          `${C}: Forbidden: updates may not modify a condition of type "Approved"`,
        ],
        [
          { "status.certificate": base64(made("-x509")) },
          "status.certificate: Forbidden: updates may not modify existing certificate content",
        ],
        [
          { "status.certificate": undefined },
          "status.certificate: Forbidden: updates may not modify existing certificate content",
        ],
      ],
    },
  });
});
