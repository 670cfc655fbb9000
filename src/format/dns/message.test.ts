import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeAnswers,
  decodeQuery,
  DNS_TYPE,
  DnsFormatError,
  type DnsRecord,
  encodeQuery,
  encodeReply,
} from "./message.ts";

const pointerTo = (offset: number): Buffer => Buffer.from([0xc0 | (offset >> 8), offset & 255]);

/** A reply whose second record has a name of so many pointers, each to the one before. */
function replyWithChain(links: number): Buffer {
  const header = Buffer.from([0, 7, 0x81, 0, 0, 1, 0, 2, 0, 0, 0, 0]);
  const question = Buffer.from([0, 0, 1, 0, 1]);
  const record = (name: Buffer, type: number, data: Buffer): Buffer => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(data.byteLength, 8);
    return Buffer.concat([name, fixed, data]);
  };
  const begin = header.byteLength + question.byteLength + 12;
  const chain = Array.from({ length: links - 1 }, (_, at) =>
    pointerTo(at === 0 ? header.byteLength : begin + 2 * at - 2),
  );
  const first = record(pointerTo(header.byteLength), DNS_TYPE.TXT, Buffer.concat(chain));
  const name = pointerTo(begin + 2 * links - 4);
  const second = record(name, DNS_TYPE.A, Buffer.from([10, 0, 0, 1]));
  return Buffer.concat([header, question, first, second]);
}

test("a name may be spread over many places, but not without end", () => {
  assert.deepEqual(decodeAnswers(replyWithChain(100)), [
    { name: "", ttlSeconds: 0, type: "A", ip: "10.0.0.1" },
  ]);
  assert.throws(() => decodeAnswers(replyWithChain(5_000)), DnsFormatError);
});

test("the target of a service is written whole, other names are not written twice", () => {
  const query = decodeQuery(encodeQuery({ name: "_http._tcp.web.shop", type: DNS_TYPE.SRV }, 1));
  const record = { name: query.question.name, ttlSeconds: 5 };
  const target = "web.shop";
  const service: DnsRecord = { ...record, type: "SRV", priority: 0, weight: 1, port: 80, target };
  const alias: DnsRecord = { ...record, type: "CNAME", target };
  const whole = Buffer.from("\x03web\x04shop\0", "latin1");
  const lastOf = (answer: DnsRecord): Buffer => {
    const reply = { code: 0, authoritative: true, answers: [answer] };
    return Buffer.from(encodeReply(query, reply, 512)).subarray(-whole.length);
  };
  assert.deepEqual(lastOf(service), whole);
  assert.notDeepEqual(lastOf(alias), whole);
});
