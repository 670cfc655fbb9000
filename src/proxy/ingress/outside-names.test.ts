import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINT_SLICES, SERVICES } from "../../api/generated/resources.ts";
import type { ServiceSpec } from "../../api/generated/types/core-v1.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createBackends } from "./backends.ts";
import { guardedLookup, isAllowedOutside } from "./outside-names.ts";

test("places of the node itself are no places outside", () => {
  for (const address of [
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
  ]) {
    assert.equal(isAllowedOutside(address, 4), false, address);
  }
  for (const address of ["::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1"]) {
    assert.equal(isAllowedOutside(address, 6), false, address);
  }
  assert.equal(isAllowedOutside("192.0.2.1", 4), true);
  assert.equal(isAllowedOutside("10.0.0.1", 4), true);
  assert.equal(isAllowedOutside("2001:db8::1", 6), true);
});

test("of a name only the addresses outside are known", () => {
  const found = [
    { address: "127.0.0.1", family: 4 },
    { address: "192.0.2.1", family: 4 },
  ];
  const told: unknown[] = [];
  const guarded = guardedLookup((_name, _options, callback) => callback(null, found));
  guarded("example.test", {}, (...answer) => told.push(answer));
  guarded("example.test", { all: true }, (...answer) => told.push(answer));
  assert.deepEqual(told, [
    [null, "192.0.2.1", 4],
    [null, [{ address: "192.0.2.1", family: 4 }]],
  ]);
  const inside = guardedLookup((_name, _options, callback) => callback(null, found.slice(0, 1)));
  inside("example.test", {}, (error) => assert.match(String(error), /no place outside/));
});

test("a Service of type ExternalName has its name as endpoint, at the port of the rule", async () => {
  const client = createClient(new MemoryTransport());
  const sources = { client, clock: new VirtualClock(), random: seededRandom(1) };
  const services: Record<string, ServiceSpec> = {
    plain: { type: "ExternalName", externalName: "example.test." },
    named: {
      type: "ExternalName",
      externalName: "example.test",
      ports: [{ name: "web", port: 8443, appProtocol: "https" }],
    },
    inside: { type: "ExternalName", externalName: "127.0.0.1" },
  };
  for (const [name, spec] of Object.entries(services)) {
    await client.for(SERVICES).create({ metadata: { namespace: "shop", name }, spec });
  }
  await client.for(ENDPOINT_SLICES).list({ namespace: "shop" });
  await using informers = createInformerFactory({ ...sources, logger: silentLogger });
  using backends = createBackends(informers);
  await backends.synced;
  const of = (service: string, port: string | number) =>
    backends.endpointsOf({ namespace: "shop", service, port });
  assert.deepEqual(of("plain", 8080), [{ address: "example.test", port: 8080, protocol: "http" }]);
  assert.deepEqual(of("plain", "web"), []);
  assert.deepEqual(of("named", "web"), [
    { address: "example.test", port: 8443, protocol: "https" },
  ]);
  assert.deepEqual(of("inside", 80), []);
  const spoken = { namespace: "shop", service: "plain", port: 1, protocol: "h2" as const };
  assert.equal(backends.endpointsOf(spoken)[0]?.protocol, "h2");
});
