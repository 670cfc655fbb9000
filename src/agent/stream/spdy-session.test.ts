import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { RESET_STATUS, type SpdyFrame } from "../../format/spdy/frame.ts";
import { FrameDecoder } from "../../format/spdy/frame-decoder.ts";
import { FrameEncoder } from "../../format/spdy/frame-encoder.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { createDuplexPair } from "./duplex-pair.ts";
import { SpdySession } from "./spdy-session.ts";
import type { SpdyStream } from "./spdy-stream.ts";

const NAMED = (name: string) => new Map([["name", name]]);
const MEBIBYTE = 1 << 20;

interface World {
  client: SpdySession;
  server: SpdySession;
  clock: VirtualClock;
}

/** Two sessions that talk to each other; the server hands its streams to `onStream`. */
async function withPair(
  onStream: (stream: SpdyStream) => void,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const [near, far] = createDuplexPair();
  await using server = new SpdySession(far, { role: "server", clock, onStream });
  await using client = new SpdySession(near, { role: "client", clock });
  await body({ client, server, clock });
}

/** A server session and the bare frames of its client. */
async function withPeer(
  onStream: (stream: SpdyStream) => void,
  body: (peer: Peer) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const [connection, far] = createDuplexPair();
  await using server = new SpdySession(far, { role: "server", clock, onStream });
  const [encoder, decoder] = [new FrameEncoder(), new FrameDecoder()];
  const frames: SpdyFrame[] = [];
  connection.on("data", (chunk: Buffer) => frames.push(...decoder.push(chunk)));
  const send = (...sent: SpdyFrame[]) =>
    void connection.write(Buffer.concat(sent.map((frame) => encoder.encode(frame))));
  await body({ server, connection, frames, send, clock });
}

interface Peer {
  server: SpdySession;
  connection: Duplex;
  frames: SpdyFrame[];
  send: (...frames: SpdyFrame[]) => void;
  clock: VirtualClock;
}

const synStream = (streamId: number, fin = false): SpdyFrame => ({
  type: "syn-stream",
  streamId,
  associatedId: 0,
  priority: 0,
  unidirectional: false,
  fin,
  headers: NAMED("a"),
});

function data(streamId: number, bytes: Uint8Array, fin = false): SpdyFrame {
  return { type: "data", streamId, bytes, fin };
}

/** All that arrives until the end; unlike an async iterator it leaves the stream open. */
function text(stream: SpdyStream): Promise<string> {
  let heard = "";
  stream.on("data", (chunk: Buffer) => (heard += chunk.toString("utf8")));
  return once(stream, "end").then(() => heard);
}

const dataBytes = (frames: readonly SpdyFrame[]): number =>
  frames.reduce((sum, frame) => sum + (frame.type === "data" ? frame.bytes.length : 0), 0);

const echo = (stream: SpdyStream) => {
  stream.accept();
  stream.pipe(stream);
};

test("streams carry bytes both ways and end each way on its own", async () => {
  const heard: Promise<string>[] = [];
  await withPair(
    (stream) => {
      stream.accept();
      stream.end(`${stream.headers.get("name")} is told first`);
      heard.push(text(stream));
    },
    async ({ client }) => {
      const { stream, accepted } = client.open(NAMED("a"));
      await accepted;
      assert.equal(await text(stream), "a is told first");
      assert.equal(stream.destroyed, false);
      stream.end("and answers later");
      await once(stream, "close");
      assert.deepEqual(await Promise.all(heard), ["and answers later"]);
    },
  );
});

test("what is written on many streams at once arrives unmixed", async () => {
  const bodies = fc.array(
    fc.array(fc.string({ maxLength: 20_000, unit: "binary-ascii" }), { maxLength: 8 }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(bodies, (streams) =>
      withPair(echo, async ({ client }) => {
        const echoed = streams.map(async (parts) => {
          const { stream } = client.open(NAMED("a"));
          for (const part of parts) stream.write(part);
          stream.end();
          return await text(stream);
        });
        assert.deepEqual(
          await Promise.all(echoed),
          streams.map((parts) => parts.join("")),
        );
      }),
    ),
    { numRuns: 20 },
  );
});

test("a reset closes the stream on the other side, and only that stream", () =>
  withPair(echo, async ({ client }) => {
    const { stream: other } = client.open(NAMED("other"));
    const { stream } = client.open(NAMED("a"));
    stream.reset(RESET_STATUS.cancel);
    await client.ping();
    other.end("still here");
    assert.equal(await text(other), "still here");
  }));

test("a refused stream says so", () =>
  withPair(
    (stream) => stream.reset(RESET_STATUS.refusedStream),
    async ({ client }) => {
      const { stream, accepted } = client.open(NAMED("a"));
      await assert.rejects(accepted, /stream 1 was refused/);
      assert.equal(stream.resetStatus, RESET_STATUS.refusedStream);
    },
  ));

test("closing sends what was written, and does not wait for ever", () =>
  withPeer(
    (stream) => {
      stream.accept();
      stream.end("last words");
    },
    async ({ send, frames, server, clock, connection }) => {
      send(synStream(1));
      await settle();
      server.close();
      server.close();
      await settle();
      assert.deepEqual(
        frames.map(({ type }) => type),
        ["syn-reply", "data", "data", "goaway"],
      );
      assert.equal(connection.destroyed, false);
      await clock.advance(5_000);
      await server.closed;
      assert.equal(clock.pendingTimers, 0);
    },
  ));

test("a connection that is lost closes its streams", () => {
  const opened: SpdyStream[] = [];
  const keep = (stream: SpdyStream) => void opened.push(stream);
  return withPeer(keep, async ({ send, connection, server }) => {
    send(synStream(1));
    await settle();
    connection.destroy();
    await server.closed;
    assert.equal(opened[0]?.destroyed, true);
    assert.equal(opened[0]?.resetStatus, undefined);
  });
});

test("a session on a connection that is closed already is closed", async () => {
  const [near] = createDuplexPair();
  near.destroy();
  await once(near, "close");
  await new SpdySession(near, { role: "server", clock: new VirtualClock() }).closed;
});

test("a peer that keeps no windows is held up by the connection, not by its streams", () => {
  const opened: SpdyStream[] = [];
  const keep = (stream: SpdyStream) => {
    stream.accept();
    opened.push(stream);
  };
  return withPeer(keep, async ({ send, connection, frames, clock }) => {
    send(synStream(1));
    for (let sent = 0; sent < 64; sent++) send(data(1, Buffer.alloc(65_536), sent === 63));
    await settle();
    const [stream] = opened;
    assert.ok(stream);
    assert.ok(stream.readableLength > MEBIBYTE && stream.readableLength < 2 * MEBIBYTE);
    assert.ok(connection.writableLength > 2 * MEBIBYTE, "the rest waits at the peer");
    await clock.advance(20_000);
    assert.equal(frames.filter(({ type }) => type === "ping").length, 2);
    let read = 0;
    for await (const chunk of stream) read += (chunk as Buffer).length;
    assert.equal(read, 4 * MEBIBYTE);
    assert.ok(frames.some(({ type }) => type === "window-update"));
    assert.equal(clock.pendingTimers, 0);
  });
});

test("a peer that never widens a window gets everything", () => {
  const flood = (stream: SpdyStream) => {
    stream.accept();
    stream.end(Buffer.alloc(MEBIBYTE));
  };
  return withPeer(flood, async ({ send, frames, server }) => {
    send(synStream(1, true));
    while (!frames.some((frame) => frame.type === "data" && frame.fin)) await settle();
    assert.equal(dataBytes(frames), MEBIBYTE);
    await server[Symbol.asyncDispose]();
  });
});

test("a peer that keeps windows gets no more than it granted", () => {
  const opened: SpdyStream[] = [];
  const keep = (stream: SpdyStream) => {
    stream.accept();
    opened.push(stream);
  };
  return withPeer(keep, async ({ send, frames }) => {
    send(synStream(1), { type: "settings", settings: [{ flags: 0, id: 7, value: 1000 }] });
    await settle();
    opened[0]?.write(Buffer.alloc(5000));
    await settle();
    assert.equal(dataBytes(frames), 1000);
    send({ type: "window-update", streamId: 1, delta: 500 });
    await settle();
    assert.equal(dataBytes(frames), 1500);
    send({ type: "window-update", streamId: 1, delta: 10_000 });
    await settle();
    assert.equal(dataBytes(frames), 5000);
  });
});

test("a peer that asks without reading is cut off", () =>
  withPeer(echo, async ({ connection, send, server }) => {
    connection.pause();
    for (let ping = 0; ping < 5000; ping++) send({ type: "ping", id: 2 * ping + 1 });
    await server.closed;
  }));

const BROKEN: [string, (peer: Peer) => void][] = [
  ["garbage", ({ connection }) => void connection.write("GET / HTTP/1.1\r\n\r\n\xff\xff\xff\xff")],
  ["an even stream of a client", ({ send }) => send(synStream(2))],
  ["a stream opened twice", ({ send }) => send(synStream(1), synStream(1))],
  ["an older stream", ({ send }) => send(synStream(3), synStream(1))],
];
for (const [name, act] of BROKEN) {
  test(`${name} ends the connection`, () =>
    withPeer(echo, async (peer) => {
      peer.connection.on("error", () => {});
      act(peer);
      await once(peer.connection, "end");
      const last = peer.frames.at(-1);
      assert.deepEqual(last?.type === "goaway" && last.status, 1);
      peer.connection.destroy();
      await peer.server.closed;
    }));
}
