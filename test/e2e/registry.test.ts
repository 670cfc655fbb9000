// Pods whose images come from Debian's docker-registry, pushed there by skopeo.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { EVENTS, PODS, SECRETS } from "../../src/api/generated/resources.ts";
import { type FakeProxy, startFakeProxy } from "../../src/agent/image/registry/proxy-fixture.ts";
import type { Container, Pod } from "../../src/api/generated/types/core-v1.ts";
import { busyboxArchive } from "./busybox-image.ts";
import {
  type DockerRegistry,
  startDockerRegistry,
  withoutDockerRegistry,
} from "./docker-registry.ts";
import { eventually } from "./eventually.ts";
import { appOf, isRunning, type NodeUnderTest, startNode } from "./node-under-test.ts";

const skip = withoutDockerRegistry();
let node: NodeUnderTest;
let open: DockerRegistry;
let closed: DockerRegistry;
let proxy: FakeProxy;
let archive: string;

before(async () => {
  if (skip) return;
  [open, closed, proxy] = await Promise.all([
    startDockerRegistry({ port: 5001 }),
    startDockerRegistry({ port: 5002, user: "me", tls: true }),
    startFakeProxy(new Map([["far.example:443", "127.0.0.1:5002"]])),
  ]);
  node = await startNode({ httpsProxy: `http://proxy:pass@${proxy.host}` });
  archive = path.join(node.directory, "app.tar");
  writeFileSync(archive, busyboxArchive({ name: "app:1", entries: [] }));
});
after(async () => {
  for (const one of [node, open, closed, proxy]) await one?.[Symbol.asyncDispose]();
});

const app = (image: string, more: Partial<Container> = {}): Container => ({
  name: "app",
  image,
  command: ["sleep", "1000"],
  ...more,
});
const waitsFor = (reason: string) => (pod: Pod | undefined) =>
  appOf(pod)?.state?.waiting?.reason === reason;
const remove = async (name: string) => {
  await node.client.for(PODS).delete({ namespace: "default", name });
  await node.until(name, (pod) => !pod);
};
const eventsOf = async (name: string) => {
  const { items } = await node.client.for(EVENTS).list({ namespace: "default" });
  return items.filter(({ involvedObject }) => involvedObject.name === name);
};

test("a pod runs from a registry, by tag and by digest, and again when its tag has moved", {
  skip,
}, async () => {
  const digest = await open.push(archive, "team/app:1");
  const image = `${open.host}/team/app:1`;
  await node.run("tagged", { containers: [app(image, { imagePullPolicy: "Always" })] });
  const first = appOf(await node.until("tagged", isRunning));
  assert.equal(first?.imageID, `${open.host}/team/app@${digest}`);
  assert.equal(first?.image, image);
  const reasons = await eventually("events tell of the pull", async () => {
    const found = (await eventsOf("tagged")).map(({ reason }) => reason);
    return found.includes("Pulled") ? found : undefined;
  });
  assert.ok(reasons.includes("Pulling"));

  const exact = `${open.host}/team/app@${digest}`;
  await node.run("exact", { containers: [app(exact, { imagePullPolicy: "IfNotPresent" })] });
  assert.equal(appOf(await node.until("exact", isRunning))?.image, exact);

  const entries = [{ name: "moved", type: "file" as const, body: new Uint8Array(1) }];
  writeFileSync(archive, busyboxArchive({ name: "app:1", entries }));
  const moved = await open.push(archive, "team/app:1");
  await node.run("again", { containers: [app(image, { imagePullPolicy: "Always" })] });
  assert.match(appOf(await node.until("again", isRunning))?.imageID ?? "", RegExp(moved));
  for (const name of ["tagged", "exact", "again"]) await remove(name);
});

test("a pod runs from layers that are compressed by zstd", { skip }, async () => {
  for (const [at, compression] of (["zstd", "zstd:chunked"] as const).entries()) {
    // Of each its own layer, which nothing has pulled yet.
    const entries = [{ name: compression, type: "file" as const, body: new Uint8Array(5_000) }];
    writeFileSync(archive, busyboxArchive({ name: "app:1", entries }));
    await open.push(archive, `zstd:${at}`, compression);
    await node.run(`zstd-${at}`, { containers: [app(`${open.host}/zstd:${at}`)] });
    await node.until(`zstd-${at}`, isRunning);
    await remove(`zstd-${at}`);
  }
});

test("a private registry with a certificate of its own wants both to be known", {
  skip,
}, async () => {
  await closed.push(archive, "private:1");
  const image = `${closed.host}/private:1`;
  const configuration = path.join(node.directory, "registries.yaml");
  const imagePullSecrets = [{ name: "login" }];
  const containers = [app(image, { imagePullPolicy: "IfNotPresent" })];
  // Registries of this machine are asked without TLS unless an endpoint says otherwise.
  const mirrors = `mirrors: {"${closed.host}": {endpoint: ["https://${closed.host}"]}}\n`;
  writeFileSync(configuration, mirrors);
  await node.run("early", { containers });
  const untrusted = appOf(await node.until("early", waitsFor("ErrImagePull")));
  assert.match(untrusted?.state?.waiting?.message ?? "", /certificate/);
  await remove("early");

  writeFileSync(path.join(node.directory, "ca.pem"), closed.certificate ?? "");
  writeFileSync(configuration, `${mirrors}configs: {"${closed.host}": {tls: {ca_file: ca.pem}}}\n`);
  await node.run("anonymous", { imagePullSecrets, containers });
  const refused = appOf(await node.until("anonymous", waitsFor("ErrImagePull")));
  assert.match(refused?.state?.waiting?.message ?? "", /401 Unauthorized.*no credentials/);
  const waiting = await node.until("anonymous", waitsFor("ImagePullBackOff"));
  const backOff = appOf(waiting)?.state?.waiting?.message ?? "";
  assert.match(backOff, new RegExp(`^Back-off pulling image "${image}": ErrImagePull: .*401`));
  const missing = (await eventsOf("anonymous")).find(
    ({ reason }) => reason === "FailedToRetrieveImagePullSecret",
  );
  assert.match(missing?.message ?? "", /\(login\)/);
  await remove("anonymous");

  const auths = { [closed.host]: { auth: Buffer.from("me:secret").toString("base64") } };
  const content = Buffer.from(JSON.stringify({ auths })).toString("base64");
  await node.client.for(SECRETS).create({
    metadata: { name: "login", namespace: "default" },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": content },
  });
  await node.run("known", { imagePullSecrets, containers });
  await node.until("known", isRunning);
  await remove("known");
});

test("a registry behind a proxy is asked through a tunnel", { skip }, async () => {
  proxy.mood.user = "proxy:pass";
  const entries = [{ name: "far", type: "file" as const, body: new Uint8Array(1) }];
  writeFileSync(archive, busyboxArchive({ name: "app:1", entries }));
  await closed.push(archive, "far:1");
  // The certificate is for another name; whether it is looked at is told above.
  const tls = "tls: {insecure_skip_verify: true}";
  const auth = "auth: {username: me, password: secret}";
  writeFileSync(
    path.join(node.directory, "registries.yaml"),
    `configs: {far.example: {${tls}, ${auth}}}\n`,
  );
  await node.run("far", { containers: [app("far.example/far:1")] });
  await node.until("far", isRunning);
  assert.ok(proxy.requests.every((one) => one === "CONNECT far.example:443"));
  await remove("far");
  proxy.mood.status = 403;
  await node.run("refused", { containers: [app("far.example/other:1")] });
  const refused = appOf(await node.until("refused", waitsFor("ErrImagePull")));
  assert.match(refused?.state?.waiting?.message ?? "", /proxy .* of HTTPS_PROXY answers 403/);
  await remove("refused");
});

test("a mirror stands in for a registry that is not reached", { skip }, async () => {
  const endpoints = `endpoint: ["http://${open.host}/v2"]`;
  writeFileSync(
    path.join(node.directory, "registries.yaml"),
    `mirrors: {"127.0.0.1:9": {${endpoints}}}\n`,
  );
  await open.push(archive, "mirrored:1");
  await node.run("mirrored", { containers: [app("127.0.0.1:9/mirrored:1")] });
  await node.until("mirrored", isRunning);
  await remove("mirrored");
  await node.run("nowhere", { containers: [app("127.0.0.1:9/nowhere:1")] });
  const nowhere = appOf(await node.until("nowhere", waitsFor("ErrImagePull")));
  const message = nowhere?.state?.waiting?.message ?? "";
  assert.match(message, /127.0.0.1:5001 answers 404.*127.0.0.1:9 was not reached/);
  await remove("nowhere");
});

test("a pod that is deleted while its image is pulled does not wait for it", {
  skip,
}, async () => {
  // It reads what comes, so that it sees the end.
  const silent = createServer((socket) => void socket.resume());
  await new Promise<void>((resolve) => void silent.listen(5003, "127.0.0.1", resolve));
  try {
    const asked = new Promise((resolve) => void silent.once("connection", resolve));
    await node.run("patient", { containers: [app("127.0.0.1:5003/app:1")] });
    await asked;
    await remove("patient");
  } finally {
    await new Promise((resolve) => silent.close(resolve));
  }
});

test("a volume shows the files of an image, which cannot be changed or run", { skip }, async () => {
  const entries = [
    { name: "data", type: "directory" as const, mode: 0o755 },
    { name: "data/file", type: "file" as const, mode: 0o755, body: Buffer.from("from an image") },
  ];
  writeFileSync(archive, busyboxArchive({ name: "files:1", entries }));
  await open.push(archive, "files:1");
  const volumeMounts = [{ name: "files", mountPath: "/files" }];
  const script = `cat /files/data/file; ! touch /files/new; ! /files/bin/busybox true; sleep 1000`;
  const reference = `${open.host}/files:1`;
  await node.run("shows", {
    volumes: [{ name: "files", image: { reference, pullPolicy: "IfNotPresent" } }],
    containers: [
      {
        name: "app",
        command: ["sh", "-ec", script],
        volumeMounts,
        readinessProbe: { exec: { command: ["cat", "/files/data/file"] } },
      },
    ],
  });
  await node.until("shows", (pod) => appOf(pod)?.ready === true);
  await node.restartAgent();
  await node.until("shows", (pod) => appOf(pod)?.ready === true);
  await remove("shows");
  await node.run("lost", {
    volumes: [{ name: "files", image: { reference: `${open.host}/lost:1` } }],
    containers: [{ name: "app", volumeMounts }],
  });
  await eventually("the mount is told to fail", async () =>
    (await eventsOf("lost")).some(
      ({ reason, message }) => reason === "FailedMount" && message?.includes("404") === true,
    ),
  );
  await remove("lost");
});
