import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ServedResource } from "../resource-registry.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { ListText } from "./list-text.ts";

test("a list reads as JSON through a buffer of any size", () => {
  const served = { resource: { kind: "ConfigMap" }, apiVersion: "v1" } as ServedResource;
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 300 }), (texts, bufferBytes) => {
      const items = texts.map((text, at) => {
        return new CachedObject(`${at}`, at + 1, Buffer.from(JSON.stringify({ text })));
      });
      const list = new ListText(served, { items, revision: 7 });
      const buffer = Buffer.alloc(bufferBytes);
      const parts: Buffer[] = [];
      for (let size = list.read(buffer); size > 0; size = list.read(buffer)) {
        parts.push(Buffer.from(buffer.subarray(0, size)));
      }
      const whole = Buffer.concat(parts);
      assert.equal(whole.byteLength, list.sizeBytes);
      assert.deepEqual(JSON.parse(whole.toString()), {
        kind: "ConfigMapList",
        apiVersion: "v1",
        metadata: { resourceVersion: "7" },
        items: texts.map((text) => ({ text })),
      });
    }),
  );
});
