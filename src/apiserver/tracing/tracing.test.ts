import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { TRACE_EXPORT_PATH, TRACE_MESSAGES } from "../../format/otlp/trace-messages.ts";
import { createMessageCodec } from "../../format/protobuf/message-codec.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { startHttpsServer } from "../api-server-fixture.ts";
import { OtlpExporter } from "./otlp-exporter.ts";
import { parseTraceparent, type Span, traceparentOf } from "./span.ts";
import { Tracer } from "./tracer.ts";
import { readTracingConfiguration } from "./tracing-configuration.ts";

interface Received {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeSpans: { spans: Record<string, unknown>[] }[];
  }[];
}

/** Takes what is exported, as a collector does. */
async function startCollector() {
  const codec = createMessageCodec(TRACE_MESSAGES);
  const received: Received[] = [];
  const server = createServer();
  let status = "0";
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      assert.equal(headers[":path"], TRACE_EXPORT_PATH);
      const bytes = Buffer.concat(chunks);
      assert.equal(bytes.readUInt32BE(1), bytes.length - 5);
      received.push(codec.decode("ExportTraceServiceRequest", bytes.subarray(5)) as Received);
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
      stream.end(Buffer.alloc(5));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    received,
    collector: { host: "127.0.0.1", port },
    refuse: () => void (status = "8"),
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

function tracerOf(spans: Span[], samplingRatePerMillion = 1_000_000): Tracer {
  const record = (span: Span) => void spans.push(span);
  const random = seededRandom(3);
  return new Tracer({ clock: new VirtualClock(), random, samplingRatePerMillion, record });
}

test("a request is a trace of its own with the calls of the store as its parts", async () => {
  const spans: Span[] = [];
  await using server = await startHttpsServer(Date.now(), { tracer: tracerOf(spans) });
  const path = "/api/v1/namespaces/default/configmaps";
  const foreign = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  const headers = { "content-type": "application/json", traceparent: foreign };
  const { status, headers: answered } = await server.http(path, { method: "POST", body, headers });
  assert.equal(status, 201);
  await server.http("/healthz");
  // A span ends with its connection's last word, which may come after the client has it.
  while (spans.filter(({ kind }) => kind === "server").length < 2) await settle();
  const [request] = spans.filter(({ kind }) => kind === "server");
  assert.equal(request?.name, "POST /api/v1/namespaces/{:namespace}/configmaps");
  assert.equal(request.attributes["http.target"], path);
  assert.equal(request.attributes["http.status_code"], 201);
  assert.equal(request.attributes["audit-id"], answered["audit-id"]);
  assert.equal(request.parentSpanId, undefined, "who asks does not decide on the trace");
  assert.equal(request.link && traceparentOf(request.link), foreign);
  const [stored] = spans.filter(({ name }) => name === "Store create");
  assert.deepEqual(stored?.traceId, request.traceId);
  assert.deepEqual(stored?.parentSpanId, request.spanId);
  assert.ok(stored.startMs >= request.startMs && stored.endMs <= request.endMs + 1);
  assert.ok(spans.some(({ name }) => name === "GET"));
});

test("only so many of a million requests are recorded, and nothing outside of one", async () => {
  const spans: Span[] = [];
  const tracer = tracerOf(spans, 100_000);
  const sampled = Array.from({ length: 10_000 }, () => tracer.samples()).filter(Boolean).length;
  assert.ok(sampled > 800 && sampled < 1_200, `${sampled} of 10,000`);
  assert.equal(tracerOf(spans, 0).samples(), false);
  const work = (header: string | undefined) => Promise.resolve(header);
  assert.equal(await tracer.within({ name: "alone", kind: "client" }, work), undefined);
  assert.equal(spans.length, 0);
  const request = tracer.beginRequest("GET", "nonsense");
  const header = await tracer.run(request, () =>
    tracer.within({ name: "HTTP POST", kind: "client" }, work),
  );
  assert.deepEqual(parseTraceparent(header)?.traceId, Buffer.from(request.context.traceId));
  assert.equal(spans[0]?.link, undefined);
  const failing = () =>
    tracer.within({ name: "x", kind: "client" }, () => Promise.reject(new Error("no")));
  await assert.rejects(tracer.run(request, failing));
  assert.equal(spans[1]?.failure, "no");
});

test("a collector is sent spans in batches, and one that refuses them holds nothing up", async () => {
  await using collector = await startCollector();
  const resource = { "service.name": "apiserver" };
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const clock = new VirtualClock();
  const options = { collector: collector.collector, scope: "test", resource, clock, logger };
  await using exporter = new OtlpExporter(options);
  const at = Date.UTC(2026, 0, 31);
  const span: Span = {
    traceId: Buffer.alloc(16, 1),
    spanId: Buffer.alloc(8, 2),
    parentSpanId: Buffer.alloc(8, 3),
    link: { traceId: Buffer.alloc(16, 4), spanId: Buffer.alloc(8, 5) },
    name: "GET /x",
    kind: "server",
    startMs: at,
    endMs: at + 1.5,
    attributes: { "http.method": "GET", "http.status_code": 500 },
    failure: "it broke",
  };
  for (let i = 0; i < 600; i++) exporter.add(span);
  await exporter.flush();
  const all = collector.received.flatMap(({ resourceSpans }) => resourceSpans);
  assert.deepEqual(all[0]?.resource.attributes[0]?.value.stringValue, "apiserver");
  const spans = all.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  assert.equal(spans.length, 600);
  const [first = {}] = spans;
  assert.deepEqual(Buffer.from(first["traceId"] as Uint8Array), span.traceId);
  assert.deepEqual(Buffer.from(first["parentSpanId"] as Uint8Array), span.parentSpanId);
  assert.equal(first["kind"], 2);
  assert.equal(first["startTimeUnixNano"], at * 1e6);
  assert.ok(Math.abs(Number(first["endTimeUnixNano"]) - (at + 1.5) * 1e6) < 1e3);
  assert.deepEqual(first["status"], { message: "it broke", code: 2 });
  collector.refuse();
  exporter.add(span);
  await exporter.flush();
  exporter.add(span);
  await exporter.flush();
  assert.deepEqual(warnings, ["spans were not taken by the collector"]);
});

test("the configuration names collector and rate", () => {
  const read = (more: object) =>
    readTracingConfiguration({
      apiVersion: "apiserver.config.k8s.io/v1beta1",
      kind: "TracingConfiguration",
      ...more,
    });
  assert.deepEqual(read({}), {
    collector: { host: "localhost", port: 4317 },
    samplingRatePerMillion: 0,
  });
  const collectors = {
    "collector:9": { host: "collector", port: 9 },
    "dns:///collector.example": { host: "collector.example", port: 4317 },
    "dns://10.0.0.1/c:1": { host: "c", port: 1 },
    "[::1]:4317": { host: "[::1]", port: 4317 },
    "unix:///run/otel.sock": { path: "/run/otel.sock" },
  };
  for (const [endpoint, collector] of Object.entries(collectors)) {
    assert.deepEqual(read({ endpoint }).collector, collector, endpoint);
  }
  for (const endpoint of ["http://a:1", "a:b", "a:70000"]) {
    assert.throws(() => read({ endpoint }), /endpoint must be HOST:PORT/, endpoint);
  }
  assert.throws(() => read({ samplingRatePerMillion: 1_000_001 }), /from 0 to 1000000/);
  assert.throws(() => read({ sampling: 1 }), /sampling is not known/);
});
