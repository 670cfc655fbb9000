import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { RESET_STATUS } from "../../format/spdy/frame.ts";
import { silentLogger } from "../../lib/logger.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { createDuplexPair } from "./duplex-pair.ts";
import { createFakeBackend } from "./fake-stream-backend.ts";
import { servePortForward } from "./port-forward.ts";
import { SpdySession } from "./spdy-session.ts";
import type { SpdyStream } from "./spdy-stream.ts";

interface World {
  client: SpdySession;
  port: number;
  clock: VirtualClock;
  /** Opens both streams of a connection, as kubectl does. */
  connect(requestId: string, port?: number): { data: SpdyStream; error: SpdyStream };
  sockets: Set<Socket>;
}

/** A forwarding session to a pod that treats each connection with `pod`. */
async function withForwarding(
  pod: (socket: Socket) => void,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    pod(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const clock = new VirtualClock();
  const [near, far] = createDuplexPair();
  const backend = createFakeBackend(() => {});
  const target = { namespace: "a", name: "web" };
  const served = servePortForward(far, { backend, pod: target, clock, logger: silentLogger });
  const client = new SpdySession(near, { role: "client", clock });
  const connect = (requestid: string, to = port) => {
    const open = (streamtype: string) =>
      client.open(new Map(Object.entries({ streamtype, port: String(to), requestid }))).stream;
    const [error, data] = [open("error"), open("data")];
    error.end();
    return { data, error };
  };
  await body({ client, port, clock, connect, sockets });
  await client[Symbol.asyncDispose]();
  await served;
  // Every connection to the pod is gone with the session.
  await new Promise((resolve) => server.close(resolve));
  assert.equal(clock.pendingTimers, 0);
}

function heardOn(stream: SpdyStream): Promise<string> {
  let heard = "";
  stream.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  return Promise.race([once(stream, "end"), once(stream, "close")]).then(() => heard);
}

test("a pod that has said all still hears the client out", async () => {
  let podHeard = 0;
  const pod = (socket: Socket) => {
    socket.end("bye");
    socket.on("data", (chunk) => (podHeard += chunk.length));
  };
  await withForwarding(pod, async ({ connect, sockets }) => {
    const { data, error } = connect("0");
    assert.equal(await heardOn(data), "bye");
    const size = 4 << 20;
    data.end(Buffer.alloc(size));
    assert.equal(await heardOn(error), "");
    while (sockets.size > 0) await settle();
    assert.equal(podHeard, size);
  });
});

test("a client that has said all still hears the pod out", () => {
  const pod = (socket: Socket) => {
    socket.resume().once("end", () => socket.end("x".repeat(1 << 20)));
  };
  return withForwarding(pod, async ({ connect }) => {
    const { data, error } = connect("0");
    data.end("request");
    assert.equal((await heardOn(data)).length, 1 << 20);
    assert.equal(await heardOn(error), "");
  });
});

test("a connection that breaks in the pod is reset", () =>
  withForwarding(
    (socket) => socket.once("data", () => socket.resetAndDestroy()),
    async ({ connect }) => {
      const { data, error } = connect("0");
      data.write("break");
      await once(data, "close");
      assert.equal(data.resetStatus, RESET_STATUS.cancel);
      assert.equal(await heardOn(error), "");
    },
  ));

test("a client that resets its stream closes the pod's connection", () =>
  withForwarding(
    (socket) =>
      socket
        .resume()
        .once("end", () => socket.end())
        .write("hello"),
    async ({ connect, sockets }) => {
      const { data, error } = connect("0");
      await once(data, "data");
      data.reset(RESET_STATUS.cancel);
      assert.equal(await heardOn(error), "");
      while (sockets.size > 0) await settle();
    },
  ));

test("a port where nobody listens is told on the error stream", () =>
  withForwarding(
    () => {},
    async ({ connect }) => {
      const { data, error } = connect("0", 1);
      const told = heardOn(error);
      await once(data, "close");
      assert.match(await told, /^error forwarding port 1 to pod a\/web: .*ECONNREFUSED/);
    },
  ));

test("streams without a partner, and senseless ones, are refused", () =>
  withForwarding(
    () => {},
    async ({ client, clock, port }) => {
      const open = (headers: object) => client.open(new Map(Object.entries(headers)));
      await assert.rejects(open({ streamtype: "data", port: "0" }).accepted);
      await assert.rejects(open({ streamtype: "other", port: "80" }).accepted);
      const headers = { streamtype: "data", port: String(port), requestid: "7" };
      const alone = open(headers);
      await alone.accepted;
      await assert.rejects(open(headers).accepted);
      await assert.rejects(open({ ...headers, streamtype: "error", port: "1" }).accepted);
      await clock.advance(30_000);
      assert.equal(alone.stream.resetStatus, RESET_STATUS.cancel);
    },
  ));

test("streams of the first clients pair without a request ID", () =>
  withForwarding(
    (socket) => socket.pipe(socket),
    async ({ client, port }) => {
      const headers = { port: String(port) };
      const open = (streamtype: string) =>
        client.open(new Map(Object.entries({ ...headers, streamtype }))).stream;
      open("error").end();
      const data = open("data");
      data.end("old");
      assert.equal(await heardOn(data), "old");
    },
  ));
