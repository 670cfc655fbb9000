import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { test } from "node:test";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const POD = "/api/v1/namespaces/default/pods/p";

interface FakeKubelet extends AsyncDisposable {
  port: number;
  /** Method and path of everything that arrived. */
  seen: string[];
}

/** Answers with what it was asked, and echoes upgraded connections. */
async function startKubelet(api: HttpsFixture): Promise<FakeKubelet> {
  const seen: string[] = [];
  const sockets = new Set<Duplex>();
  const { certPem: cert, keyPem: key } = api.client;
  const server = https.createServer({ cert, key, allowHalfOpen: true });
  server.on("request", (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("one\n");
    request.on("data", (chunk: Buffer) => response.write(chunk));
    request.on("end", () => response.end("two\n"));
  });
  server.on("upgrade", (request, socket: Duplex) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url?.includes("refuse")) {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
      return;
    }
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n",
    );
    socket.write("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello ");
    socket.pipe(socket);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function createPod(api: HttpsFixture, port: number, podIp = "127.0.0.1"): Promise<void> {
  await api.ask("POST", "/api/v1/nodes", {
    metadata: { name: "n" },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  await api.ask("POST", "/api/v1/namespaces/default/pods", {
    metadata: { name: "p" },
    spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
  });
  await api.ask("PUT", `${POD}/status`, { metadata: { name: "p" }, status: { podIP: podIp } });
}

function upgrade(api: HttpsFixture, path: string): Promise<{ head: string; socket: TLSSocket }> {
  const { ca, client, port } = api;
  const request = https.request({
    host: "127.0.0.1",
    port,
    path,
    method: "POST",
    ca: ca.pem.certPem,
    cert: client.certPem,
    key: client.keyPem,
    agent: false,
    headers: { connection: "Upgrade", upgrade: "SPDY/3.1" },
  });
  request.end();
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      resolve({ head: `refused ${response.statusCode}`, socket: response.socket as TLSSocket });
    });
    request.on("upgrade", (response, socket, head) => {
      const version = response.headers["x-stream-protocol-version"];
      socket.unshift(head);
      resolve({ head: `${response.statusCode} ${version}`, socket: socket as TLSSocket });
    });
  });
}

test("logs are streamed from the node of the pod", async () => {
  await using api = await startHttpsServer(Date.now());
  await using kubelet = await startKubelet(api);
  await createPod(api, kubelet.port);
  const answer = await api.http(`${POD}/log?tailLines=5`);
  assert.deepEqual([answer.status, answer.text], [200, "one\ntwo\n"]);
  assert.deepEqual(kubelet.seen, ["GET /containerLogs/default/p/c?tailLines=5"]);
  assert.equal((await api.http(`${POD}/log?container=x`)).status, 400);
  assert.equal((await api.http(`${POD}x/log`)).status, 404);
});

test("what cannot be asked of logs is refused before a node is asked", async () => {
  await using api = await startHttpsServer(Date.now());
  await using kubelet = await startKubelet(api);
  await createPod(api, kubelet.port);
  const refusals: Record<string, string> = {
    "tailLines=-1": "tailLines: Invalid value: -1: must be greater than or equal to 0",
    "limitBytes=0": "limitBytes: Invalid value: 0: must be greater than 0",
    "sinceSeconds=0": "sinceSeconds: Invalid value: 0: must be greater than 0",
    "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z":
      ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
    "stream=Stdout": "stream: Forbidden: may not be specified",
  };
  for (const [query, why] of Object.entries(refusals)) {
    const answer = await api.http(`${POD}/log?${query}`);
    const { message, reason } = answer.json();
    const wanted = [422, "Invalid", `PodLogOptions "p" is invalid: ${why}`];
    assert.deepEqual([answer.status, reason, message], wanted);
  }
  assert.deepEqual(kubelet.seen, []);
});

test("exec becomes the kubelet's exec and bytes flow both ways", async () => {
  await using api = await startHttpsServer(Date.now());
  await using kubelet = await startKubelet(api);
  await createPod(api, kubelet.port);
  const path = `${POD}/exec?command=sh&command=-c&command=a%26b&stdin=true&stdout=true&tty=false`;
  const { head, socket } = await upgrade(api, path);
  assert.equal(head, "101 v4.channel.k8s.io");
  assert.deepEqual(kubelet.seen, [
    "POST /exec/default/p/c?input=1&output=1&command=sh&command=-c&command=a%26b",
  ]);
  const big = "x".repeat(1 << 20);
  socket.end(big);
  let received = "";
  for await (const chunk of socket) received += String(chunk);
  assert.equal(received.length, big.length + 6);
  assert.ok(received === `hello ${big}`);
});

test("a kubelet's refusal reaches the client, an unreachable one is a Status", async () => {
  await using api = await startHttpsServer(Date.now());
  const kubelet = await startKubelet(api);
  await createPod(api, kubelet.port);
  const refused = await upgrade(api, `${POD}/portforward?ports=80&refuse`);
  assert.equal(refused.head, "101 v4.channel.k8s.io");
  refused.socket.destroy();
  const exec = await upgrade(api, `${POD}/exec?command=refuse`);
  assert.equal(exec.head, "refused 403");
  exec.socket.destroy();
  await kubelet[Symbol.asyncDispose]();
  const answer = await api.http(`${POD}/log`);
  assert.equal(answer.status, 503);
  assert.match(answer.text, /error trying to reach 127.0.0.1/);
});

test("pods are proxied with methods, bodies and queries", async () => {
  await using api = await startHttpsServer(Date.now());
  const backend = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const { "x-forwarded-uri": uri, "x-forwarded-for": client } = headers;
    response.writeHead(202, { "x-seen": `${method} ${url}`, "x-told": `${uri} ${client}` });
    request.pipe(response);
  });
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  await createPod(api, 1);
  const { port } = backend.address() as AddressInfo;
  const path = `${POD}:${port}/proxy/some/path?q=1`;
  const answer = await api.http(path, { method: "POST", body: "hello" });
  assert.deepEqual(
    [answer.status, answer.headers["x-seen"], answer.text],
    [202, "POST /some/path?q=1", "hello"],
  );
  assert.equal(answer.headers["x-told"], `${POD}:${port}/proxy/some/path 127.0.0.1`);
  const folder = await api.http(`${POD}:${port}/proxy/a%2Fb/`);
  assert.equal(folder.headers["x-seen"], "GET /a/b/");
  const root = await api.http(`${POD}:${port}/proxy?q=1`);
  assert.deepEqual([root.status, root.headers["location"]], [301, `${POD}:${port}/proxy/?q=1`]);
  await new Promise<void>((resolve) => void backend.close(() => resolve()));
});

test("links and redirects of a pod's pages stay below the proxy, whoever signed its TLS", async () => {
  await using api = await startHttpsServer(Date.now());
  const { certPem: cert, keyPem: key } = api.client;
  let shown: object | undefined;
  const options = { cert, key, requestCert: true, rejectUnauthorized: false };
  const backend = https.createServer(options, (request, response) => {
    shown = (request.socket as TLSSocket).getPeerCertificate();
    response.writeHead(301, { "content-type": "text/html; charset=utf-8", location: "/next" });
    response.end('<a href="/next">next</a>');
  });
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  await createPod(api, 1);
  const { port } = backend.address() as AddressInfo;
  const prefix = `/api/v1/namespaces/default/pods/https:p:${port}/proxy`;
  const answer = await api.http(`${prefix}/`);
  assert.equal(answer.text, `<a href="${prefix}/next">next</a>`);
  assert.equal(answer.headers["location"], `${prefix}/next`);
  assert.deepEqual(shown, {}, "no certificate of the server");
  await new Promise<void>((resolve) => void backend.close(() => resolve()));
});
