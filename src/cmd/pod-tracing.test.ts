import assert from "node:assert/strict";
import { test } from "node:test";
import type { Span } from "../apiserver/tracing/span.ts";
import { Tracer } from "../apiserver/tracing/tracer.ts";
import { sleep } from "../lib/clock.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createPodTracer } from "./pod-tracing.ts";

const POD = { uid: "u1", name: "web", namespace: "a" };

function setup(samplingRatePerMillion: number) {
  const clock = new VirtualClock();
  const spans: Span[] = [];
  const record = (span: Span) => void spans.push(span);
  const tracer = new Tracer({ samplingRatePerMillion, clock, random: seededRandom(1), record });
  return { clock, spans, pods: createPodTracer({ tracer, clock }) };
}

test("steps that follow one another are parts of one syncPod, later ones of another", async () => {
  const { clock, spans, pods } = setup(1_000_000);
  const step = (name: string, ms: number) => pods.step(POD, name, () => sleep(clock, ms));
  const first = Promise.all([step("create-sandbox", 10), step("ensure-image", 30)]);
  await clock.advance(30);
  await first;
  await clock.advance(50);
  const next = step("start-container", 5);
  await clock.advance(5);
  await next;
  await clock.advance(100);
  const later = pods.step(POD, "stop-container", () => Promise.reject(new Error("stuck")));
  await assert.rejects(later, /stuck/);
  await clock.advance(100);
  const told = spans.map(({ name, startMs, endMs, failure }) => [name, endMs - startMs, failure]);
  assert.deepEqual(told, [
    ["create-sandbox", 10, undefined],
    ["ensure-image", 30, undefined],
    ["start-container", 5, undefined],
    ["syncPod", 85, undefined],
    ["stop-container", 0, "stuck"],
    ["syncPod", 0, undefined],
  ]);
  const [sandbox, , start, sync, stop] = spans;
  assert.deepEqual(sandbox?.parentSpanId, sync?.spanId);
  assert.deepEqual(start?.traceId, sync?.traceId);
  assert.notDeepEqual(stop?.traceId, sync?.traceId);
  assert.deepEqual(sync?.attributes, {
    "k8s.pod.uid": "u1",
    "k8s.pod": "a/web",
    "k8s.pod.name": "web",
    "k8s.namespace.name": "a",
  });
});

test("what is not sampled is done all the same", async () => {
  const { clock, spans, pods } = setup(0);
  assert.equal(await pods.step(POD, "create-sandbox", async () => 7), 7);
  await clock.advance(1_000);
  assert.deepEqual(spans, []);
});
