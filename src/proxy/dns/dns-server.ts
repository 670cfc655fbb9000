import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import {
  DNS_CODE,
  decodeQuery,
  type DnsQuery,
  type DnsRecord,
  encodeReply,
} from "../../format/dns/message.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { answerFromCluster, type DnsServiceSource } from "./cluster-zone.ts";
import type { Upstream } from "./upstream.ts";

/** What the server answers from, and where. */
export interface DnsServerOptions {
  address: string;
  port: number;
  domain: string;
  services: DnsServiceSource;
  /** Grows with every change of the services. */
  serial: () => number;
  upstream: Upstream;
  clock: Clock;
  logger: Logger;
}

const TCP_SIZE_MAX_BYTES = 65_535;
const TCP_IDLE_MS = 10_000;
const TCP_CONNECTIONS_MAX = 256;

/** A DNS server over UDP and TCP for the cluster's domain; everything else goes upstream. */
export async function startDnsServer(options: DnsServerOptions): Promise<AsyncDisposable> {
  const udp = createSocket({ type: "udp4", reuseAddr: false });
  udp.on("message", (bytes, from) => void answerUdp(options, { udp, bytes, from }));
  udp.on("error", (error) => options.logger.error("DNS socket failed", { error }));
  const tcp = createServer((socket) => serveTcp(options, socket));
  tcp.maxConnections = TCP_CONNECTIONS_MAX;
  udp.bind(options.port, options.address);
  await once(udp, "listening");
  tcp.listen(options.port, options.address);
  await once(tcp, "listening");
  return { [Symbol.asyncDispose]: () => closeBoth(udp, tcp) };
}

async function closeBoth(udp: UdpSocket, tcp: Server): Promise<void> {
  const closed = Promise.all([once(udp, "close"), once(tcp, "close")]);
  udp.close();
  tcp.close();
  await closed;
}

async function answerUdp(
  options: DnsServerOptions,
  packet: { udp: UdpSocket; bytes: Uint8Array; from: RemoteInfo },
): Promise<void> {
  const reply = await answer(options, packet.bytes, undefined);
  if (reply) packet.udp.send(reply, packet.from.port, packet.from.address);
}

/** The packet that answers `bytes`; `undefined` when it is not a query at all. */
async function answer(
  options: DnsServerOptions,
  bytes: Uint8Array,
  sizeMaxBytes: number | undefined,
): Promise<Uint8Array | undefined> {
  let query: DnsQuery;
  try {
    query = decodeQuery(bytes);
  } catch {
    return undefined; // junk is not answered, so that nobody can be flooded through us
  }
  const size = sizeMaxBytes ?? Math.min(query.sizeMaxBytes, 1232);
  const refuse = (code: number) =>
    encodeReply(query, { code, authoritative: false, answers: [] }, size);
  if (query.opcode !== 0) return refuse(DNS_CODE.notImplemented);
  const { domain, services, serial } = options;
  const reply = answerFromCluster(query.question, { domain, services, serial: serial() });
  if (reply) {
    const [first] = reply.answers;
    if (first?.type !== "CNAME") return encodeReply(query, reply, size);
    const answers = [first, ...(await chase(options, first.target, query.question.type))];
    return encodeReply(query, { ...reply, answers }, size);
  }
  const forwarded = await options.upstream.forward(bytes, { tcp: sizeMaxBytes !== undefined });
  return forwarded ?? refuse(DNS_CODE.serverFailure);
}

/** Records behind an alias, from the cluster itself or from upstream. */
async function chase(
  options: DnsServerOptions,
  name: string,
  type: number,
): Promise<readonly DnsRecord[]> {
  const { domain, services, serial, upstream } = options;
  const inside = answerFromCluster({ name, type }, { domain, services, serial: serial() });
  return inside ? inside.answers : await upstream.chase(name, type);
}

function serveTcp(options: DnsServerOptions, socket: Socket): void {
  let pending = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (pending.length < 2 + length) return;
      const bytes = pending.subarray(2, 2 + length);
      pending = pending.subarray(2 + length);
      void answer(options, Buffer.from(bytes), TCP_SIZE_MAX_BYTES).then((reply) => {
        if (!reply) return socket.destroy();
        const header = Buffer.alloc(2);
        header.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([header, reply]));
      });
    }
  });
}
