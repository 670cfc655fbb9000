import assert from "node:assert/strict";
import { test } from "node:test";
import { LaterInTurn } from "./later-in-turn.ts";

test("what is added is called once, in order, after promises and before the next turn", async () => {
  const later = new LaterInTurn();
  const seen: string[] = [];
  const nextTurn = new Promise<void>((resolve) =>
    setImmediate(() => {
      seen.push("next turn");
      resolve();
    }),
  );
  later.add(() => seen.push("first"));
  later.add(() => seen.push("second"));
  void Promise.resolve()
    .then(() => seen.push("promise"))
    .then(() => seen.push("its follower"));
  assert.deepEqual(seen, []);
  await nextTurn;
  assert.deepEqual(seen, ["promise", "its follower", "first", "second", "next turn"]);
});

test("what is added by what is called is called in the same turn", async () => {
  const later = new LaterInTurn();
  const seen: string[] = [];
  const nextTurn = new Promise<void>((resolve) => setImmediate(resolve));
  later.add(() => {
    seen.push("outer");
    later.add(() => seen.push("inner"));
  });
  later.add(() => seen.push("beside"));
  await nextTurn;
  assert.deepEqual(seen, ["outer", "beside", "inner"]);
});
