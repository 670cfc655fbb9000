import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as plainRequest,
  type RequestListener,
  type RequestOptions,
  type Server,
} from "node:http";
import {
  connect as connectHttp2,
  createSecureServer as createSecureHttp2Server,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTlsServer, request as tlsRequest } from "node:https";
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { createSecureContext, type TLSSocket } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { Cleanup } from "../../lib/cleanup.ts";
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import { systemRandom } from "../../sys/random.ts";
import { type IngressServer, startIngressServer } from "./ingress-server.ts";
import { selfSigned } from "./self-signed.ts";
import type { Endpoint, EndpointTls, UpstreamTimeouts } from "./upstream.ts";

const HOST = "shop.test";
const CERTIFICATE = selfSigned(HOST, { clock: systemClock, random: systemRandom });

interface World extends AsyncDisposable {
  server: IngressServer;
  /** May be changed at any time. */
  endpoints: Endpoint[];
  wantsTls: boolean;
  /** False for a rule that names another resource. */
  isService: boolean;
  cleanup: Cleanup;
}

async function world(timeouts: Partial<UpstreamTimeouts> = {}): Promise<World> {
  const cleanup = new Cleanup();
  const made = { endpoints: [] as Endpoint[], wantsTls: false, isService: true };
  const backend = { namespace: "shop", service: "web", port: 80 };
  const server = await startIngressServer({
    addresses: ["127.0.0.1"],
    httpPort: 0,
    httpsPort: 0,
    source: {
      routeOf: (host) => {
        if (host !== HOST) return undefined;
        return { backend: made.isService ? backend : undefined, wantsTls: made.wantsTls };
      },
      endpointsOf: () => made.endpoints,
      certificateOf: (name) =>
        name === HOST
          ? createSecureContext({ cert: CERTIFICATE.certPem, key: CERTIFICATE.keyPem })
          : undefined,
    },
    defaultCertificate: selfSigned("nobody", { clock: systemClock, random: systemRandom }),
    timeouts,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  cleanup.use(server);
  return Object.assign(made, {
    server,
    cleanup,
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  });
}

async function listen(cleanup: Cleanup, server: Server): Promise<Endpoint> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { address: "127.0.0.1", port, protocol: "http" };
}

function backend(
  of: World,
  answer: (...of: Parameters<RequestListener>) => unknown,
): Promise<Endpoint> {
  return listen(
    of.cleanup,
    createServer((...both) => void answer(...both)),
  );
}

async function h2cBackend(
  of: World,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<Endpoint> {
  const server = createHttp2Server();
  server.on("stream", answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  of.cleanup.defer(() => server.close());
  return { address: "127.0.0.1", port: (server.address() as AddressInfo).port, protocol: "h2c" };
}

async function unusedPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  trailers: NodeJS.Dict<string>;
}

async function read(incoming: IncomingMessage): Promise<Answer> {
  let body = "";
  for await (const chunk of incoming) body += String(chunk);
  const { statusCode: status = 0, headers, trailers } = incoming;
  return { status, headers, body, trailers };
}

async function ask(of: World, options: RequestOptions = {}, body?: string): Promise<Answer> {
  const { httpPort: port } = of.server;
  const headers = { host: HOST, ...(options.headers as object) };
  const asked = plainRequest({ host: "127.0.0.1", port, agent: false, ...options, headers });
  asked.end(body);
  const [incoming] = (await once(asked, "response")) as [IncomingMessage];
  return await read(incoming);
}

function http2Client(of: World) {
  const session = connectHttp2(`https://127.0.0.1:${of.server.httpsPort}`, {
    servername: HOST,
    ca: CERTIFICATE.certPem,
  });
  of.cleanup.defer(() => session.destroy());
  const head = { ":authority": HOST, ":path": "/pkg.Service/Call", ":method": "POST" };
  return {
    session,
    request: (headers: OutgoingHttpHeaders = {}) => session.request({ ...head, ...headers }),
  };
}

test("a request arrives with its own headers and the truth about its client", async () => {
  await using of = await world();
  let seen: { url: string | undefined; raw: string[]; body: string } | undefined;
  of.endpoints = [
    await backend(of, async (request, response) => {
      const { body } = await read(request);
      seen = { url: request.url, raw: request.rawHeaders, body };
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      response.writeHead(201, { "keep-alive": "timeout=1", "x-own": "yes" }).end("made");
    }),
  ];
  const headers = { "x-forwarded-for": "6.6.6.6", connection: "x-secret", "x-secret": "1" };
  const answer = await ask(of, { method: "POST", path: "/a?b=c", headers }, "body");
  assert.equal(answer.status, 201);
  assert.equal(answer.body, "made");
  assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
  assert.equal(answer.headers["x-own"], "yes");
  assert.equal(seen?.url, "/a?b=c");
  assert.equal(seen.body, "body");
  const value = (name: string) => seen?.raw[seen.raw.indexOf(name) + 1];
  assert.equal(value("Host"), HOST);
  assert.equal(value("X-Forwarded-For"), "127.0.0.1");
  assert.equal(value("X-Forwarded-Proto"), "http");
  assert.equal(seen.raw.filter((text) => text.toLowerCase() === "x-forwarded-for").length, 1);
  assert.ok(!seen.raw.includes("x-secret"));
});

test("TLS serves HTTP/1.1 and HTTP/2 with the certificate of the name", async () => {
  await using of = await world();
  of.endpoints = [
    await backend(of, (request, response) => {
      response.end(`${request.method} ${String(request.headers["x-forwarded-proto"])}`);
    }),
  ];
  const options = { host: "127.0.0.1", port: of.server.httpsPort, servername: HOST, agent: false };
  const asked = tlsRequest({ ...options, ca: CERTIFICATE.certPem, headers: { host: HOST } }).end();
  const [incoming] = (await once(asked, "response")) as [IncomingMessage];
  assert.equal((await read(incoming)).body, "GET https");

  const stream = http2Client(of).request({ "content-type": "text/plain" });
  stream.end("x");
  const [head] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
  let body = "";
  for await (const chunk of stream) body += String(chunk);
  assert.equal(head[":status"], 200);
  assert.equal(body, "POST https");

  const stranger = tlsRequest({ ...options, servername: "x.test", ca: CERTIFICATE.certPem });
  const [error] = (await once(stranger.end(), "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "DEPTH_ZERO_SELF_SIGNED_CERT");
});

test("gRPC streams both ways and keeps its trailers", async () => {
  await using of = await world();
  of.endpoints = [
    await h2cBackend(of, (stream, headers) => {
      if (headers[":path"] === "/refused") {
        return stream.respond({ ":status": 200, "grpc-status": "7" }, { endStream: true });
      }
      stream.respond({ ":status": 200, te: String(headers["te"]) }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.on("data", (chunk: Buffer) => stream.write(`echo ${chunk.toString()}`));
      stream.on("end", () => stream.end());
    }),
  ];
  const client = http2Client(of);
  const stream = client.request({ "content-type": "application/grpc", te: "trailers" });
  stream.setEncoding("utf8");
  for (const word of ["one", "two"]) {
    stream.write(word);
    const [echo] = (await once(stream, "data")) as [string];
    assert.equal(echo, `echo ${word}`);
  }
  const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
  stream.end();
  assert.equal((await trailers)[0]["grpc-status"], "0");

  const refused = client.request({ ":path": "/refused", "content-type": "application/grpc" });
  refused.end();
  const [head, flags] = (await once(refused, "response")) as [IncomingHttpHeaders, number];
  assert.equal(head["grpc-status"], "7");
  assert.equal(flags & 1, 1, "the stream must end with its headers");
  refused.resume();
  await once(refused, "close");
});

test("backends may be spoken to by TLS, in both versions of HTTP", async () => {
  await using of = await world();
  const pair = { cert: CERTIFICATE.certPem, key: CERTIFICATE.keyPem };
  const secured = createTlsServer(pair, (request, response) => {
    response.end(`${request.headers.host} by TLS ${request.httpVersion}`);
  });
  of.endpoints = [{ ...(await listen(of.cleanup, secured)), protocol: "https" }];
  assert.equal((await ask(of)).body, `${HOST} by TLS 1.1`);
  const both = createSecureHttp2Server(pair);
  both.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.respond({ ":status": 200 });
    stream.end(`${headers[":scheme"]} ${headers[":authority"]}`);
  });
  both.listen(0, "127.0.0.1");
  await once(both, "listening");
  of.cleanup.defer(() => both.close());
  const { port } = both.address() as AddressInfo;
  of.endpoints = [{ address: "127.0.0.1", port, protocol: "h2" }];
  assert.equal((await ask(of)).body, `https ${HOST}`);
});

test("backends that must prove who they are are not spoken to when they cannot", async () => {
  await using of = await world();
  const pair = { cert: CERTIFICATE.certPem, key: CERTIFICATE.keyPem };
  const client = selfSigned("proxy", { clock: systemClock, random: systemRandom });
  const options = { ...pair, requestCert: true, rejectUnauthorized: false };
  const secured = createTlsServer(options, ({ socket }, response) => {
    const { subject } = (socket as TLSSocket).getPeerCertificate();
    response.end(`1.1 to ${subject?.CN}`);
  });
  const http1 = { ...(await listen(of.cleanup, secured)), protocol: "https" as const };
  const both = createSecureHttp2Server(options);
  both.on("stream", (stream: ServerHttp2Stream) => {
    const socket = stream.session?.socket as TLSSocket | undefined;
    stream.respond({ ":status": 200 });
    stream.end(`2 to ${socket?.getPeerCertificate().subject?.CN}`);
  });
  both.listen(0, "127.0.0.1");
  await once(both, "listening");
  of.cleanup.defer(() => both.close());
  const { port } = both.address() as AddressInfo;
  const http2 = { address: "127.0.0.1", port, protocol: "h2" as const };
  const proof = { rejectUnauthorized: true, servername: HOST, ca: CERTIFICATE.certPem };
  const own = { ...proof, cert: client.certPem, key: client.keyPem };
  for (const [endpoint, version] of [
    [http1, "1.1"],
    [http2, "2"],
  ] as const) {
    const answerBy = async (tls: EndpointTls) => {
      of.endpoints = [{ ...endpoint, tls }];
      const { status, body } = await ask(of);
      return status === 200 ? body : status;
    };
    assert.equal(await answerBy({ id: "proven", ...proof }), `${version} to undefined`);
    assert.equal(await answerBy({ id: "name", ...proof, servername: "other.test" }), 502);
    assert.equal(await answerBy({ id: "authority", ...proof, ca: client.certPem }), 502);
    assert.equal(await answerBy({ id: "own", ...own }), `${version} to proxy`);
  }
});

test("a rule for another resource is refused with its reason", async () => {
  await using of = await world();
  of.isService = false;
  const { status, body } = await ask(of);
  assert.equal(status, 501);
  assert.match(body, /only Services are served/);
});

test("the name of a server outside does not lead to the node itself", async () => {
  await using of = await world();
  const inside = await backend(of, (_, response) => response.end("secret"));
  of.endpoints = [{ ...inside, address: "localhost" }];
  assert.equal((await ask(of)).status, 502);
});

test("trailers of HTTP/1.1 arrive", async () => {
  await using of = await world();
  of.endpoints = [
    await backend(of, (_request, response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("part");
      response.addTrailers({ "x-sum": "4" });
      response.end();
    }),
  ];
  const answer = await ask(of);
  assert.equal(answer.body, "part");
  assert.equal(answer.trailers["x-sum"], "4");
});

test("a WebSocket passes, and an endpoint may refuse it", async () => {
  await using of = await world();
  const plain = createServer((_request, response) => response.writeHead(418).end("tea"));
  const sockets = new WebSocketServer({ noServer: true });
  plain.on("upgrade", (request, socket, head) => {
    if (request.url === "/refused") {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) =>
      opened.on("message", (data: Buffer) => opened.send(`echo ${data.toString()}`)),
    );
  });
  of.endpoints = [await listen(of.cleanup, plain)];
  const url = `ws://127.0.0.1:${of.server.httpPort}`;
  const socket = new WebSocket(url, { headers: { host: HOST } });
  await once(socket, "open");
  socket.send("hello");
  const [message] = (await once(socket, "message")) as [Buffer];
  assert.equal(message.toString(), "echo hello");
  socket.close();
  await once(socket, "close");

  const refused = new WebSocket(`${url}/refused`, { headers: { host: HOST } });
  const [error] = (await once(refused, "error")) as [Error];
  assert.match(error.message, /403/);
  const unknown = new WebSocket(url, { headers: { host: "x.test" } });
  const [missing] = (await once(unknown, "error")) as [Error];
  assert.match(missing.message, /404/);
  const h2c = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "" };
  assert.equal((await ask(of, { headers: h2c })).status, 418);
});

test("an endpoint that cannot be reached is passed over, whatever the method", async () => {
  await using of = await world();
  const dead: Endpoint = { address: "127.0.0.1", port: await unusedPort(), protocol: "http" };
  const alive = await backend(of, async (request, response) => {
    response.end((await read(request)).body);
  });
  of.endpoints = [dead, alive];
  for (let round = 0; round < 8; round++) {
    const answer = await ask(of, { method: "POST" }, `body ${round}`);
    assert.equal(`${answer.status} ${answer.body}`, `200 body ${round}`);
  }
  of.endpoints = [dead];
  assert.equal((await ask(of)).status, 502);
  of.endpoints = [];
  assert.equal((await ask(of)).status, 503);
  assert.equal((await ask(of, { headers: { host: "other.test" } })).status, 404);
});

test("a connection that was closed while idle does not fail the next request", async () => {
  await using of = await world();
  const server = createServer((_request, response) => response.end("ok"));
  of.endpoints = [await listen(of.cleanup, server)];
  assert.equal((await ask(of)).status, 200);
  server.closeAllConnections();
  assert.equal((await ask(of)).status, 200);
});

test("silence is answered in the proxy's name, and a broken answer is seen to be broken", async () => {
  await using of = await world({ answerMs: 50 });
  of.endpoints = [
    await backend(of, (request, response) => {
      if (request.url === "/silent") return;
      response.writeHead(200, { "content-length": "100" });
      response.write("part");
      setImmediate(() => response.destroy());
    }),
  ];
  assert.equal((await ask(of, { path: "/silent" })).status, 504);
  await assert.rejects(ask(of, { path: "/broken" }), /aborted|ECONNRESET|socket hang up/);
});

test("nothing piles up in the proxy when a client does not read", async () => {
  await using of = await world();
  const CHUNK = Buffer.alloc(1 << 16);
  let sentBytes = 0;
  let isStalled: () => void = () => {};
  const stalled = new Promise<void>((resolve) => (isStalled = resolve));
  of.endpoints = [
    await backend(of, (_request, response) => {
      const fill = () => {
        while (sentBytes < 1 << 28) {
          sentBytes += CHUNK.length;
          if (!response.write(CHUNK)) {
            response.once("drain", fill);
            // Without back-pressure "drain" comes again and again, up to the end.
            const before = sentBytes;
            setTimeout(() => before === sentBytes && isStalled(), 200).unref();
            return;
          }
        }
        isStalled();
      };
      fill();
    }),
  ];
  const { httpPort: port } = of.server;
  const asked = plainRequest({ host: "127.0.0.1", port, agent: false, headers: { host: HOST } });
  asked.end();
  const [incoming] = (await once(asked, "response")) as [IncomingMessage];
  incoming.pause();
  await stalled;
  assert.ok(sentBytes < 1 << 27, `${sentBytes} bytes were taken`);
  asked.destroy();
});

test("requests that could be read in two ways are refused", async () => {
  await using of = await world();
  of.endpoints = [await backend(of, (_request, response) => response.end("reached"))];
  const raw = async (text: string): Promise<string> => {
    const socket = connectTcp(of.server.httpPort, "127.0.0.1");
    socket.write(text);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer.split("\r\n")[0] ?? "";
  };
  const start = `GET / HTTP/1.1\r\nConnection: close\r\nHost: ${HOST}\r\n`;
  assert.match(await raw(`${start}\r\n`), / 200 /);
  assert.match(await raw(`${start}Host: other.test\r\n\r\n`), / 400 /);
  const both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  assert.match(await raw(start + both), / 400 /);
  assert.match(await raw(`${start}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`), / 400 /);
  assert.match(await raw(`${start}X: a\r\n b\r\nTransfer-Encoding : chunked\r\n\r\n`), / 400 /);
  assert.match(await raw(start.replace("GET /", "GET http://a.test/") + "\r\n"), / 400 /);
});

test("a host that wants TLS is redirected, and a change counts for the next request", async () => {
  await using of = await world();
  let finish: () => void = () => {};
  of.endpoints = [
    await backend(of, (_request, response) => {
      response.write("begun ");
      finish = () => response.end("by the old one");
    }),
  ];
  const options = { host: "127.0.0.1", port: of.server.httpPort, agent: false };
  const asked = plainRequest({ ...options, headers: { host: HOST } }).end();
  const [incoming] = (await once(asked, "response")) as [IncomingMessage];
  of.endpoints = [await backend(of, (_request, response) => response.end("new"))];
  assert.equal((await ask(of)).body, "new");
  finish();
  assert.equal((await read(incoming)).body, "begun by the old one");
  of.wantsTls = true;
  const answer = await ask(of, { path: "/a?b" });
  assert.equal(answer.status, 308);
  assert.equal(answer.headers.location, `https://${HOST}:${of.server.httpsPort}/a?b`);
});
