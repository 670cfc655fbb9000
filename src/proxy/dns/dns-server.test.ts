import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import fc from "fast-check";
import {
  DNS_TYPE,
  decodeAnswers,
  decodeQuery,
  encodeQuery,
  encodeReply,
} from "../../format/dns/message.ts";
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import type { DnsService, DnsServiceSource } from "./cluster-zone.ts";
import { startDnsServer } from "./dns-server.ts";
import { parseNameServers } from "./upstream.ts";

const ports = [{ name: "http", protocol: "TCP", port: 80 }];
const web: DnsService = {
  namespace: "shop",
  name: "web",
  clusterIps: ["10.96.0.7"],
  ports,
  endpoints: [],
};
const database: DnsService = {
  namespace: "shop",
  name: "db",
  clusterIps: [],
  ports,
  endpoints: [
    { ip: "10.244.0.3", hostname: "db-0", ports },
    { ip: "10.244.0.4", ports },
  ],
};
const outside: DnsService = {
  ...web,
  name: "outside",
  clusterIps: [],
  externalName: "web.shop.svc.cluster.local",
};
const all = [web, database, outside];
const services: DnsServiceSource = {
  get: (namespace, name) => all.find((s) => s.namespace === namespace && s.name === name),
  hasNamespace: (namespace) => namespace === "shop",
  byIp: (ip) => {
    const service = all.find((s) => s.clusterIps.includes(ip));
    if (service) return { service };
    const endpoint = database.endpoints.find((e) => e.ip === ip);
    return endpoint && { service: database, endpoint };
  },
};
const upstream = { forward: () => Promise.resolve(undefined), chase: () => Promise.resolve([]) };
const base = { address: "127.0.0.1", domain: "cluster.local", services, upstream, serial: () => 1 };

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

test("a stock resolver finds services, endpoints, ports and reverse names", async () => {
  const port = await freePort();
  await using _server = await startDnsServer({
    ...base,
    port,
    clock: systemClock,
    logger: silentLogger,
  });
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  assert.deepEqual(await resolver.resolve4("web.shop.svc.cluster.local"), ["10.96.0.7"]);
  assert.deepEqual(await resolver.resolve4("WEB.shop.SVC.cluster.local"), ["10.96.0.7"]);
  assert.deepEqual((await resolver.resolve4("db.shop.svc.cluster.local")).sort(), [
    "10.244.0.3",
    "10.244.0.4",
  ]);
  assert.deepEqual(await resolver.resolve4("db-0.db.shop.svc.cluster.local"), ["10.244.0.3"]);
  assert.deepEqual(await resolver.resolve4("10-244-0-9.shop.pod.cluster.local"), ["10.244.0.9"]);
  assert.deepEqual(await resolver.resolve4("outside.shop.svc.cluster.local"), ["10.96.0.7"]);
  const [srv] = await resolver.resolveSrv("_http._tcp.web.shop.svc.cluster.local");
  assert.equal(srv?.port, 80);
  assert.deepEqual(await resolver.reverse("10.96.0.7"), ["web.shop.svc.cluster.local"]);
  assert.deepEqual(await resolver.reverse("10.244.0.3"), ["db-0.db.shop.svc.cluster.local"]);
  assert.deepEqual(await resolver.resolveTxt("dns-version.cluster.local"), [["1.1.0"]]);
  await assert.rejects(resolver.resolve4("absent.shop.svc.cluster.local"), { code: "ENOTFOUND" });
  await assert.rejects(resolver.resolve6("web.shop.svc.cluster.local"), { code: "ENODATA" });
  await assert.rejects(resolver.resolve4("example.org"), { code: "ESERVFAIL" });
});

test("the same answers come over TCP", async () => {
  const port = await freePort();
  await using _server = await startDnsServer({
    ...base,
    port,
    clock: systemClock,
    logger: silentLogger,
  });
  const socket = connect(port, "127.0.0.1");
  const query = encodeQuery({ name: "web.shop.svc.cluster.local", type: DNS_TYPE.A }, 7);
  socket.write(Uint8Array.from([0, query.length, ...query]));
  const [reply] = (await once(socket, "data")) as [Buffer];
  assert.equal(reply.readUInt16BE(2), 7);
  assert.ok(reply.includes(Buffer.from([10, 96, 0, 7])));
  socket.destroy();
});

test("any bytes either decode or are refused as a format error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const decode of [decodeQuery, decodeAnswers]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.equal((error as Error).name, "DnsFormatError");
        }
      }
    }),
  );
});

test("a reply that is too long is cut and marked so", () => {
  const query = decodeQuery(encodeQuery({ name: "a.b", type: 1 }, 1));
  const answers = Array.from({ length: 100 }, (_, at) => {
    return { name: "a.b", ttlSeconds: 5, type: "A" as const, ip: `10.0.0.${at}` };
  });
  const reply = { code: 0, authoritative: true, answers };
  const cut = encodeReply(query, reply, 512);
  assert.ok(cut.length <= 512);
  assert.equal((cut[2] ?? 0) & 2, 2);
  assert.deepEqual(decodeAnswers(encodeReply(query, reply, 65_535)), answers);
});

test("name servers that are ourselves are left out", () => {
  const text = "# comment\nnameserver 10.96.0.10\nnameserver 192.0.2.1\nsearch x\n";
  assert.deepEqual(parseNameServers(text, ["10.96.0.10"]), ["192.0.2.1"]);
});
