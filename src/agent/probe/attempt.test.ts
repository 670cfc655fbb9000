import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import type { HTTPGetAction } from "../../api/generated/types/core-v1.ts";
import type { ContainerRuntime } from "../runtime/contract.ts";
import { attempt, type ProbeAction } from "./attempt.ts";
import type { AttemptContext, Outcome } from "./outcome.ts";

/** What became of an attempt where commands end as told. */
async function outcome(
  action: ProbeAction,
  ended: { exitCode?: number; stdout?: string; stderr?: string; timedOut?: boolean } = {},
  more: Partial<AttemptContext> = {},
): Promise<Outcome> {
  const result = { exitCode: 1, stdout: "", stderr: "", timedOut: false, ...ended };
  const runtime = { execSync: () => Promise.resolve(result) } as unknown as ContainerRuntime;
  const target = { containerId: "c", podIp: "127.0.0.1", container: { name: "c" } };
  const context = { target, runtime, timeoutMs: 1_000, userAgent: "kube-probe/1.32", ...more };
  return await attempt(action, context as AttemptContext);
}

const failed = (message: string): Outcome => ({ result: "failure", message });
const errored = (message: string): Outcome => ({ result: "error", message });
const FINE: Outcome = { result: "success" };

/** A server on a free port, gone at the end with all of its connections. */
async function listen(server: Server) {
  const open = new Set<{ destroy: () => void }>();
  server.on("connection", (socket: { destroy: () => void }) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  await using server = await listen(createServer());
  return server.port;
}

const serve = (answer: RequestListener) => listen(createHttpServer(answer));

/** What a probe says to a server that answers so. */
async function got(answer: RequestListener, action: Partial<HTTPGetAction> = {}): Promise<Outcome> {
  await using server = await serve(answer);
  const { port } = server;
  const found = await outcome({ httpGet: { port, ...action } });
  if (found.result === "success") return found;
  return { ...found, message: found.message.replaceAll(`:${port}`, ":PORT") };
}

/** A server whose path /N answers with N, `to` leads to. */
const redirecting =
  (status: number, to: string): RequestListener =>
  ({ url = "" }, response) => {
    if (url !== "/") return void response.writeHead(Number(url.slice(1)) || 200).end("there");
    response.writeHead(status, { location: to }).end("moved");
  };

test("a command's failure is what it printed, also if that is nothing", async () => {
  const exec = { command: ["sh", "-c", "check it"] };
  assert.deepEqual(await outcome({ exec }, { stdout: "not yet\n" }), failed("not yet\n"));
  const both = { stdout: "a\n", stderr: "b\n" };
  assert.deepEqual(await outcome({ exec }, both), failed("a\nb\n"));
  assert.deepEqual(await outcome({ exec }), failed(""));
  assert.deepEqual(await outcome({ exec }, { exitCode: 0 }), FINE);
  const late = 'command timed out: "sh -c check it" timed out after 1s';
  assert.deepEqual(await outcome({ exec }, { timedOut: true }), failed(late));
  const much = await outcome({ exec }, { stdout: "x".repeat(9_000), stderr: "y".repeat(9_000) });
  assert.deepEqual(much, failed("x".repeat(9_000) + "y".repeat(1_240)));
});

test("a port that nobody listens on is told in a kubelet's words", async () => {
  const port = await closedPort();
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  assert.deepEqual(await outcome({ tcpSocket: { port } }), failed(refused));
  const url = `http://127.0.0.1:${port}/ready`;
  const get = await outcome({ httpGet: { port, path: "/ready" } });
  assert.deepEqual(get, failed(`Get "${url}": ${refused}`));
  await using rude = await listen(createServer((socket) => socket.destroy()));
  const ended = await outcome({ httpGet: { port: rude.port } });
  assert.deepEqual(ended, failed(`Get "http://127.0.0.1:${rude.port}/": EOF`));
});

test("a port that the container does not have counts for nothing", async () => {
  const unknown = errored('strconv.Atoi: parsing "web": invalid syntax');
  assert.deepEqual(await outcome({ httpGet: { port: "web" } }), unknown);
  assert.deepEqual(await outcome({ tcpSocket: { port: "web" } }), unknown);
  const wrong = errored("invalid port number: 70000");
  assert.deepEqual(await outcome({ tcpSocket: { port: "70000" } }), wrong);
});

for (const [status, wanted] of [
  [200, FINE],
  [204, FINE],
  [304, { result: "warning", message: "Probe terminated redirects, Response body: " }],
  [400, failed("HTTP probe failed with statuscode: 400")],
  [404, failed("HTTP probe failed with statuscode: 404")],
  [500, failed("HTTP probe failed with statuscode: 500")],
] as [number, Outcome][]) {
  test(`an HTTP server that answers ${status} is told as a ${wanted.result}`, async () => {
    assert.deepEqual(await got((_, response) => void response.writeHead(status).end()), wanted);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect by ${status} to the same host is followed`, async () => {
    assert.deepEqual(await got(redirecting(status, "/200")), FINE);
    const lost = failed("HTTP probe failed with statuscode: 404");
    assert.deepEqual(await got(redirecting(status, "/404")), lost);
    const away = await got(redirecting(status, "http://elsewhere.example/"));
    const message = "Probe terminated redirects, Response body: moved";
    assert.deepEqual(away, { result: "warning", message });
  });
}

test("a redirect to another port of the same host is followed", async () => {
  await using other = await serve((_, response) => void response.writeHead(503).end());
  const to = `http://127.0.0.1:${other.port}/x`;
  const lost = failed("HTTP probe failed with statuscode: 503");
  assert.deepEqual(await got(redirecting(302, to)), lost);
});

test("redirects end after ten requests, and at what is no address", async () => {
  const round = failed('Get "/": stopped after 10 redirects');
  assert.deepEqual(await got(redirecting(302, "/")), round);
  const bad = failed('Get "http://[": failed to parse Location header "http://["');
  assert.deepEqual(await got(redirecting(302, "http://[")), bad);
  const ftp = failed('Get "ftp://127.0.0.1/": unsupported protocol scheme "ftp"');
  assert.deepEqual(await got(redirecting(302, "ftp://127.0.0.1/")), ftp);
});

test("headers of a probe replace the ones that every probe sends", async () => {
  const seen: unknown[] = [];
  const answer: RequestListener = ({ headers, rawHeaders, url }, response) => {
    const several = rawHeaders.filter((_, at) => rawHeaders[at - 1]?.toLowerCase() === "x-a");
    const { host, accept, "user-agent": agent } = headers;
    seen.push([url, host?.replace(/:.*/, ""), accept, agent, several]);
    if (url === "/a%20b") response.writeHead(302, { location: "/next" });
    response.end();
  };
  await got(answer);
  const httpHeaders = [
    { name: "Host", value: "web.example" },
    { name: "X-A", value: "1" },
    { name: "x-a", value: "2" },
    { name: "Accept", value: "" },
    { name: "User-Agent", value: "mine" },
  ];
  await got(answer, { path: "/a b", httpHeaders });
  assert.deepEqual(seen, [
    ["/", "127.0.0.1", "*/*", "kube-probe/1.32", []],
    ["/a%20b", "web.example", undefined, "mine", ["1", "2"]],
    ["/next", "web.example", undefined, "mine", ["1", "2"]],
  ]);
});

test("a long answer is read in part, one that breaks off counts for nothing", async () => {
  const endless: RequestListener = (_, response) => void response.write("x".repeat(20_000));
  assert.deepEqual(await got(endless), FINE);
  const moved: RequestListener = (_, response) => {
    response.writeHead(300).end("é".repeat(20_000));
  };
  const cut = `Probe terminated redirects, Response body: ${"é".repeat(5_120)}`;
  assert.deepEqual(await got(moved), { result: "warning", message: cut });
  const broken: RequestListener = (_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("x", () => response.destroy());
  };
  assert.deepEqual(await got(broken), errored("unexpected EOF"));
});

test("a server that takes too long is told by what it owes", async () => {
  const timeoutMs = 50;
  const late = async (answer: RequestListener) => {
    await using server = await serve(answer);
    const found = await outcome({ httpGet: { port: server.port } }, {}, { timeoutMs });
    return "message" in found ? found.message.replace(/.*": /, "") : found.result;
  };
  const silent = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  assert.equal(await late(() => {}), silent);
  const slow =
    "context deadline exceeded (Client.Timeout or context cancellation while reading body)";
  assert.equal(await late((_, response) => void response.write("x")), slow);
});

test("a hook takes whatever an HTTP server answers", async () => {
  await using server = await serve((_, response) => void response.writeHead(500).end());
  const action = { httpGet: { port: server.port } };
  assert.deepEqual(await outcome(action, {}, { takesAnyAnswer: true }), FINE);
});

/** What a probe says to a gRPC server that answers a call so. */
async function checked(
  answer: (stream: ServerHttp2Stream, request: Buffer) => void,
  service?: string,
): Promise<Outcome> {
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.on("data", (request: Buffer) => answer(stream, request));
  });
  await using listening = await listen(server);
  const { port } = listening;
  const grpc = { port, ...(service === undefined ? {} : { service }) };
  return await outcome({ grpc }, {}, { timeoutMs: 200 });
}

/** Answers with a message, then a status. */
function reply(stream: ServerHttp2Stream, message: number[], trailers = { "grpc-status": "0" }) {
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
}

const refusing = (status: number, message: string) => (stream: ServerHttp2Stream) =>
  stream.respond(
    { "content-type": "application/grpc", "grpc-status": `${status}`, "grpc-message": message },
    { endStream: true },
  );

const REFUSALS: [
  name: string,
  answer: (stream: ServerHttp2Stream, request: Buffer) => void,
  wanted: Outcome,
][] = [
  ["serves", (stream) => reply(stream, [8, 1]), FINE],
  [
    "does not serve",
    (stream) => reply(stream, [8, 2]),
    failed('service unhealthy (responded with "NOT_SERVING")'),
  ],
  [
    "says nothing of it",
    (stream) => reply(stream, []),
    failed('service unhealthy (responded with "UNKNOWN")'),
  ],
  [
    "does not know the service",
    refusing(5, "unknown%20service"),
    failed("error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"),
  ],
  [
    "has no health service",
    refusing(12, "unknown service grpc.health.v1.Health"),
    failed(
      "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " +
        "unknown service grpc.health.v1.Health",
    ),
  ],
  [
    "is none, and refuses",
    (stream) => stream.respond({ ":status": 503 }, { endStream: true }),
    failed(
      "error: health rpc probe failed: rpc error: code = Unavailable desc = " +
        "unexpected HTTP status code received from server: 503 (Service Unavailable)",
    ),
  ],
  ["never answers", () => {}, failed("timeout: health rpc did not complete within 200ms")],
];

for (const [name, answer, wanted] of REFUSALS) {
  test(`a gRPC server that ${name} is told in a kubelet's words`, async () => {
    assert.deepEqual(await checked(answer), wanted);
  });
}

test("a gRPC server is asked for the service by its whole name", async () => {
  const service = "s".repeat(200);
  const asked: string[] = [];
  await checked((stream, request) => {
    asked.push(request.subarray(5 + 3).toString());
    reply(stream, [8, 1]);
  }, service);
  assert.deepEqual(asked, [service]);
});

test("a gRPC server that cannot be reached was not reached in time", async () => {
  const port = await closedPort();
  const why = `failed to connect service "127.0.0.1:${port}" within 1s: context deadline exceeded`;
  assert.deepEqual(await outcome({ grpc: { port } }), failed(`timeout: ${why}`));
});
