import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { splitPath } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import { CacheEvent } from "../watch-cache/cache-event.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
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

function writerOn(response: StuckResponse): WatchWriter {
  const served = {
    resource: { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" },
    apiVersion: "v1",
  } as ServedResource;
  return new WatchWriter(response as unknown as ServerResponse, {
    served,
    representation: { as: "object", version: "v1", format: "json" },
    query: splitPath("").query,
    protobuf: new ProtobufEncoder(builtInModel()),
    now: () => 0,
  });
}

function eventOf(revision: number, sizeBytes: number): CacheEvent {
  const bytes = Buffer.from(JSON.stringify({ revision, text: "x".repeat(sizeBytes) }));
  const object = new CachedObject("k", revision, bytes);
  return new CacheEvent({ object, previous: undefined, removed: false, timeMs: 0 });
}

function send(writer: WatchWriter, event: CacheEvent): void {
  writer.events([{ event, seen: { type: "ADDED", object: event.object } }]);
}

test("a reader that stops is cut off once too much waits for it", () => {
  const response = new StuckResponse(1);
  const writer = writerOn(response);
  for (let revision = 1; revision <= 8 && !response.destroyed; revision++) {
    send(writer, eventOf(revision, 1 << 20));
  }
  assert.equal(response.written.length, 1);
  assert.equal(response.destroyed, false);
  send(writer, eventOf(9, 1 << 20));
  assert.equal(response.destroyed, true);
});

test("what waited is written in order when the reader goes on, and then the end", () => {
  const response = new StuckResponse(1);
  const writer = writerOn(response);
  for (let revision = 1; revision <= 3; revision++) send(writer, eventOf(revision, 0));
  writer.ended();
  assert.equal(response.ended, false);
  response.room = 10;
  response.emit("drain");
  const lines = response.written
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("{"));
  const revisions = lines.map(
    (line) => (JSON.parse(line) as { object: { revision: number } }).object.revision,
  );
  assert.deepEqual(revisions, [1, 2, 3]);
  assert.equal(response.ended, true);
});

test("watchers of the same form share one encoding", () => {
  const event = eventOf(1, 10);
  const [one, two] = [new StuckResponse(9), new StuckResponse(9)];
  send(writerOn(one), event);
  let encoded = 0;
  event.frame("ADDED", () => {
    encoded++;
    return Buffer.from("");
  });
  send(writerOn(two), event);
  assert.equal(encoded, 0);
  assert.deepEqual(one.written, two.written);
});
