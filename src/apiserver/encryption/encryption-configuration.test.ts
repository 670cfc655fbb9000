import assert from "node:assert/strict";
import { test } from "node:test";
import { readEncryptionConfiguration } from "./encryption-configuration.ts";

const SECRET = Buffer.alloc(32, "k").toString("base64");
const KEYS = { keys: [{ name: "key1", secret: SECRET }] };
const HEAD = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };

function read(...resources: unknown[]) {
  return readEncryptionConfiguration({ ...HEAD, resources });
}

function ofResources(...resources: string[]) {
  return read({ resources, providers: [{ identity: {} }] });
}

function ofProvider(provider: unknown) {
  return read({ resources: ["secrets"], providers: [provider] });
}

const KMS = { apiVersion: "v2", name: "vault", endpoint: "unix:///run/kms.sock" };

function ofKms(more: object) {
  return ofProvider({ kms: { ...KMS, ...more } });
}

test("providers and keys keep their order", () => {
  const [entry] = read({
    resources: ["secrets", "widgets.example.com"],
    providers: [{ secretbox: KEYS }, { aescbc: KEYS }, { aesgcm: KEYS }, { identity: {} }],
  });
  assert.deepEqual(entry?.resources, ["secrets", "widgets.example.com"]);
  assert.deepEqual(
    entry?.providers.map(({ type }) => type),
    ["secretbox", "aescbc", "aesgcm", "identity"],
  );
  const [first] = entry?.providers ?? [];
  assert.deepEqual(first, {
    type: "secretbox",
    keys: [{ name: "key1", secret: Buffer.alloc(32, "k") }],
  });
  ofResources("*.", "*.apps", "deployments.example.com");
  assert.deepEqual(ofKms({ timeout: "1500ms" })[0]?.providers, [
    { type: "kms", name: "vault", socketPath: "/run/kms.sock", timeoutMs: 1_500 },
  ]);
});

test("what kube-apiserver refuses is refused, with the field and without the key", () => {
  const short = { keys: [{ name: "a", secret: "c2hvcnQ=" }] };
  const cases: [() => unknown, RegExp][] = [
    [() => readEncryptionConfiguration({ ...HEAD, kind: "Pod" }), /wanted .*"EncryptionConfig/],
    [() => readEncryptionConfiguration({ ...HEAD, more: 1, resources: [{}] }), /more is not known/],
    [() => read(), /: resources must have at least one item$/],
    [() => read({ resources: ["secrets"] }), /resources\[0\]\.providers must have at least one/],
    [() => ofResources(), /resources\[0\]\.resources must have at least one item/],
    [() => ofResources("Secrets"), /resources\[0\]\.resources\[0\] must not have capital/],
    [() => ofResources("*"), /must be "\*\." for the core group/],
    [() => ofResources("secrets.*"), /must not be one resource of all groups/],
    [() => ofResources("events.events.k8s.io"), /must be "events"/],
    [() => ofResources("ingresses.extensions"), /group extensions, which is gone/],
    [() => ofResources("serviceipallocations"), /must be a resource of the API/],
    [() => ofResources("secrets", "secrets."), /must not name a resource twice/],
    [() => ofResources("secrets", "*."), /beside a wildcard that covers it/],
    [() => ofResources("*.*", "*.apps"), /beside a wildcard that covers it/],
    [() => ofProvider({}), /providers\[0\] must have one of kms, aesgcm, aescbc, secretbox/],
    [() => ofProvider({ identity: {}, aescbc: KEYS }), /must have one provider/],
    [() => ofProvider({ rot13: {} }), /rot13 is not known/],
    [() => ofProvider({ kms: { name: "a" } }), /providers\[0\]\.kms\.apiVersion must be v2/],
    [() => ofKms({ name: "a:b" }), /kms\.name must not contain ":"/],
    [() => ofKms({ name: "" }), /kms\.name must be set/],
    [() => ofKms({ endpoint: "https://x" }), /kms\.endpoint must be a socket/],
    [() => ofKms({ timeout: "0s" }), /kms\.timeout must be longer/],
    [() => ofKms({ cachesize: 5 }), /kms\.cachesize is not known/],
    [() => read(...[1, 2].map(() => ({ resources: ["a"], providers: [{ kms: KMS }] }))), /another/],
    [() => ofProvider({ aesgcm: { keys: [] } }), /aesgcm\.keys must have at least one item/],
    [() => ofProvider({ aesgcm: short }), /secret must have 16 or 24 or 32 bytes, not 5$/],
    [() => ofProvider({ secretbox: short }), /secret must have 32 bytes, not 5$/],
    [() => ofProvider({ aescbc: { keys: [{ name: "a" }] } }), /keys\[0\]\.secret must be set/],
    [() => ofProvider({ aescbc: { keys: [{ secret: SECRET }] } }), /keys\[0\]\.name must be set/],
    [() => ofProvider({ aescbc: { keys: [{ name: "a", secret: "%" }] } }), /encoded in base64$/],
  ];
  for (const [act, message] of cases) {
    assert.throws(act, (error: Error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes("c2hvcnQ"));
      return true;
    });
  }
});
