import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { type HttpsFixture, startHttpsServer } from "./api-server-fixture.ts";

const run = promisify(execFile);

function isInstalled(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const skip = isInstalled() ? false : "kubectl is not installed";

interface Kubectl extends Disposable {
  (...args: string[]): Promise<string>;
  file(name: string, text: string): string;
}

/** The real kubectl with a kubeconfig and caches of its own. */
function kubectlFor(api: HttpsFixture): Kubectl {
  const folder = mkdtempSync(path.join(os.tmpdir(), "nephos-kubectl-"));
  const data = (pem: string) => Buffer.from(pem).toString("base64");
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      {
        name: "test",
        cluster: {
          server: `https://127.0.0.1:${api.port}`,
          "certificate-authority-data": data(api.ca.pem.certPem),
        },
      },
    ],
    users: [
      {
        name: "test",
        user: {
          "client-certificate-data": data(api.client.certPem),
          "client-key-data": data(api.client.keyPem),
        },
      },
    ],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
  };
  const file = (name: string, text: string) => {
    const at = path.join(folder, name);
    writeFileSync(at, text, { mode: 0o600 });
    return at;
  };
  const config = file("config", JSON.stringify(kubeconfig));
  const env = { ...process.env, KUBECONFIG: config, HOME: folder };
  const kubectl = async (...args: string[]) =>
    (await run("kubectl", args, { env, timeout: 30_000 })).stdout;
  return Object.assign(kubectl, {
    file,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  });
}

const APP = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

test("kubectl applies, reads, changes and deletes", { skip }, async () => {
  await using api = await startHttpsServer(Date.now());
  using kubectl = kubectlFor(api);
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const app = kubectl.file("app.yaml", APP);
  assert.match(await kubectl("apply", "-f", app), /deployment.apps\/web created/);
  assert.match(await kubectl("apply", "-f", app), /service\/web unchanged/);
  assert.match(await kubectl("apply", "--server-side", "-f", app), /web serverside-applied/);
  assert.match(await kubectl("get", "deploy,svc"), /deployment.apps\/web +0\/2/);
  await kubectl("scale", "deploy/web", "--replicas=3");
  await kubectl("label", "deploy/web", "tier=front");
  const replicas = "jsonpath={.spec.replicas} {.metadata.labels.tier}";
  assert.equal(await kubectl("get", "deploy", "web", "-o", replicas), "3 front");
  await kubectl("create", "configmap", "made-of-protobuf", "--from-literal=a=b");
  assert.equal(await kubectl("get", "cm", "made-of-protobuf", "-o", "jsonpath={.data.a}"), "b");
  assert.match(await kubectl("explain", "pod.spec"), /FIELDS:/);
  assert.match(await kubectl("describe", "deploy", "web"), /StrategyType: +RollingUpdate/);
  assert.match(await kubectl("api-resources"), /deployments +deploy +apps\/v1/);
  const wrong = kubectl.file("wrong.yaml", APP.replace("replicas:", "replica:"));
  await assert.rejects(kubectl("apply", "-f", wrong), /unknown field "spec.replica"/);
  assert.match(await kubectl("delete", "-f", app), /deployment.apps "web" deleted/);
});
