import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENTS } from "../api/generated/resources.ts";
import type { Event } from "../api/generated/types/core-v1.ts";
import type { ApiRequest, Transport } from "../api/transport.ts";
import { sleep } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createEventRecorder, type RunningEventRecorder } from "./api-event-recorder.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { createClient } from "./resource-client.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u1", resourceVersion: "5" },
};
const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", uid: "u2" } };

interface Bench {
  clock: VirtualClock;
  transport: MemoryTransport;
  recorder: RunningEventRecorder;
  events(): Promise<Event[]>;
}

function setUp(
  through = (inner: Transport): Transport => inner,
  waiting: { delayMs?: number } = {},
): Bench {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const client = createClient(through(transport));
  const random = seededRandom(3);
  const more = { component: "test", host: "n1", logger: silentLogger, ...waiting };
  const recorder = createEventRecorder({ client, clock, random, ...more });
  const events = async () => (await client.for(EVENTS).list()).items;
  return { clock, transport, recorder, events };
}

test("events may wait for what they tell of, but keep their time and their order", async () => {
  const { clock, recorder, events } = setUp((inner) => inner, { delayMs: 400 });
  const said = { type: "Normal", message: "" } as const;
  recorder.record({ about: pod, ...said, reason: "Created" });
  await clock.advance(399);
  recorder.record({ about: pod, ...said, reason: "Started" });
  assert.deepEqual(await events(), []);
  await clock.advance(400);
  await recorder.drained();
  const told = await events();
  assert.deepEqual(
    told.map(({ reason, firstTimestamp }) => [reason, firstTimestamp]),
    [
      ["Created", "2025-01-01T00:00:00Z"],
      ["Started", "2025-01-01T00:00:00Z"],
    ],
  );
});

test("events of a burst wait for its end, but not for ever", async () => {
  const { clock, recorder, events } = setUp((inner) => inner, { delayMs: 400 });
  const said = { type: "Normal", message: "" } as const;
  for (let at = 0; at < 2_000; at += 100) {
    recorder.record({ about: pod, ...said, reason: `Step${at}` });
    await clock.advance(100);
    if (at < 1_900) assert.deepEqual(await events(), [], `after ${at} ms`);
  }
  await clock.advance(400);
  assert.equal((await events()).length, 20);
  await recorder[Symbol.asyncDispose]();
});

test("what waits when a recorder ends is dropped at once", async () => {
  const { recorder, events } = setUp((inner) => inner, { delayMs: 400 });
  recorder.record({ about: pod, type: "Normal", reason: "Created", message: "" });
  await recorder[Symbol.asyncDispose]();
  assert.deepEqual(await events(), []);
});

test("an event names its object, its source and its time", async () => {
  const { recorder, events } = setUp();
  const fieldPath = "spec.containers{web}";
  const said = { type: "Normal", reason: "Started", message: "Started container" } as const;
  recorder.record({ about: pod, ...said, fieldPath });
  recorder.record({ about: node, type: "Warning", reason: "Full", message: "no disk" });
  await recorder.drained();
  const [first, second] = await events();
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const { apiVersion, kind } = pod;
  const about = { apiVersion, kind, name, namespace, uid, resourceVersion, fieldPath };
  assert.deepEqual(first?.involvedObject, about);
  assert.match(first?.metadata?.name ?? "", /^web\.[0-9a-z]+$/);
  const { count, source, firstTimestamp, lastTimestamp } = first ?? {};
  assert.deepEqual(
    { count, source, firstTimestamp, lastTimestamp },
    {
      count: 1,
      source: { component: "test", host: "n1" },
      firstTimestamp: "2025-01-01T00:00:00Z",
      lastTimestamp: "2025-01-01T00:00:00Z",
    },
  );
  assert.equal(second?.metadata?.namespace, "default");
  await recorder[Symbol.asyncDispose]();
});

test("events of one moment are listed in the order of their recording", async () => {
  const { recorder, events } = setUp();
  const messages = Array.from({ length: 20 }, (_, at) => `step ${at}`);
  for (const message of messages) {
    recorder.record({ about: pod, type: "Normal", reason: "Step", message });
  }
  await recorder.drained();
  const byName = (await events()).sort((one, other) =>
    (one.metadata?.name ?? "") < (other.metadata?.name ?? "") ? -1 : 1,
  );
  assert.deepEqual(
    byName.map(({ message }) => message),
    messages,
  );
  await recorder[Symbol.asyncDispose]();
});

test("events of several objects are written side by side, those of one in their order", async () => {
  let underWay = 0;
  let most = 0;
  const busy = new Set<string>();
  const { clock, recorder, events } = setUp((inner) => ({
    async request(request) {
      if (request.method === "GET") return inner.request(request);
      const { name = "" } = (request.body as Event).involvedObject;
      assert.ok(!busy.has(name), `two requests about ${name}`);
      busy.add(name);
      most = Math.max(most, ++underWay);
      await sleep(clock, 10);
      underWay--;
      busy.delete(name);
      return inner.request(request);
    },
    watch: (request, sink) => inner.watch(request, sink),
  }));
  const names = Array.from({ length: 20 }, (_, at) => `web-${at}`);
  for (const message of ["first", "second", "third"]) {
    for (const name of names) {
      const about = { ...pod, metadata: { ...pod.metadata, name, uid: name } };
      recorder.record({ about, type: "Normal", reason: "Step", message });
    }
  }
  let isDrained = false;
  const drained = recorder.drained().then(() => (isDrained = true));
  await clock.advance(40);
  assert.equal(isDrained, false);
  await clock.advance(60);
  await drained;
  assert.equal(most, 8);
  const all = await events();
  for (const name of names) {
    const own = all.filter(({ involvedObject }) => involvedObject.name === name);
    const inOrder = own.sort((one, other) =>
      (one.metadata?.name ?? "") < (other.metadata?.name ?? "") ? -1 : 1,
    );
    assert.deepEqual(
      inOrder.map(({ message }) => message),
      ["first", "second", "third"],
    );
  }
  await recorder[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});

test("a repeated event counts up; one that the server forgot begins anew", async () => {
  const { clock, transport, recorder, events } = setUp();
  const event = { about: pod, type: "Warning", reason: "BackOff", message: "again" } as const;
  for (let i = 0; i < 3; i++) {
    recorder.record(event);
    await clock.advance(1_000);
  }
  const [only, ...others] = await events();
  assert.deepEqual([only?.count, only?.lastTimestamp], [3, "2025-01-01T00:00:02Z"]);
  assert.equal(others.length, 0);
  const name = only?.metadata?.name ?? "";
  await createClient(transport).for(EVENTS).delete({ namespace: "default", name });
  recorder.record(event);
  await recorder.drained();
  assert.deepEqual(
    (await events()).map(({ count }) => count),
    [1],
  );
  await recorder[Symbol.asyncDispose]();
});

test("a server that is away for a moment costs nothing, one that refuses costs the event", async () => {
  const { clock, transport, recorder, events } = setUp();
  const event = { about: pod, type: "Normal", reason: "A", message: "a" } as const;
  transport.fail = () => new Error("connection refused");
  recorder.record(event);
  await clock.advance(500);
  transport.fail = undefined;
  await clock.advance(2_000);
  assert.equal((await events()).length, 1);
  let requests = 0;
  transport.fail = ({ method }: ApiRequest) => {
    if (method === "POST") requests++;
    return method === "POST" ? Object.assign(new Error("down"), {}) : undefined;
  };
  recorder.record({ ...event, reason: "B" });
  await clock.advance(60_000);
  assert.equal(requests, 3);
  assert.equal((await events()).length, 1);
  await recorder[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});
