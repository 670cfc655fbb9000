import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import type { Clock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { splitPath } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import { CacheEvent } from "../watch-cache/cache-event.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { LaterInTurn } from "./later-in-turn.ts";
import { WatchWriter } from "./watch-writer.ts";

/** A response whose reader takes `room` writes and then stops. */
class StuckResponse extends EventEmitter {
  written: string[] = [];
  destroyed = false;
  ended = false;
  room: number;

  constructor(room: number) {
    super();
    this.room = room;
  }

  writeHead(): void {}
  flushHeaders(): void {}

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes).toString());
    return --this.room > 0;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function revisionsIn({ written }: StuckResponse): number[] {
  const lines = written
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("{"));
  return lines.map(
    (line) => (JSON.parse(line) as { object: { revision: number } }).object.revision,
  );
}

function writerOn(response: StuckResponse, clock: Clock = new VirtualClock()): WatchWriter {
  const served = {
    resource: { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" },
    apiVersion: "v1",
  } as ServedResource;
  return new WatchWriter(response as unknown as ServerResponse, {
    served,
    representation: { as: "object", version: "v1", format: "json" },
    query: splitPath("").query,
    protobuf: new ProtobufEncoder(builtInModel()),
    later: new LaterInTurn(),
    clock,
    logger: silentLogger,
  });
}

function eventOf(revision: number, sizeBytes: number): CacheEvent {
  const bytes = Buffer.from(JSON.stringify({ revision, text: "x".repeat(sizeBytes) }));
  const object = new CachedObject("k", revision, bytes);
  return new CacheEvent({ object, previous: undefined, removed: false, timeMs: 0 });
}

/** Resolves when what was sent before has been written. */
function written(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function send(writer: WatchWriter, event: CacheEvent): void {
  writer.event(event, { type: "ADDED", object: event.object });
}

test("a reader that stops is cut off once too much waits for it", async () => {
  const response = new StuckResponse(1);
  const writer = writerOn(response);
  for (let revision = 1; revision <= 8 && !response.destroyed; revision++) {
    send(writer, eventOf(revision, 1 << 20));
    await written();
  }
  assert.equal(response.written.length, 1);
  assert.equal(response.destroyed, false);
  send(writer, eventOf(9, 1 << 20));
  assert.equal(response.destroyed, true);
});

test("what waited is written in order when the reader goes on, and then the end", async () => {
  const response = new StuckResponse(1);
  const writer = writerOn(response);
  for (let revision = 1; revision <= 3; revision++) {
    send(writer, eventOf(revision, 0));
    await written();
  }
  writer.ended();
  assert.equal(response.ended, false);
  response.room = 10;
  response.emit("drain");
  assert.deepEqual(revisionsIn(response), [1, 2, 3]);
  assert.equal(response.ended, true);
});

test("a long backlog is read as the reader takes it, and never cuts it off", async () => {
  const response = new StuckResponse(1);
  const writer = writerOn(response);
  let read = 0;
  writer.backlog(
    (function* () {
      for (let revision = 1; revision <= 20_000; revision++) {
        read = revision;
        yield { type: "ADDED", object: eventOf(revision, 1_000).object } as const;
      }
    })(),
  );
  assert.ok(read > 0 && read < 200, `${read} were read`);
  send(writer, eventOf(20_001, 0));
  await written();
  response.room = Number.POSITIVE_INFINITY;
  response.emit("drain");
  const revisions = revisionsIn(response);
  assert.deepEqual(
    revisions,
    Array.from({ length: 20_001 }, (_, at) => at + 1),
  );
});

test("watchers of the same form share one encoding", async () => {
  const event = eventOf(1, 10);
  const [one, two] = [new StuckResponse(9), new StuckResponse(9)];
  send(writerOn(one), event);
  await written();
  let encoded = 0;
  event.frame("ADDED", { type: "ADDED", object: event.object }, () => {
    encoded++;
    return Buffer.from("");
  });
  send(writerOn(two), event);
  await written();
  assert.equal(encoded, 0);
  assert.deepEqual(one.written, two.written);
});

test("a reader that does not even take the end is cut off after a while", async () => {
  const clock = new VirtualClock();
  const [stuck, slow] = [new StuckResponse(1), new StuckResponse(1)];
  for (const response of [stuck, slow]) {
    const writer = writerOn(response, clock);
    for (const revision of [1, 2]) {
      send(writer, eventOf(revision, 0));
      await written();
    }
    writer.ended();
  }
  slow.room = 9;
  slow.emit("drain");
  slow.emit("close");
  await clock.advance(10_001);
  assert.deepEqual([stuck.ended, stuck.destroyed], [false, true]);
  assert.deepEqual([slow.ended, slow.destroyed], [true, false]);
});
