import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKubeconfig } from "./kubeconfig.ts";

const text = `
apiVersion: v1
kind: Config
current-context: admin
contexts:
- name: admin
  context: {cluster: local, user: admin}
- name: viewer
  context: {cluster: local, user: viewer, namespace: web}
- name: broken
  context: {cluster: none}
clusters:
- name: local
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${btoa("CA")}}
users:
- name: admin
  user: {client-certificate-data: ${btoa("CERT")}, client-key-data: ${btoa("KEY")}}
- name: viewer
  user: {token: secret}
`;

test("the current context gives server, authority and credentials", () => {
  assert.deepEqual(loadKubeconfig(text), {
    server: "https://127.0.0.1:6443",
    namespace: "default",
    caPem: "CA",
    certPem: "CERT",
    keyPem: "KEY",
  });
});

test("another context can be asked for", () => {
  const { token, namespace, certPem } = loadKubeconfig(text, { context: "viewer" });
  assert.deepEqual([token, namespace, certPem], ["secret", "web", undefined]);
});

test("what is missing is named", () => {
  assert.throws(() => loadKubeconfig(text, { context: "x" }), /no context "x"/);
  assert.throws(() => loadKubeconfig(text, { context: "broken" }), /no cluster "none"/);
  assert.throws(() => loadKubeconfig(""), /no context/);
});
