import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeCanonical,
  decodeCanonical,
  metadataOffset,
  replaceResourceVersion,
  spliceResourceVersion,
} from "./json-canonical.ts";
import { exactJson } from "./json-text.ts";

test("kind, apiVersion and metadata come first and resourceVersion is left out", () => {
  const object = {
    spec: { b: 1, a: [true, null] },
    metadata: { name: "x", resourceVersion: "7", uid: undefined },
    apiVersion: "v1",
    kind: "Pod",
  };
  assert.equal(
    encodeCanonical(object).toString(),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"spec":{"b":1,"a":[true,null]}}',
  );
});

test("an integer beyond 2^53 is written exactly", () => {
  const object = { kind: "K", apiVersion: "v1", spec: { n: 9223372036854775807n, list: [1n] } };
  assert.match(encodeCanonical(object).toString(), /"n":9223372036854775807,"list":\[1\]/);
});

test("property: a field whose text is known is written as it would be anew", () => {
  const spec = fc.dictionary(fc.string(), fc.jsonValue());
  const member = fc.option(fc.jsonValue(), { nil: undefined });
  fc.assert(
    fc.property(spec, member, (value, status) => {
      const object = { kind: "K", apiVersion: "v1", spec: value, status };
      const known = { value, json: exactJson(value) };
      assert.deepEqual(encodeCanonical(object, [known]), encodeCanonical(object));
    }),
  );
});

test("property: a value is written around those whose text is known as it would be anew", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("\ud800"));
  const leaf = fc.oneof(
    text,
    fc.double(),
    fc.bigInt(),
    fc.constantFrom(null, undefined, true, false, -0),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(leaf, fc.array(tie("tree")), fc.dictionary(text, tie("tree"))),
  }));
  fc.assert(
    fc.property(tree, tree, (inner, other) => {
      const value = { a: [inner], toJSON: "b", c: { d: { e: inner, f: other } } };
      const whole = { kind: "K", apiVersion: "v1", metadata: { value } };
      const known = [value.c.d, value.a].map((each) => ({ value: each, json: exactJson(each) }));
      assert.deepEqual(encodeCanonical(whole, known), encodeCanonical(whole));
    }),
  );
});

test("a known text is written only for the value that it is of", () => {
  const object = { kind: "K", apiVersion: "v1", spec: { a: 1 } };
  const other = { value: { a: 1 }, json: "false" };
  assert.equal(
    encodeCanonical(object, [other]).toString(),
    '{"kind":"K","apiVersion":"v1","metadata":{},"spec":{"a":1}}',
  );
});

test("a resourceVersion is spliced in front of the metadata's fields", () => {
  const bytes = encodeCanonical({ kind: "K", apiVersion: "v1", metadata: { name: "x" } });
  assert.equal(
    spliceResourceVersion(bytes, 42).toString(),
    '{"kind":"K","apiVersion":"v1","metadata":{"resourceVersion":"42","name":"x"}}',
  );
});

test("a resourceVersion is spliced into empty metadata", () => {
  const bytes = encodeCanonical({ kind: "K", apiVersion: "v1" });
  assert.equal(
    spliceResourceVersion(bytes, 42n).toString(),
    '{"kind":"K","apiVersion":"v1","metadata":{"resourceVersion":"42"}}',
  );
});

test("bytes of another layout are refused", () => {
  assert.throws(() => metadataOffset(Buffer.from('{"metadata":{}}')), RangeError);
});

test("splicing adds the resourceVersion and changes nothing else", () => {
  const metadata = fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(metadata, fc.jsonValue(), (given, spec) => {
      const object = { kind: "K", apiVersion: "g/v1", metadata: given, spec };
      const spliced: unknown = JSON.parse(
        spliceResourceVersion(encodeCanonical(object), 5).toString(),
      );
      const wanted = { ...object, metadata: { ...given, resourceVersion: "5" } };
      assert.deepEqual(spliced, JSON.parse(JSON.stringify(wanted)));
    }),
  );
});

test("another resourceVersion takes the place of the first, digit for digit", () => {
  const object = { kind: "K", apiVersion: "v1", metadata: { name: "a" }, n: 9007199254740993n };
  const bytes = encodeCanonical(object);
  for (const revision of [1, 12_345, 9_007_199_254_740_991]) {
    const replaced = replaceResourceVersion(spliceResourceVersion(bytes, 42), revision);
    assert.deepEqual(replaced, spliceResourceVersion(bytes, revision));
  }
  assert.throws(() => replaceResourceVersion(bytes, 1), RangeError);
});

test("what is encoded is decoded without loss", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(fc.array(int64), fc.string(), (numbers, text) => {
      const exact = numbers.map((n) => (BigInt(Number(n)) === n && safe(n) ? Number(n) : n));
      const object = { kind: "K", apiVersion: "v1", metadata: { name: text }, spec: exact };
      assert.deepEqual(decodeCanonical(encodeCanonical(object)), object);
    }),
  );
});

function safe(n: bigint): boolean {
  return Number.isSafeInteger(Number(n));
}
