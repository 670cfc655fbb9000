import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import tls from "node:tls";
import type { ApiServerOptions } from "../api-server.ts";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

const ADMIN = { name: "admin", groups: ["system:masters"] };

/** Holds creations in admission until it is opened. */
class Gate {
  readonly #arrivals = new EventEmitter();
  #arrived = 0;
  #open!: () => void;
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));

  readonly options: Partial<ApiServerOptions> = {
    security: () => ({
      authenticators: [{ authenticate: () => Promise.resolve(ADMIN) }],
      authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
      admission: [
        {
          name: "Gate",
          handles: ({ operation }) => operation === "CREATE",
          validate: () => {
            this.#arrived++;
            this.#arrivals.emit("one");
            return this.#opened;
          },
        },
      ],
    }),
  };

  open(): void {
    this.#open();
  }

  async arrived(count: number): Promise<void> {
    while (this.#arrived < count) await once(this.#arrivals, "one");
  }
}

function create(api: HttpsFixture, query = "") {
  const body = '{"metadata":{"name":"a"}}';
  const headers = { "content-type": "application/json" };
  return api.http(`${MAPS}${query}`, { method: "POST", body, headers });
}

test("a request that takes too long is answered all the same", async () => {
  const gate = new Gate();
  await using api = await startHttpsServer(Date.now(), gate.options);
  const [whole, brief] = [create(api), create(api, "?timeout=7s")];
  await gate.arrived(2);
  await api.clock.advance(7_000);
  const early = await brief;
  await api.clock.advance(53_000);
  for (const answer of [early, await whole]) {
    const { reason, message } = answer.json();
    assert.deepEqual([answer.status, reason], [504, "Timeout"]);
    assert.equal(message, "Timeout: request did not complete within the allotted timeout");
  }
  gate.open();
});

test("a timeout is a duration of Go, and none of its texts prolongs a request", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const text of ["0s", "-1s", "3h", "1.5s", ""]) {
    assert.equal((await api.http(`${MAPS}?timeout=${text}`)).status, 200, text);
  }
  const refused = await api.http(`${MAPS}?timeout=soon`);
  assert.equal(refused.status, 400);
  assert.equal(
    refused.json()["message"],
    'invalid timeout specified in the request URL - time: invalid duration "soon"',
  );
});

test("a write whose timeout cannot be read writes nothing", async () => {
  await using api = await startHttpsServer(Date.now());
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ metadata: { name: "a" } });
  const refused = await api.http(`${MAPS}?timeout=soon`, { method: "POST", headers, body });
  assert.equal(refused.status, 400);
  assert.equal((await api.http(`${MAPS}/a`)).status, 404);
});

test("a body that grows too large is refused, even if its beginning would do", async () => {
  await using api = await startHttpsServer(Date.now());
  const body = `metadata: {name: a}\n${"# so on\n".repeat(500_000)}`;
  const headers = { "content-type": "application/yaml", "transfer-encoding": "chunked" };
  const refused = await api.http(MAPS, { method: "POST", body, headers });
  assert.deepEqual([refused.status, refused.json()["reason"]], [413, "RequestEntityTooLarge"]);
  assert.equal((await api.http(`${MAPS}/a`)).status, 404);
});

test("resources offer no HEAD, and names no watch", async () => {
  await using api = await startHttpsServer(Date.now());
  await create(api);
  assert.equal((await api.http(MAPS, { method: "HEAD" })).status, 405);
  assert.equal((await api.http("/readyz", { method: "HEAD" })).status, 200);
  const named = await api.http(`${MAPS}/a?watch=true`);
  assert.equal(named.json()["kind"], "ConfigMap");
});

test("a method that nobody knows is not allowed, what is no request is not understood", async () => {
  await using api = await startHttpsServer(Date.now());
  const refused = await api.http(MAPS, { method: "FOO" });
  assert.deepEqual([refused.status, refused.json()["reason"]], [405, "MethodNotAllowed"]);
  const socket = tls.connect({ port: api.port, host: "127.0.0.1", ca: api.ca.pem.certPem });
  socket.write("no request\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
});

test("a table of an unknown form is refused before anything is done", async () => {
  await using api = await startHttpsServer(Date.now());
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  for (const query of ["", "&watch=1"]) {
    const answer = await api.http(`${MAPS}?includeObject=All${query}`, { headers: { accept } });
    assert.equal(answer.status, 400);
    assert.match(answer.json()["message"] as string, /must be 'Metadata', 'Object', 'None'/);
  }
});

test("a server that stops answers what it was asked and ends its watches", async () => {
  const gate = new Gate();
  await using api = await startHttpsServer(Date.now(), gate.options);
  const { port, client, ca } = api;
  const agent = new https.Agent({ ca: ca.pem.certPem, cert: client.certPem, key: client.keyPem });
  const watching = https.get({ host: "127.0.0.1", port, path: `${MAPS}?watch=1`, agent });
  const [watch] = (await once(watching, "response")) as [IncomingMessage];
  let watched = "";
  watch.on("data", (text: Buffer) => (watched += text.toString()));
  const ended = once(watch, "end");
  const created = create(api);
  await gate.arrived(1);
  const stopped = api.server[Symbol.asyncDispose]();
  gate.open();
  assert.equal((await created).status, 201);
  await ended;
  await stopped;
  // Complete: its last chunk came, too.
  assert.equal(watch.complete, true);
  assert.match(watched, /^\{"type":"ADDED".*"name":"a"/);
  await assert.rejects(api.http("/readyz"));
  agent.destroy();
});
