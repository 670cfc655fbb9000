import assert from "node:assert/strict";
import { once } from "node:events";
import { type RequestOptions, request } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createFakeBackend, type FakeBackend, type FakeProcess } from "./fake-stream-backend.ts";
import type { NodeAttributes, NodeCaller } from "./node-access.ts";
import { createSpdyClient } from "./spdy-client-fixture.ts";
import { get, openSocket } from "./stream-client-fixture.ts";
import { startStreamServer } from "./stream-server.ts";
import { createTlsFixture } from "./tls-fixture.ts";
import { messageBytes } from "./websocket-channels.ts";
import { createWebSocketTunnel } from "./websocket-tunnel-fixture.ts";

const tls = createTlsFixture(Date.now());
const SERVER = tls.issue("system:node:n1", { usage: "server" });
const API_SERVER = tls.issue("api", { organizations: ["system:masters"] });
interface World {
  backend: FakeBackend;
  options: RequestOptions;
  clock: VirtualClock;
}

async function withServer(
  run: (process: FakeProcess) => void,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const backend = createFakeBackend(run);
  const clock = new VirtualClock();
  await using server = await startStreamServer({
    tls: { cert: SERVER.certPem, key: SERVER.keyPem, clientCa: tls.caPem },
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock,
  });
  server.serve(backend);
  const options = {
    host: "127.0.0.1",
    port: server.port,
    ca: tls.caPem,
    cert: API_SERVER.certPem,
    key: API_SERVER.keyPem,
    agent: false as const,
  };
  await body({ backend, options, clock });
}

const nothing = () => {};

/** Upper-cases what it reads, complains on stderr, and exits with 3. */
function shout(played: FakeProcess): void {
  played.stderr.write("careful\n");
  played.stdin.on("data", (chunk: Buffer) => played.stdout.write(chunk.toString().toUpperCase()));
  played.stdin.on("end", () => played.exit(3));
}

const HANDSHAKE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const EXEC = "/exec/a/web/c?command=sh&command=-c&input=1&output=1&error=1";

test("pages need a certificate of the API server", () =>
  withServer(nothing, async ({ options }) => {
    assert.deepEqual(await get(options, "/healthz"), { status: 200, text: "ok" });
    assert.match((await get(options, "/pods")).text, /"kind":"PodList".*"name":"web"/);
    const part = (name: string) => get(options, `/healthz/${name}`).then(({ text }) => text);
    assert.deepEqual(await Promise.all(["ping", "log", "syncloop"].map(part)), ["ok", "ok", "ok"]);
    const running = JSON.parse((await get(options, "/runningpods/")).text) as { items: object[] };
    const spec = { containers: [{ name: "up", image: "app:1", resources: {} }] };
    const metadata = { name: "web", namespace: "a" };
    assert.deepEqual(running.items, [{ metadata, spec, status: {} }]);
    assert.equal((await get(options, "/metrics")).text, "up 1\n");
    assert.equal((await get(options, "/stats/summary")).text, '{"node":{}}');
    assert.equal((await get(options, "/configz")).text, '{"kubeletconfig":{"maxPods":110}}');
    const checkpoint = (path: string, method: string) =>
      get(options, `/checkpoint/${path}`, { method });
    const refused = await checkpoint("a/web/c", "POST");
    assert.equal(refused.status, 500);
    assert.match(refused.text, /no checkpoint of c/);
    assert.equal((await checkpoint("a/web/c", "GET")).status, 405);
    assert.equal((await checkpoint("a/web", "POST")).status, 404);
    assert.equal((await get(options, "/nothing")).status, 404);
    const { ca, host, port } = options;
    const bare = { ca, host, port, agent: false as const };
    assert.equal((await get(bare as RequestOptions, "/pods")).status, 401);
    const tenant = tls.issue("jane", { organizations: ["dev"] });
    const as = (pair: typeof tenant) => ({ cert: pair.certPem, key: pair.keyPem });
    assert.equal((await get(options, "/pods", as(tenant))).status, 403);
    const foreign = createTlsFixture(Date.now()).issue("x", { organizations: ["system:masters"] });
    assert.equal((await get(options, "/pods", as(foreign))).status, 401);
  }));

test("logs pass their options on, and refusals are a Status", () =>
  withServer(nothing, async ({ options, backend }) => {
    const path = "/containerLogs/a/web/c?follow=true&tailLines=5&sinceTime=2026-06-01T00:00:00Z";
    assert.equal((await get(options, path)).text, "one\ntwo\n");
    assert.deepEqual(backend.logOptions[0], {
      follow: true,
      previous: false,
      timestamps: false,
      tailLines: 5,
      sinceTimeMs: Date.UTC(2026, 5, 1),
    });
    const missing = await get(options, "/containerLogs/a/missing/c");
    assert.equal(missing.status, 404);
    assert.match(missing.text, /pods \\"missing\\" not found/);
    assert.equal((await get(options, EXEC)).status, 400);
  }));

test("logs over WebSocket come as messages and end with the connection", () =>
  withServer(nothing, async ({ options }) => {
    const client = openSocket(options, "/containerLogs/a/web/c", ["base64.binary.k8s.io"]);
    const texts: string[] = [];
    client.socket.on("message", (data) =>
      texts.push(Buffer.from(messageBytes(data).toString(), "base64").toString()),
    );
    assert.equal(await client.closed, 1000);
    assert.equal(texts.join(""), "one\ntwo\n");
  }));

for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io"]) {
  test(`exec over WebSocket ${protocol}: streams, resize, exit code`, () =>
    withServer(shout, async ({ options, backend }) => {
      const client = openSocket(options, EXEC, [protocol]);
      await client.opened;
      assert.equal(client.socket.protocol, protocol);
      client.socket.send(Buffer.from([4, ...Buffer.from('{"Width":80,"Height":24}')]));
      client.socket.send(Buffer.from("\0hello"));
      if (protocol.startsWith("v5")) client.socket.send(Uint8Array.of(255, 0));
      else {
        while (client.textOf(1) === "") {
          await new Promise((resolve) => client.socket.once("message", resolve));
        }
        backend.processes[0]?.exit(3);
      }
      assert.equal(await client.closed, 1000);
      assert.equal(client.textOf(1), "HELLO");
      assert.equal(client.textOf(2), "careful\n");
      const status = JSON.parse(client.textOf(3)) as {
        reason: string;
        details: { causes: { message: string }[] };
      };
      assert.equal(status.reason, "NonZeroExitCode");
      assert.equal(status.details.causes[0]?.message, "3");
      const [played] = backend.processes;
      assert.deepEqual(played?.options.command, ["sh", "-c"]);
      assert.deepEqual(played?.sizes, [{ columns: 80, rows: 24 }]);
      await played?.disposed;
    }));
}

test("a command that cannot start is refused before the upgrade", () =>
  withServer(nothing, async ({ options }) => {
    const path = "/exec/a/missing/c?command=x&output=1";
    await assert.rejects(openSocket(options, path, ["v5.channel.k8s.io"]).opened, /404/);
    await assert.rejects(upgradeSpdy(options, path, "v4.channel.k8s.io"), /status 404/);
  }));

test("input waits for a process that does not read", () =>
  withServer(nothing, async ({ options, backend }) => {
    const client = openSocket(options, EXEC, ["v5.channel.k8s.io"]);
    await client.opened;
    const part = Buffer.concat([Uint8Array.of(0), Buffer.alloc(256 * 1024)]);
    for (let sent = 0; sent < 64; sent++) client.socket.send(part);
    while (!client.socket.isPaused && client.socket.bufferedAmount === 0) {
      await new Promise(setImmediate);
    }
    const [played] = backend.processes;
    assert.ok((played?.stdin.writableLength ?? 0) < 4 * 1024 * 1024);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      played?.stdin.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received === 64 * 256 * 1024) resolve();
      });
    });
    await all;
    client.socket.terminate();
    await played?.disposed;
  }));

test("a client that goes away ends its process", () =>
  withServer(nothing, async ({ options, backend }) => {
    const client = openSocket(options, EXEC, ["v4.channel.k8s.io"]);
    await client.opened;
    while (backend.processes.length === 0) await new Promise(setImmediate);
    client.socket.terminate();
    await backend.processes[0]?.disposed;
  }));

test("a client that goes away while its input is held ends its process too", () =>
  withServer(nothing, async ({ options, backend, clock }) => {
    const client = openSocket(options, EXEC, ["v5.channel.k8s.io"]);
    await client.opened;
    const part = Buffer.concat([Uint8Array.of(0), Buffer.alloc(256 * 1024)]);
    for (let sent = 0; sent < 64; sent++) client.socket.send(part);
    const isHeld = () => (backend.processes[0]?.stdin.writableLength ?? 0) >= 1 << 20;
    while (!isHeld()) await new Promise(setImmediate);
    client.socket.terminate();
    await client.closed;
    let ended = false;
    void backend.processes[0]?.disposed.then(() => (ended = true));
    // The first probe meets a closed connection, the second one its answer.
    while (!ended) await clock.advance(10_000);
  }));

test("big output arrives whole, at the pace of the client", () => {
  const size = 8 * 1024 * 1024;
  const flood = (played: FakeProcess) => {
    played.stdout.on("finish", () => played.exit(0));
    played.stdout.end(Buffer.alloc(size, 120));
  };
  return withServer(flood, async ({ options }) => {
    const client = openSocket(options, "/exec/a/web/c?command=x&output=1", ["v5.channel.k8s.io"]);
    await client.closed;
    assert.equal(client.textOf(1).length, size);
    assert.match(client.textOf(3), /"status":"Success"/);
  });
});

function upgradeSpdy(options: RequestOptions, path: string, protocol: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "SPDY/3.1",
      "X-Stream-Protocol-Version": protocol,
    };
    const outgoing = request({ ...options, path, method: "POST", headers });
    outgoing.once("upgrade", (response, socket, head) => {
      assert.equal(response.headers["x-stream-protocol-version"], protocol.split(",")[0]);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    outgoing.once("response", (response) => reject(new Error(`status ${response.statusCode}`)));
    outgoing.once("error", reject);
    outgoing.end();
  });
}

test("exec over SPDY: streams, half-close, exit code", () =>
  withServer(shout, async ({ options }) => {
    const protocols = "v4.channel.k8s.io,channel.k8s.io";
    const client = createSpdyClient(
      await upgradeSpdy(options, EXEC, protocols),
      new VirtualClock(),
    );
    const open = (streamtype: string) => client.open({ streamtype });
    const [errors, stdin, stdout, stderr] = ["error", "stdin", "stdout", "stderr"].map(open);
    await client.ping();
    for (const stream of [errors, stdin, stdout, stderr]) await stream?.accepted;
    stdin?.write("hello");
    stdin?.end();
    assert.equal(await stdout?.ended, "HELLO");
    assert.equal(await stderr?.ended, "careful\n");
    assert.match((await errors?.ended) ?? "", /"reason":"ExitCode","message":"3"/);
    await client.closed;
  }));

test("a client that leaves while its command starts leaves no command behind", () =>
  withServer(nothing, async ({ options, backend }) => {
    const { exec } = backend;
    for (const upgrade of ["websocket", "SPDY/3.1"]) {
      let release: () => void = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      const asked = new Promise<void>((resolve) => {
        backend.exec = async (target, flags) => {
          resolve();
          await released;
          return await exec(target, flags);
        };
      });
      const headers = { ...HANDSHAKE, Upgrade: upgrade };
      const outgoing = request({ ...options, path: EXEC, headers });
      outgoing.on("error", () => {});
      outgoing.end();
      await asked;
      outgoing.destroy();
      await new Promise((resolve) => outgoing.once("close", resolve));
      release();
      while (!backend.processes.at(-1)) await new Promise(setImmediate);
      await backend.processes.pop()?.disposed;
    }
  }));

test("a handshake that is none leaves no command behind", () =>
  withServer(nothing, async ({ options, backend }) => {
    const headers = { ...HANDSHAKE, "Sec-WebSocket-Key": "short" };
    assert.equal((await get(options, EXEC, { headers })).status, 400);
    await backend.processes[0]?.disposed;
  }));

test("a protocol that nobody knows is refused before the upgrade", () =>
  withServer(nothing, async ({ options }) => {
    await assert.rejects(upgradeSpdy(options, EXEC, "v9.channel.k8s.io"), /status 403/);
    const client = openSocket(options, EXEC, ["v9.channel.k8s.io"]);
    await assert.rejects(client.opened, /403/);
  }));

test("garbage instead of SPDY ends the connection", () =>
  withServer(nothing, async ({ options }) => {
    const socket = await upgradeSpdy(options, EXEC, "v4.channel.k8s.io");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write(Buffer.from([0x80, 0x09, 0, 1, 0, 0, 0, 0]));
    await closed;
  }));

async function withEcho(body: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function exchange(transport: Duplex, port: number): Promise<void> {
  const client = createSpdyClient(transport, new VirtualClock());
  const connection = (requestID: string, to: number) => {
    const headers = { port: String(to), requestID };
    const errors = client.open({ ...headers, streamtype: "error" });
    errors.end();
    return { errors, data: client.open({ ...headers, streamtype: "data" }) };
  };
  const [first, second] = [connection("0", port), connection("1", port)];
  first.data.write("one");
  second.data.write("two");
  first.data.end();
  second.data.end();
  assert.equal(await first.data.ended, "one");
  assert.equal(await second.data.ended, "two");
  assert.equal(await first.errors.ended, "");
  const refused = connection("2", 1);
  assert.match(await refused.errors.ended, /error forwarding port 1 to pod a\/web: .*ECONNREFUSED/);
  client.destroy();
  await client.closed;
}

test("port-forward over SPDY", () =>
  withEcho((port) =>
    withServer(nothing, async ({ options }) => {
      const path = "/portForward/a/web";
      await exchange(await upgradeSpdy(options, path, "portforward.k8s.io"), port);
    }),
  ));

/** A WebSocket as kubectl opens it; the library would not send this subprotocol. */
function openTunnel(options: RequestOptions, path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = { ...HANDSHAKE, "Sec-WebSocket-Protocol": "SPDY/3.1+portforward.k8s.io" };
    const outgoing = request({ ...options, path, headers });
    outgoing.once("upgrade", (response, socket, head) => {
      assert.equal(response.headers["sec-websocket-protocol"], "SPDY/3.1+portforward.k8s.io");
      if (head.length > 0) socket.unshift(head);
      resolve(createWebSocketTunnel(socket));
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

test("port-forward over SPDY in a WebSocket", () =>
  withEcho((port) =>
    withServer(nothing, async ({ options }) => {
      await exchange(await openTunnel(options, "/portForward/a/web"), port);
    }),
  ));

test("port-forward over WebSocket channels", () =>
  withEcho((port) =>
    withServer(nothing, async ({ options }) => {
      const path = `/portForward/a/web?port=${port}`;
      const client = openSocket(options, path, ["v4.channel.k8s.io"]);
      await client.opened;
      client.socket.send(Buffer.from("\0ping"));
      while (!client.textOf(0).endsWith("ping")) {
        await new Promise((resolve) => client.socket.once("message", resolve));
      }
      assert.equal(client.messages.filter(({ channel }) => channel === 1).length, 1);
      client.socket.close();
      await client.closed;
    }),
  ));

test("a pod that has ended its direction of a channel still reads", () =>
  withServer(nothing, async ({ options, clock }) => {
    const connections: Socket[] = [];
    await using server = createServer({ allowHalfOpen: true }, (socket) => {
      connections.push(socket);
      socket.end("bye");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const client = openSocket(options, `/portForward/a/web?port=${port}`, ["v4.channel.k8s.io"]);
    await client.opened;
    while (!client.textOf(0).endsWith("bye")) {
      await new Promise((resolve) => client.socket.once("message", resolve));
    }
    client.socket.send(Buffer.from("\0late"));
    const [connection] = connections;
    assert.equal(String((await once(connection ?? server, "data"))[0]), "late");
    let closed = false;
    void client.closed.then(() => (closed = true));
    while (!closed) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }));

test("whoever is not the API server is let in by its word, for what the path stands for", async () => {
  const asked: [NodeCaller, NodeAttributes][] = [];
  await using server = await startStreamServer({
    tls: { cert: SERVER.certPem, key: SERVER.keyPem, clientCa: tls.caPem },
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: new VirtualClock(),
    askAccess: async (caller, needed) => {
      asked.push([caller, needed]);
      if (caller.authorization === "Bearer bad") throw new StatusError("Forbidden", "no");
    },
  });
  server.serve(createFakeBackend(nothing));
  const options = { host: "127.0.0.1", port: server.port, ca: tls.caPem, agent: false as const };
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  assert.equal((await get(options, "/metrics/cadvisor")).status, 401, "without credentials");
  assert.equal((await get(options, "/metrics/cadvisor", as("bad"))).status, 403);
  assert.equal((await get(options, "/healthz", as("good"))).text, "ok");
  const { certPem: cert, keyPem: key } = tls.issue("jane", { organizations: ["ops"] });
  await get(options, "/stats/summary?only_cpu_and_memory=true", { cert, key });
  await get(options, "/exec/a/b/c?command=id", { cert, key, method: "POST" });
  assert.deepEqual(
    asked.map(([{ authorization, clientCertificate }, needed]) => [
      authorization ?? (clientCertificate ? "a certificate" : "nothing"),
      `${needed.verb} nodes/${needed.subresource}`,
    ]),
    [
      ["Bearer bad", "get nodes/metrics"],
      ["Bearer good", "get nodes/proxy"],
      ["a certificate", "get nodes/stats"],
      ["a certificate", "create nodes/proxy"],
    ],
  );
});
