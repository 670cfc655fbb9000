// The scheduler with extenders that are real servers, well and unwell ones.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { issueTestCertificates, serveTls } from "../client/https-test-server.ts";
import { settle } from "../lib/virtual-clock.ts";
import { readSchedulerConfiguration } from "../scheduler/config/scheduler-configuration.ts";
import { type SchedulerBench, schedulerBench } from "../scheduler/scheduler-fixture.ts";
import { createExtenderTransport } from "./extender-transport.ts";

const PATIENCE_MS = 30_000;

type Answer = (verb: string, body: { nodenames?: string[] }) => unknown;
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function answering(answer: Answer, seen: string[] = []): Handler {
  return (request, response) => {
    void text(request).then((body) => {
      seen.push(`${request.method} ${request.url} ${request.headers["content-type"]}`);
      const verb = request.url?.split("/").at(-1) ?? "";
      response.end(JSON.stringify(answer(verb, JSON.parse(body) as { nodenames?: string[] })));
    });
  };
}

async function serve(handler: Handler): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scheduler`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Two nodes, the first with more room, and one pod; resolves when something became of the pod. */
async function outcomeWith(...extenders: object[]): Promise<{ node?: string; message?: string }> {
  using transport = createExtenderTransport();
  const configuration = readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    extenders,
  });
  await using bench = schedulerBench({ configuration, extenderTransport: transport.send });
  await bench.node("n1", "8");
  await bench.node("n2", "4");
  await settle();
  await bench.pod("a");
  return await outcomeOf(bench);
}

async function outcomeOf(bench: SchedulerBench): Promise<{ node?: string; message?: string }> {
  const untilMs = performance.now() + PATIENCE_MS;
  while (performance.now() < untilMs) {
    await settle();
    const { spec, status } = await bench.podOf("a");
    if (spec?.nodeName) return { node: spec.nodeName };
    const message = status?.conditions?.[0]?.message;
    if (message !== undefined) return { message };
    await pause(5);
  }
  throw new Error("nothing became of the pod");
}

const cached = { filterVerb: "filter", nodeCacheCapable: true };
const onlyN2: Answer = () => ({ nodenames: ["n2"], failedNodes: { n1: "too loud" } });

test("a server filters and scores over HTTP", async () => {
  const seen: string[] = [];
  const answer: Answer = (verb, { nodenames = [] }) =>
    verb === "filter"
      ? { nodenames }
      : nodenames.map((host) => ({ host, score: host === "n2" ? 10 : 0 }));
  await using server = await serve(answering(answer, seen));
  const extender = { urlPrefix: server.url, ...cached, prioritizeVerb: "prioritize", weight: 9 };
  assert.deepEqual(await outcomeWith(extender), { node: "n2" });
  assert.deepEqual(seen, [
    "POST /scheduler/filter application/json",
    "POST /scheduler/prioritize application/json",
  ]);
});

test("servers are asked one after another about what the ones before left", async () => {
  const asked: string[][] = [];
  const keeps: Answer = (_verb, { nodenames = [] }) => {
    asked.push(nodenames.toSorted());
    return { nodenames };
  };
  await using first = await serve(answering(onlyN2));
  await using second = await serve(answering(keeps));
  const outcome = await outcomeWith(
    { urlPrefix: first.url, ...cached },
    { urlPrefix: second.url, ...cached },
  );
  assert.deepEqual(outcome, { node: "n2" });
  assert.deepEqual(asked, [["n2"]]);
});

const UNWELL: [name: string, handler: Handler, why: RegExp, timeout?: string][] = [
  ["answers with an error", (_, response) => response.writeHead(500).end(), /it answered 500/],
  ["says no content", (_, response) => response.writeHead(204).end(), /it answered 204/],
  ["answers no JSON", (_, response) => response.end("<html>"), /its answer is no JSON/],
  ["closes the connection", ({ socket }) => socket.destroy(), /socket hang up/],
  ["never answers", () => {}, /it did not answer within 100 ms/, "100ms"],
  [
    "stops in the middle of its answer",
    (_, response) => response.write('{"nodenames":['),
    /it did not answer within 100 ms/,
    "100ms",
  ],
  ["names an error", answering(() => ({ error: "out of luck" })), /out of luck/],
  [
    "leaves a node that was not in question",
    answering(() => ({ nodenames: ["n9"] })),
    /it left node "n9", which was not in question/,
  ],
];
for (const [name, handler, why, httpTimeout = "30s"] of UNWELL) {
  test(`a server that ${name} holds the pod up, unless it is ignorable`, async () => {
    await using server = await serve(handler);
    const extender = { urlPrefix: server.url, ...cached, httpTimeout };
    const { message } = await outcomeWith(extender);
    assert.match(message ?? "", why);
    assert.ok(message?.startsWith(`extender ${server.url}/filter: `), message);
    assert.deepEqual(await outcomeWith({ ...extender, ignorable: true }), { node: "n1" });
  });
}

test("a server that fails to score does not keep a pod from its place", async () => {
  await using server = await serve((_, response) => response.writeHead(500).end());
  const extender = { urlPrefix: server.url, prioritizeVerb: "prioritize", weight: 1 };
  assert.deepEqual(await outcomeWith(extender), { node: "n1" });
});

test("an ignorable server that is gone does not count, and the others do", async () => {
  const gone = await serve(() => {});
  await gone[Symbol.asyncDispose]();
  await using well = await serve(answering(onlyN2));
  const outcome = await outcomeWith(
    { urlPrefix: gone.url, ...cached, ignorable: true },
    { urlPrefix: well.url, ...cached },
  );
  assert.deepEqual(outcome, { node: "n2" });
});

test("a server is known by its authority, and knows us by our certificate", async () => {
  const certificates = issueTestCertificates(Date.now());
  const clients: boolean[] = [];
  const answer = answering(onlyN2);
  await using server = await serveTls(certificates, (request, response) => {
    clients.push((request.socket as { authorized?: boolean }).authorized === true);
    answer(request, response);
  });
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  const extender = { urlPrefix: server.url, ...cached };
  const { message } = await outcomeWith(extender);
  assert.match(message ?? "", /unable to verify|self[- ]signed/);
  const caData = base64(certificates.caPem);
  assert.deepEqual(await outcomeWith({ ...extender, tlsConfig: { caData } }), { node: "n2" });
  assert.deepEqual(await outcomeWith({ ...extender, enableHTTPS: true }), { node: "n2" });
  const { certPem, keyPem } = certificates.client;
  const own = { caData, certData: base64(certPem), keyData: base64(keyPem) };
  assert.deepEqual(await outcomeWith({ ...extender, tlsConfig: own }), { node: "n2" });
  assert.deepEqual(clients, [false, false, true]);
  const other = { caData, serverName: "elsewhere.example" };
  const refused = await outcomeWith({ ...extender, tlsConfig: other });
  assert.match(refused.message ?? "", /does not match/);
});
