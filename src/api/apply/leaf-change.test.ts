import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { builtInModel } from "../schema/built-in-model.ts";
import { compareFields } from "./field-changes.ts";
import { leafChange } from "./leaf-change.ts";
import { setOfLeaf, skippedFields } from "./managed-fields.ts";
import type { Json } from "./shape.ts";

const model = builtInModel();
const struct = model.struct("core/v1.ConfigMap");

function configMap(of: { data?: Json; labels?: Json; more?: Json }): Json {
  const { data, labels, more } = of;
  const metadata = { name: "a", ...(labels ? { labels } : {}) };
  return { kind: "ConfigMap", apiVersion: "v1", metadata, ...(data ? { data } : {}), ...more };
}

test("one text that is set in a map is told, and only that", () => {
  const labels = { app: "b" };
  const before = configMap({ data: { a: "1", b: "2" }, labels });
  const leaf = (after: Json) => leafChange(before, after, { model, struct });
  const named = { field: "data", name: "c" };
  assert.deepEqual(leaf(configMap({ data: { a: "1", b: "2", c: "" }, labels })), named);
  assert.deepEqual(leaf(configMap({ data: { a: "1", b: "3" }, labels })), { ...named, name: "b" });
  const stamped = { ...(before["metadata"] as Json), resourceVersion: "7" };
  assert.deepEqual(
    leaf({ ...before, metadata: stamped, data: { a: "1", b: "2", constructor: "3" } }),
    { ...named, name: "constructor" },
  );
  assert.equal(leaf(before), undefined);
  assert.equal(leaf(configMap({ data: { a: "1", c: "3" }, labels })), undefined);
  assert.equal(leaf(configMap({ data: { a: "2", b: "3" }, labels })), undefined);
  assert.equal(leaf(configMap({ data: { a: "2", b: "2" }, labels: { app: "c" } })), undefined);
  assert.equal(leaf(configMap({ data: { a: "2", b: "2" } })), undefined);
  assert.equal(leaf(configMap({ labels })), undefined);
  const immutable = { immutable: true };
  assert.equal(leaf(configMap({ data: { a: "2", b: "2" }, labels, more: immutable })), undefined);
});

test("property: what is told of a write is what comparing all of it gives", () => {
  const name = fc.oneof(
    fc.constantFrom("a", "b", "c", "constructor", "__proto__", "toString"),
    fc.string({ maxLength: 2 }),
  );
  const map = fc.dictionary(name, fc.constantFrom("", "1", "2"), { maxKeys: 3 });
  const more = fc.oneof(fc.constant({}), fc.constantFrom({ immutable: true }, { unknown: "x" }));
  const object = fc.record({ data: map, labels: map, more }, { requiredKeys: [] });
  const write = fc.tuple(name, fc.constantFrom("1", "2", "3"));
  let told = 0;
  fc.assert(
    fc.property(object, object, write, fc.boolean(), (of, other, [key, value], sets) => {
      const before = configMap(of);
      const changed = { data: { ...of.data, [key]: value } };
      const after = sets
        ? { ...before, ...changed, metadata: { ...(before["metadata"] as Json), uid: "u" } }
        : { ...configMap(other), metadata: before["metadata"] };
      const leaf = leafChange(before, after, { model, struct });
      if (!leaf) return;
      told++;
      const whole = compareFields(before, after, {
        model,
        struct,
        skip: skippedFields({ struct }),
      });
      assert.deepEqual({ changed: setOfLeaf(leaf), removed: {} }, whole);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(told > 300, `only ${told} were told`);
});
