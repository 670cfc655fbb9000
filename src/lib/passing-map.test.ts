import assert from "node:assert/strict";
import { test } from "node:test";
import { PassingMap } from "./passing-map.ts";

test("keys come and go as in a Map", () => {
  const map = new PassingMap<string, number>();
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  assert.deepEqual([map.get("a"), map.get("b"), map.get("c"), map.size], [3, 2, undefined, 2]);
  assert.equal(map.oldest(), "a");
  map.delete("a");
  map.delete("a");
  assert.deepEqual([map.get("a"), map.oldest(), map.size], [undefined, "b", 1]);
  map.clear();
  assert.deepEqual([map.get("b"), map.oldest(), map.size], [undefined, undefined, 0]);
});
