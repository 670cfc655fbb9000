import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { test } from "node:test";
import { isNotFound, StatusError } from "../api/errors.ts";
import { settle } from "../lib/virtual-clock.ts";
import {
  handlerOver,
  issueTestCertificates,
  serveTls,
  type TestCertificates,
  type TestHandler,
} from "./https-test-server.ts";
import { createHttpsTransport, type HttpsTransport } from "./https-transport.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { describeTransport, type OpenTransport } from "./transport-conformance.ts";

const certificates: TestCertificates = issueTestCertificates(Date.now());

describeTransport({
  name: "memory",
  open: async () => {
    const transport = new MemoryTransport();
    const compact = async () => transport.compact();
    return { transport, compact, [Symbol.asyncDispose]: async () => {} };
  },
});

describeTransport({ name: "https", open: openOverHttps });

async function openOverHttps(): Promise<OpenTransport> {
  const memory = new MemoryTransport();
  const served = await serveTls(certificates, handlerOver(memory));
  const transport = createHttpsTransport({ server: served.url, caPem: certificates.caPem });
  return {
    transport,
    compact: async () => memory.compact(),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
      await served[Symbol.asyncDispose]();
      await settle();
      assert.equal(memory.openWatches, 0);
    },
  };
}

interface Bench extends AsyncDisposable {
  transport: HttpsTransport;
  url: string;
  server: { closeIdleConnections(): void; closeAllConnections(): void };
}

async function serving(handler: TestHandler, more: object = {}): Promise<Bench> {
  const served = await serveTls(certificates, handler);
  const { caPem } = certificates;
  const transport = createHttpsTransport({ server: served.url, caPem, ...more });
  return {
    transport,
    url: served.url,
    server: served.server,
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** A watch and how it ended. */
async function watchOf(
  transport: HttpsTransport,
): Promise<{ events: unknown[]; ended: Promise<unknown[]>; closings: unknown[][] }> {
  const events: unknown[] = [];
  const closings: unknown[][] = [];
  const ended = new Promise<unknown[]>((resolve, reject) => {
    const sink = {
      event: (type: string) => void events.push(type),
      closed: (...how: unknown[]) => {
        closings.push(how);
        resolve(how);
      },
    };
    transport.watch({ method: "GET", path: "/api/v1/pods" }, sink).catch(reject);
  });
  return { events, ended, closings };
}

test("presents the client certificate and the token", async () => {
  const { certPem, keyPem } = certificates.client;
  let seen: unknown[] = [];
  const handler: TestHandler = (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    seen = [subject.CN, request.headers.authorization];
    response.end("{}");
  };
  await using bench = await serving(handler, { certPem, keyPem, token: "secret" });
  await bench.transport.request({ method: "GET", path: "/api" });
  assert.deepEqual(seen, ["client", "Bearer secret"]);
});

test("refuses a server that another authority vouches for", async () => {
  await using bench = await serving((_request, response) => void response.end("{}"));
  const { caPem } = issueTestCertificates(Date.now());
  using stranger = createHttpsTransport({ server: bench.url, caPem });
  await assert.rejects(stranger.request({ method: "GET", path: "/api" }), /certificate|signature/);
});

test("an answer that is no Status still becomes a StatusError by its code", async () => {
  await using bench = await serving((_request, response) => {
    response.writeHead(404);
    response.end("page not found");
  });
  await assert.rejects(bench.transport.request({ method: "GET", path: "/x" }), (error) => {
    assert.ok(error instanceof StatusError && isNotFound(error));
    assert.equal(error.message, "page not found");
    return true;
  });
});

test("an answer that is no JSON is an error that shows its beginning", async () => {
  await using bench = await serving((_request, response) => void response.end("<html>"));
  await assert.rejects(bench.transport.request({ method: "GET", path: "/" }), /not JSON: <html>/);
});

test("a read that meets a connection closed while idle is sent again", async () => {
  let requests = 0;
  await using bench = await serving((request, response) => {
    if (++requests === 2) request.socket.destroy();
    else response.end("{}");
  });
  await bench.transport.request({ method: "GET", path: "/1" });
  await bench.transport.request({ method: "GET", path: "/2" });
  assert.equal(requests, 3);
});

test("a server that never answers the handshake is given up", async () => {
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  using transport = createHttpsTransport({ server: `https://127.0.0.1:${port}`, handshakeMs: 50 });
  const path = "/api/v1/pods";
  await assert.rejects(transport.request({ method: "GET", path }), /no TLS handshake in time/);
  await new Promise((resolve) => silent.close(resolve));
});

test("a request that waited for another one's connection may take longer than a handshake", async () => {
  const handshakeMs = 1_500;
  const slowly = (response: { end(text: string): void }) =>
    void setTimeout(() => response.end("{}"), handshakeMs + 100);
  await using bench = await serving(
    (request, response) => (request.url === "/last" ? slowly(response) : void response.end("{}")),
    { handshakeMs },
  );
  // All connections that there may be are taken before the last request comes.
  const first = Array.from({ length: 32 }, (_, nth) => `/${nth}`);
  const requests = [...first, "/last"].map((path) =>
    bench.transport.request({ method: "GET", path }),
  );
  await Promise.all(requests);
});

test("an aborted request ends at once", async () => {
  const stop = new AbortController();
  await using bench = await serving(() => stop.abort());
  const request = { method: "GET", path: "/", signal: stop.signal } as const;
  await assert.rejects(bench.transport.request(request), /abort/i);
});

test("a watch that the server ends closes once, without an error", async () => {
  await using bench = await serving((_request, response) => {
    response.write('{"type":"ADDED","object":{}}\n{"type":"MOD');
    response.end('IFIED","object":{}}\n');
  });
  const { events, ended, closings } = await watchOf(bench.transport);
  assert.deepEqual(await ended, [undefined]);
  assert.deepEqual(events, ["ADDED", "MODIFIED"]);
  assert.equal(closings.length, 1);
});

test("a broken connection, a broken line and an ERROR event each close a watch once", async () => {
  const answers: ((response: Parameters<TestHandler>[1]) => void)[] = [
    (response) => {
      response.write('{"type":"ADDED","object":{}}\n', () => response.destroy());
    },
    (response) => void response.write("no json\n"),
    (response) => {
      const status = new StatusError("Expired", "too old").status;
      response.write(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    },
  ];
  for (const answer of answers) {
    await using bench = await serving((_request, response) => answer(response));
    const { ended, closings } = await watchOf(bench.transport);
    const [error] = await ended;
    assert.ok(error instanceof Error);
    await new Promise((done) => setImmediate(done));
    assert.equal(closings.length, 1);
  }
});

test("a refused watch rejects", async () => {
  await using bench = await serving((_request, response) => {
    response.writeHead(410);
    response.end(JSON.stringify(new StatusError("Expired", "too old").status));
  });
  const { ended } = await watchOf(bench.transport);
  await assert.rejects(ended, /too old/);
});
