import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CachedObject } from "./cached-object.ts";
import type { Pin } from "./pin.ts";
import { ValueIndex } from "./value-index.ts";

const step = fc.oneof(
  fc.record({
    key: fc.constantFrom("a", "b", "c", "d"),
    app: fc.constantFrom(undefined, "", "x", "y"),
    gone: fc.boolean(),
  }),
  fc.record({
    name: fc.constantFrom("app", "l1", "l2", "l3", "l4"),
    ask: fc.constantFrom("x", ""),
  }),
);

test("the index finds what looking at every object finds, whatever changed between", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const objects = new Map<string, CachedObject>();
      const index = new ValueIndex(objects, ({ metadata }) => ({
        labels: metadata.labels ?? {},
        fields: {},
      }));
      for (const [at, each] of steps.entries()) {
        if ("ask" in each) {
          const pin: Pin = { of: "labels", name: each.name, value: each.ask };
          const wanted = [...objects.values()].filter(
            (object) => object.object().metadata.labels?.[each.name] === each.ask,
          );
          const keys = wanted.map(({ key }) => key).sort();
          assert.deepEqual(index.keysOf(pin), keys);
          continue;
        }
        const { key, app, gone } = each;
        const before = objects.get(key);
        const labels = app === undefined ? {} : { app, l1: app };
        const bytes = Buffer.from(JSON.stringify({ metadata: { name: key, labels } }));
        if (gone) objects.delete(key);
        else objects.set(key, new CachedObject(key, at, bytes));
        if (before || !gone) index.changed(key, before);
      }
    }),
  );
});

test("absent fields are found as empty, absent labels are not", () => {
  const bytes = Buffer.from('{"metadata":{}}');
  const objects = new Map([["a", new CachedObject("a", 1, bytes)]]);
  const index = new ValueIndex(objects, () => ({ labels: {}, fields: {} }));
  assert.deepEqual(index.keysOf({ of: "fields", name: "spec.nodeName", value: "" }), ["a"]);
  assert.deepEqual(index.keysOf({ of: "labels", name: "app", value: "" }), []);
});
