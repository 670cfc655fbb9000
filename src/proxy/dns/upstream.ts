import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { type DnsRecord, decodeAnswers, encodeQuery } from "../../format/dns/message.ts";
import type { Clock } from "../../lib/clock.ts";

/** Name servers outside the cluster. */
export interface Upstream {
  /** Passes a query on; `undefined` when nobody answered in time. */
  forward(query: Uint8Array, options: { tcp: boolean }): Promise<Uint8Array | undefined>;
  /** Addresses behind a name outside the cluster, for CNAME answers. Empty when unknown. */
  chase(name: string, type: number): Promise<readonly DnsRecord[]>;
}

const TIMEOUT_MS = 2_000;
const IN_FLIGHT_MAX = 512;

/**
 * Forwards to `servers` in order, each with a time-out. More than 512 queries at once are not
 * accepted: the client retries, and memory stays bounded.
 */
export function createUpstream(servers: readonly string[], clock: Clock): Upstream {
  let inFlight = 0;
  let nextId = 1;
  const ask = async (query: Uint8Array, tcp: boolean): Promise<Uint8Array | undefined> => {
    for (const server of servers) {
      const reply = await (tcp ? askTcp : askUdp)(query, { server, clock });
      if (reply) return reply;
    }
    return undefined;
  };
  return {
    async forward(query, { tcp }) {
      if (inFlight >= IN_FLIGHT_MAX) return undefined;
      inFlight++;
      try {
        return await ask(query, tcp);
      } finally {
        inFlight--;
      }
    },
    async chase(name, type) {
      const reply = await ask(encodeQuery({ name, type }, nextId++ & 0xffff), false);
      if (!reply) return [];
      try {
        return decodeAnswers(reply);
      } catch {
        return []; // the CNAME alone still lets the client ask again
      }
    },
  };
}

interface Target {
  server: string;
  clock: Clock;
}

function askUdp(query: Uint8Array, { server, clock }: Target): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
    const finish = (reply?: Uint8Array) => {
      timer.cancel();
      socket.close();
      resolve(reply);
    };
    const timer = clock.setTimer(TIMEOUT_MS, () => finish());
    socket.once("error", () => finish());
    socket.on("message", (reply) => {
      if (reply[0] === query[0] && reply[1] === query[1]) finish(reply);
    });
    socket.connect(53, server, () => socket.send(query));
  });
}

function askTcp(query: Uint8Array, { server, clock }: Target): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: server, port: 53 });
    const chunks: Buffer[] = [];
    const finish = (reply?: Uint8Array) => {
      timer.cancel();
      socket.destroy();
      resolve(reply);
    };
    const timer = clock.setTimer(TIMEOUT_MS, () => finish());
    socket.once("error", () => finish());
    socket.once("connect", () => {
      const header = Buffer.alloc(2);
      header.writeUInt16BE(query.length);
      socket.write(Buffer.concat([header, query]));
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const length = bytes.length >= 2 ? bytes.readUInt16BE(0) : Number.POSITIVE_INFINITY;
      if (bytes.length >= 2 + length) finish(bytes.subarray(2, 2 + length));
    });
  });
}

/** Name servers of a resolv.conf(5), without those that point back at ourselves. */
export function parseNameServers(resolvConf: string, own: readonly string[]): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map(([, server = ""]) => server)
    .filter((server) => server && !own.includes(server));
}
