import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { freezeSharing } from "./json-share.ts";

const parsed = (text: string): unknown => JSON.parse(text);

test("what two objects have in common is kept once", () => {
  const first = freezeSharing(
    { name: "a", labels: { app: "web" }, ports: [{ port: 80 }, { port: 81 }] },
    undefined,
  );
  const second = freezeSharing(
    { name: "b", labels: { app: "web" }, ports: [{ port: 80 }, { port: 82 }] },
    first,
  );
  assert.deepEqual(second, {
    name: "b",
    labels: { app: "web" },
    ports: [{ port: 80 }, { port: 82 }],
  });
  assert.equal(second.labels, first.labels);
  assert.equal(second.ports[0], first.ports[0]);
  assert.notEqual(second.ports[1], first.ports[1]);
  assert.ok(Object.isFrozen(second) && Object.isFrozen(second.ports[1]));
});

test("an equal value is the one that is known", () => {
  const first = freezeSharing(parsed('{"a":[1,{"b":null}],"c":"d"}'), undefined);
  assert.equal(freezeSharing(parsed('{"a":[1,{"b":null}],"c":"d"}'), first), first);
});

test("keys in another order, lists and odd names are not mixed up", () => {
  for (const [text, like] of [
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    ["{}", "[]"],
    ["[]", "{}"],
    ['{"__proto__":{"x":1},"constructor":{}}', '{"__proto__":{"x":1},"constructor":{}}'],
    ['{"__proto__":{}}', "{}"],
    ['{"toString":"a"}', '{"valueOf":"a"}'],
    ["{}", "{}"],
  ] as const) {
    const value = freezeSharing(parsed(text), freezeSharing(parsed(like), undefined));
    assert.equal(JSON.stringify(value), text);
  }
});

test("sharing changes no value", () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (text, like) => {
      const value = freezeSharing(parsed(text), freezeSharing(parsed(like), undefined));
      assert.equal(JSON.stringify(value), JSON.stringify(parsed(text)));
    }),
  );
});
