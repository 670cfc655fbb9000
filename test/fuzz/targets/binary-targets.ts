import assert from "node:assert/strict";
import { channelCodec } from "../../../src/agent/stream/websocket-channels.ts";
import {
  decodeAnswers,
  decodeQuery,
  DNS_CODE,
  DNS_TYPE,
  DnsFormatError,
  encodeQuery,
  encodeReply,
} from "../../../src/format/dns/message.ts";
import { decodeFlow } from "../../../src/format/netlink/conntrack-message.ts";
import { decodeMessages, encodeMessage } from "../../../src/format/netlink/message.ts";
import {
  decodeAddress,
  decodeLink,
  decodeRoute,
  newAddress,
  newRoute,
  newVethPair,
} from "../../../src/format/netlink/route-message.ts";
import { FrameDecoder } from "../../../src/format/spdy/frame-decoder.ts";
import { FrameEncoder } from "../../../src/format/spdy/frame-encoder.ts";
import { SpdyError, type SpdyFrame } from "../../../src/format/spdy/frame.ts";
import { concat, TarError } from "../../../src/format/tar/tar-header.ts";
import { readTar, tarSource } from "../../../src/format/tar/tar-reader.ts";
import { writeTar } from "../../../src/format/tar/tar-writer.ts";
import { type AnyTarget, bytesTarget } from "../fuzz-target.ts";

/** Frames of streams, packets and archives. */
export function binaryTargets(): readonly AnyTarget[] {
  return [spdyTarget(), channelTarget(), dnsTarget(), netlinkTarget(), tarTarget()];
}

function spdyTarget(): AnyTarget {
  const headers = new Map([
    ["streamtype", "stdin"],
    ["port", "80"],
  ]);
  const frames: SpdyFrame[] = [
    {
      type: "syn-stream",
      streamId: 1,
      associatedId: 0,
      priority: 0,
      unidirectional: false,
      fin: false,
      headers,
    },
    { type: "data", streamId: 1, fin: false, bytes: Buffer.from("hello") },
    { type: "window-update", streamId: 1, delta: 9 },
    { type: "settings", settings: [{ flags: 0, id: 7, value: 65_536 }] },
    { type: "rst-stream", streamId: 1, status: 5 },
    { type: "goaway", lastStreamId: 1, status: 0 },
  ];
  const encoder = new FrameEncoder();
  return bytesTarget({
    name: "SPDY frames",
    seeds: [Buffer.concat(frames.map((frame) => encoder.encode(frame)))],
    refusals: [SpdyError],
    run: (bytes) => {
      const decoder = new FrameDecoder();
      let dataBytes = 0;
      for (const frame of decoder.push(bytes)) {
        if (frame.type === "data") dataBytes += frame.bytes.byteLength;
      }
      assert.ok(dataBytes <= bytes.byteLength);
    },
  });
}

function channelTarget(): AnyTarget {
  return bytesTarget({
    name: "WebSocket channels",
    seeds: [Buffer.from([0, 104, 105]), Buffer.from("1aGk="), Buffer.from([255, 0])],
    refusals: [],
    run: (bytes) => {
      for (const protocol of ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"]) {
        const codec = channelCodec(protocol);
        const message = codec.decode(Buffer.from(bytes));
        if (!message) continue;
        const again = codec.decode(Buffer.from(codec.encode(message.channel, message.bytes)));
        assert.deepEqual(again, message);
      }
    },
  });
}

function dnsTarget(): AnyTarget {
  const question = encodeQuery({ name: "web.default.svc.cluster.local", type: DNS_TYPE.A }, 7);
  const name = "web.default.svc.cluster.local";
  const reply = encodeReply(
    decodeQuery(question),
    {
      code: DNS_CODE.noError,
      authoritative: true,
      answers: [
        { name, ttlSeconds: 5, type: "CNAME", target: `other.${name}` },
        { name: `other.${name}`, ttlSeconds: 5, type: "A", ip: "10.96.0.10" },
      ],
    },
    512,
  );
  return bytesTarget({
    name: "DNS messages",
    seeds: [question, reply],
    refusals: [DnsFormatError],
    run: (bytes) => {
      const isReply = ((bytes[2] ?? 0) & 0x80) !== 0;
      if (isReply) {
        decodeAnswers(bytes);
        return;
      }
      const query = decodeQuery(bytes);
      const refusal = { code: DNS_CODE.nameError, authoritative: true, answers: [] };
      encodeReply(query, refusal, query.sizeMaxBytes);
    },
  });
}

function netlinkTarget(): AnyTarget {
  const end = { name: "eth0", mac: "02:00:00:00:00:01" };
  const messages = [
    newVethPair(end, { ...end, name: "eth1" }),
    newAddress({ linkIndex: 3, ip: "10.244.0.5", prefixLength: 32, label: "eth0:a" }),
    newRoute({ destination: "10.0.0.0", prefixLength: 8, linkIndex: 3, gateway: "10.0.0.1" }),
  ];
  return bytesTarget({
    name: "netlink messages",
    seeds: messages.map((message, at) => encodeMessage(message, at)),
    // The kernel does not cut messages off; where one is, reading past its end is refused so.
    refusals: [RangeError],
    run: (bytes) => {
      for (const message of decodeMessages(bytes)) {
        decodeFlow(message);
        decodeRoute(message);
        decodeAddress(message);
        decodeLink(message);
      }
    },
  });
}

function tarTarget(): AnyTarget {
  const file = { type: "file" as const, mode: 0o644, uid: 1000 };
  const archive = concat([
    ...writeTar([
      { ...file, name: "a.txt", body: Buffer.from("hello") },
      { ...file, name: `${"long/".repeat(60)}é`, body: new Uint8Array(700) },
    ]),
  ]);
  return bytesTarget({
    name: "tar archives",
    seeds: [archive],
    refusals: [TarError],
    run: async (bytes) => {
      let bodyBytes = 0;
      for await (const { body } of readTar(tarSource(once(bytes)))) {
        for await (const chunk of body) bodyBytes += chunk.byteLength;
      }
      assert.ok(bodyBytes <= bytes.byteLength);
    },
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
