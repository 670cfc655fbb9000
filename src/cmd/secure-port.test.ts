import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import type { Client } from "../client/client.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { COMPONENT_BELIEF, DelegatedAccess, NODE_BELIEF } from "./delegated-access.ts";
import { BriefMemory } from "./brief-memory.ts";
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
      const error = spec["token"] === "expired" ? { error: "the token has expired" } : {};
      return { status: authenticated ? { authenticated, user } : { authenticated, ...error } };
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

function setup(believed = COMPONENT_BELIEF) {
  const { client, asked, state } = reviewer();
  const clock = new VirtualClock();
  const access = new DelegatedAccess({
    authentication: client,
    authorization: client,
    openPaths: ["/healthz", "/open/*"],
    believed,
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

test("a node believes as long as a kubelet: a token longer, a refusal less long", async () => {
  const { access, asked, clock } = setup(NODE_BELIEF);
  const use = (subresource: string, authorization: string) =>
    access.admitToNode("n1", { verb: "get", subresource, credentials: { authorization } }).then(
      () => "in",
      ({ reason }: StatusError) => reason,
    );
  const kinds = () => asked.splice(0).map((spec) => ("token" in spec ? "token" : "access"));
  assert.equal(await use("metrics", "Bearer good"), "in");
  assert.equal(await use("log", "Bearer good"), "Forbidden");
  assert.equal(await use("metrics", "Bearer bad"), "Unauthorized");
  assert.deepEqual(kinds(), ["token", "access", "access", "token"]);
  await clock.advance(29_000);
  assert.equal(await use("log", "Bearer good"), "Forbidden");
  assert.deepEqual(kinds(), []);
  await clock.advance(1_000);
  assert.equal(await use("log", "Bearer good"), "Forbidden");
  assert.deepEqual(kinds(), ["access"]);
  await clock.advance(89_000);
  assert.equal(await use("metrics", "Bearer bad"), "Unauthorized");
  assert.deepEqual(kinds(), []);
  await clock.advance(1_000);
  assert.equal(await use("metrics", "Bearer bad"), "Unauthorized");
  assert.equal(await use("metrics", "Bearer good"), "in");
  assert.deepEqual(kinds(), ["token", "token"]);
  await clock.advance(180_000);
  assert.equal(await use("metrics", "Bearer good"), "in");
  assert.deepEqual(kinds(), ["token", "access"]);
  assert.equal(await use("metrics", "Bearer expired"), "Unauthorized");
  await clock.advance(10_000);
  assert.equal(await use("metrics", "Bearer expired"), "Unauthorized");
  assert.deepEqual(kinds(), ["token", "token"]);
});

test("who asks the same at once is answered once, and what failed is asked again", async () => {
  const { admit, asked, state } = setup();
  await Promise.all([1, 2, 3].map(() => admit("/metrics", "Bearer good")));
  assert.equal(asked.length, 2);
  const refused = [1, 2, 3].map(() => admit("/metrics", "Bearer bad").catch(() => {}));
  await Promise.all(refused);
  assert.equal(asked.length, 3);
  state.isAway = true;
  const away = { reason: "ServiceUnavailable" };
  await assert.rejects(admit("/metrics", "Bearer other"), away);
  await assert.rejects(admit("/metrics", "Bearer other"), away);
  state.isAway = false;
  await assert.rejects(admit("/metrics", "Bearer other"), { reason: "Unauthorized" });
});

test("a memory forgets first what was needed least lately", async () => {
  const memory = new BriefMemory<string>(new VirtualClock(), { max: 2 });
  const asked: string[] = [];
  const get = (question: string) =>
    memory.get(question, async () => {
      asked.push(question);
      return { answer: question, forMs: 1_000 };
    });
  for (const question of ["a", "b", "a", "c", "a", "b"]) await get(question);
  assert.deepEqual(asked, ["a", "b", "c", "b"]);
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
