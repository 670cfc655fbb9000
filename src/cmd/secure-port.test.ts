import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import type { Client } from "../client/client.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { DelegatedAccess } from "./delegated-access.ts";
import { readSecurePortFlags } from "./secure-port.ts";

/** An API server that knows one token, whose user may read /metrics. */
function reviewer() {
  const asked: object[] = [];
  const state = { isAway: false };
  const create = (resource: Resource, { spec }: { spec: Record<string, unknown> }) => {
    if (state.isAway) throw new StatusError("ServiceUnavailable", "away");
    asked.push(spec);
    if (resource.kind === "TokenReview") {
      const authenticated = spec["token"] === "good";
      const user = { username: "prometheus", groups: ["scrapers"], extra: { a: ["b"] } };
      return { status: authenticated ? { authenticated, user } : { authenticated } };
    }
    const { path } = (spec["nonResourceAttributes"] ?? {}) as { path?: string };
    const { subresource } = (spec["resourceAttributes"] ?? {}) as { subresource?: string };
    const isMetrics = path === "/metrics" || subresource === "metrics";
    return { status: { allowed: spec["user"] === "prometheus" && isMetrics } };
  };
  const client = {
    for: (resource: Resource) => ({ create: async (of: never) => create(resource, of) }),
  } as unknown as Client;
  return { client, asked, state };
}

function setup(openPaths = ["/healthz", "/open/*"]) {
  const { client, asked, state } = reviewer();
  const clock = new VirtualClock();
  const access = new DelegatedAccess({
    authentication: client,
    authorization: client,
    openPaths,
    clock,
  });
  const admit = (path: string, authorization?: string) =>
    access.admit({ verb: "get", path, credentials: { authorization } });
  return { access, admit, asked, state, clock };
}

test("an open path asks nobody, others ask who it is and whether they may", async () => {
  const { admit, asked, state } = setup();
  state.isAway = true;
  await admit("/healthz");
  await admit("/open/a/b");
  await assert.rejects(admit("/metrics"), { reason: "ServiceUnavailable" });
  state.isAway = false;
  await admit("/metrics", "Bearer good");
  assert.deepEqual(asked, [
    { token: "good" },
    {
      user: "prometheus",
      groups: ["scrapers", "system:authenticated"],
      extra: { a: ["b"] },
      nonResourceAttributes: { verb: "get", path: "/metrics" },
    },
  ]);
  await assert.rejects(admit("/configz", "Bearer good"), {
    message: 'forbidden: User "prometheus" cannot get path "/configz"',
  });
  await assert.rejects(admit("/metrics"), {
    message: 'forbidden: User "system:anonymous" cannot get path "/metrics"',
  });
  await assert.rejects(admit("/metrics", "Bearer bad"), { reason: "Unauthorized" });
});

test("a node's endpoint is opened to those who may use that part of the node", async () => {
  const { access, asked } = setup();
  const scrape = (authorization?: string) =>
    access.admitToNode("n1", {
      verb: "get",
      subresource: "metrics",
      credentials: { authorization },
    });
  await scrape("Bearer good");
  const resourceAttributes = {
    verb: "get",
    version: "v1",
    resource: "nodes",
    subresource: "metrics",
    name: "n1",
  };
  assert.deepEqual(
    (asked[1] as { resourceAttributes: object }).resourceAttributes,
    resourceAttributes,
  );
  await assert.rejects(scrape(), { reason: "Unauthorized" });
  const log = { verb: "get", subresource: "log", credentials: { authorization: "Bearer good" } };
  await assert.rejects(access.admitToNode("n1", log), {
    reason: "Forbidden",
    message: "Forbidden (user=prometheus, verb=get, resource=nodes, subresource=log)",
  });
});

test("an answer is believed for ten seconds", async () => {
  const { admit, asked, clock } = setup();
  for (let i = 0; i < 3; i++) await admit("/metrics", "Bearer good");
  assert.equal(asked.length, 2);
  await clock.advance(10_000);
  await admit("/metrics", "Bearer good");
  assert.equal(asked.length, 4);
});

test("flags of the secure port say what is wrong with them", () => {
  assert.equal(readSecurePortFlags({}), undefined);
  assert.equal(readSecurePortFlags({ "secure-port": "0" }), undefined);
  assert.deepEqual(readSecurePortFlags({ "secure-port": "10257" }), {
    address: { host: "0.0.0.0", port: 10_257 },
    tls: undefined,
    clientCaFile: undefined,
    authenticationKubeconfig: undefined,
    authorizationKubeconfig: undefined,
    skipLookup: false,
    openPaths: ["/healthz", "/readyz", "/livez"],
  });
  const on = { "secure-port": "10257" };
  for (const [values, message] of [
    [{ "secure-port": "70000" }, /--secure-port must be a port, or 0 for none, not "70000"/],
    [{ "client-ca-file": "ca.crt" }, /--client-ca-file needs --secure-port/],
    [{ ...on, "tls-cert-file": "a" }, /--tls-cert-file and --tls-private-key-file go together/],
    [{ ...on, "authorization-always-allow-paths": "healthz" }, /"healthz" must begin with "\/"/],
  ] as const) {
    assert.throws(() => readSecurePortFlags(values), { message });
  }
});
