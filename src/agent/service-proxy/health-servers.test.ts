import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import type { Service, ServiceSpec } from "../../api/generated/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { HealthServers, healthOf } from "./health-servers.ts";

const service = (spec: Partial<ServiceSpec>): Service => ({
  metadata: { namespace: "shop", name: "web" },
  spec: {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 30_100,
    ...spec,
  },
});
const endpoint = (address: string, nodeName: string, ready = true): Endpoint => ({
  addresses: [address],
  nodeName,
  conditions: { ready },
});
const slice = (...endpoints: Endpoint[]): EndpointSlice => ({ addressType: "IPv4", endpoints });

test("a node counts its own ready pods, each once", () => {
  const slices = [
    slice(endpoint("10.0.0.1", "n1"), endpoint("10.0.0.2", "n1", false)),
    slice(endpoint("10.0.0.1", "n1"), endpoint("10.0.0.3", "n2")),
  ];
  assert.equal(healthOf(service({}), slices, "n1")?.localEndpoints, 1);
  assert.equal(healthOf(service({}), slices, "n3")?.localEndpoints, 0);
});

test("nobody is told of Services that are served on every node", () => {
  for (const spec of [
    { externalTrafficPolicy: "Cluster" as const },
    { type: "NodePort" as const },
    { healthCheckNodePort: 0 },
  ]) {
    assert.equal(healthOf(service(spec), [], "n1"), undefined);
  }
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), "close");
  return port;
}

/** Asks until the server listens. */
async function ask(port: number): Promise<Response> {
  for (;;) {
    try {
      return await fetch(`http://127.0.0.1:${port}/`);
    } catch (error) {
      const { code } = (error as { cause?: { code?: string } }).cause ?? {};
      if (code !== "ECONNREFUSED") throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test("a balancer is told 200 while pods are there, 503 without, and nothing in the end", async () => {
  const port = await freePort();
  const health = { port, namespace: "shop", name: "web", localEndpoints: 2 };
  const servers = new HealthServers({
    clock: new VirtualClock(),
    logger: silentLogger,
    address: "127.0.0.1",
  });
  servers.set("shop/web", health);
  const there = await ask(port);
  assert.equal(there.status, 200);
  assert.equal(there.headers.get("x-load-balancing-endpoint-weight"), "2");
  assert.deepEqual(await there.json(), {
    service: { namespace: "shop", name: "web" },
    localEndpoints: 2,
    serviceProxyHealthy: true,
  });
  servers.set("shop/web", { ...health, localEndpoints: 0 });
  const without = await ask(port);
  assert.equal(without.status, 503);
  await without.text();
  servers.set("shop/web", undefined);
  await servers[Symbol.asyncDispose]();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
});

test("a port that belongs to somebody else is tried again", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const clock = new VirtualClock();
  let tellOfRefusal: () => void = () => {};
  const refused = new Promise<void>((resolve) => (tellOfRefusal = resolve));
  const logger = { ...silentLogger, warn: () => tellOfRefusal() };
  const servers = new HealthServers({ clock, logger, address: "127.0.0.1" });
  servers.set("a/b", { port, namespace: "a", name: "b", localEndpoints: 1 });
  await refused;
  await once(holder.close(), "close");
  await clock.advance(1_000);
  const answer = await ask(port);
  assert.equal(answer.status, 200);
  await answer.text();
  await servers[Symbol.asyncDispose]();
});
