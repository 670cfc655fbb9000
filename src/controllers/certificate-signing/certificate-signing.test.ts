import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../api/generated/resources.ts";
import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import { runController } from "../../client/controller-runner.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { endOf } from "./certificate-cleaner-controller.ts";
import {
  certificateSigningController,
  type SignCertificate,
} from "./certificate-signing-controller.ts";
import {
  CLIENT_SIGNER,
  isKubeletClient,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  LEGACY_SIGNER,
  refusalOf,
  requestOf,
} from "./signer-rules.ts";

/** A request made by openssl, in base64 as the API carries it. */
function csr(subject: string, names?: string): string {
  const alternative = names ? ["-addext", `subjectAltName=${names}`] : [];
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "/dev/null",
  ];
  const pem = execFileSync("openssl", ["req", "-new", "-subj", subject, ...key, ...alternative], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return pem.toString("base64");
}

const NODE = "/O=system:nodes/CN=system:node:n1";
const CLIENT = ["digital signature", "key encipherment", "client auth"];
const SERVER = ["digital signature", "key encipherment", "server auth"];

function request(signerName: string, pem: string, usages: string[]): CertificateSigningRequest {
  const spec = { request: pem, signerName, usages, username: "system:node:n1" };
  return { metadata: { name: "r" }, spec } as unknown as CertificateSigningRequest;
}

test("each signer signs by its own rules", () => {
  const cases: [string, string, string | undefined, string[], RegExp | undefined][] = [
    [CLIENT_SIGNER, "/CN=jane", undefined, CLIENT, undefined],
    [CLIENT_SIGNER, "/CN=jane", undefined, SERVER, /^invalid usage for client certificate: server/],
    [CLIENT_SIGNER, "/CN=jane", undefined, ["digital signature"], /^missing required usage/],
    [KUBELET_CLIENT_SIGNER, NODE, undefined, CLIENT, undefined],
    [KUBELET_CLIENT_SIGNER, NODE, undefined, ["digital signature", "client auth"], undefined],
    [KUBELET_CLIENT_SIGNER, NODE, undefined, SERVER, /^usages did not match \[client auth/],
    [KUBELET_CLIENT_SIGNER, "/CN=system:node:n1", undefined, CLIENT, /organization is not/],
    [KUBELET_CLIENT_SIGNER, "/O=system:nodes/CN=n1", undefined, CLIENT, /does not begin with/],
    [KUBELET_CLIENT_SIGNER, NODE, "DNS:n1", CLIENT, /^DNS subjectAltNames are not allowed/],
    [KUBELET_CLIENT_SIGNER, NODE, "email:a@b.c", CLIENT, /^Email subjectAltNames/],
    [KUBELET_SERVING_SIGNER, NODE, "DNS:n1,IP:10.0.0.1", SERVER, undefined],
    [KUBELET_SERVING_SIGNER, NODE, undefined, SERVER, /^DNS or IP subjectAltName is required/],
    [KUBELET_SERVING_SIGNER, NODE, "DNS:n1,URI:a:b", SERVER, /^URI subjectAltNames/],
    [LEGACY_SIGNER, "/CN=any", "DNS:any", ["code signing"], undefined],
  ];
  for (const [signer, subject, names, usages, why] of cases) {
    const parsed = requestOf(request(signer, csr(subject, names), usages));
    const refusal = refusalOf(signer, parsed, usages);
    if (why) assert.match(refusal ?? "", why);
    else assert.equal(refusal, undefined);
  }
});

test("a parsed request proves who made it", () => {
  const object = request(KUBELET_CLIENT_SIGNER, csr(NODE), CLIENT);
  const parsed = requestOf(object);
  assert.ok(isKubeletClient(object, parsed));
  const { bytes, digest, signature } = parsed.signed;
  const key = createPublicKey({ key: Buffer.from(parsed.publicKey), format: "der", type: "spki" });
  assert.ok(verify(digest, bytes, key, signature));
  assert.throws(() => requestOf(request(CLIENT_SIGNER, "AAAA", CLIENT)), /PEM block type/);
});

test("approved requests are signed for as long as they ask, others are marked", async () => {
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const random = seededRandom(5);
  const logger = silentLogger;
  await using informers = createInformerFactory({ client, clock, random, logger });
  const asked: unknown[] = [];
  const sign: SignCertificate = (_request, terms) => `pem ${asked.push(terms)}`;
  const events = { record: () => {} };
  const deps = { client, informers, clock, random, logger, events };
  await using _running = runController(certificateSigningController(sign), deps);
  const requests = client.for(CERTIFICATE_SIGNING_REQUESTS);
  const conditions = [{ type: "Approved", status: "True" }];
  const create = (name: string, usages: string[], expirationSeconds?: number) => {
    const made = request(CLIENT_SIGNER, csr("/CN=jane"), usages);
    const spec = { ...made.spec, ...(expirationSeconds ? { expirationSeconds } : {}) };
    return requests.create({ ...made, spec, metadata: { name }, status: { conditions } });
  };
  await create("good", CLIENT, 3600);
  await create("bad", SERVER);
  await settle();
  await clock.advance(1_000);
  assert.deepEqual(asked, [{ purposes: CLIENT, lifetimeMs: 3_600_000 }]);
  const { status } = await requests.get({ name: "good" });
  assert.equal(Buffer.from(status?.certificate ?? "", "base64").toString(), "pem 1");
  const refused = (await requests.get({ name: "bad" })).status?.conditions?.at(-1);
  assert.equal(refused?.type, "Failed");
  assert.equal(refused?.reason, "SignerValidationFailure");
});

test("a request ends an hour after its decision, or after a day without one", () => {
  const time = "2026-01-01T00:00:00Z";
  const pending = request(CLIENT_SIGNER, "", []);
  const from = Date.parse(time);
  assert.equal(endOf({ ...pending, metadata: { creationTimestamp: time } }), from + 86_400_000);
  const denied = { conditions: [{ type: "Denied", status: "True", lastUpdateTime: time }] };
  assert.equal(endOf({ ...pending, status: denied }), from + 3_600_000);
  const waiting = { conditions: [{ type: "Approved", status: "True", lastUpdateTime: time }] };
  assert.equal(endOf({ ...pending, status: waiting }), undefined);
});
