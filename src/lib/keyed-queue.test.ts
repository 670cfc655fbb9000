import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { KeyedQueue } from "./keyed-queue.ts";

test("of one key only one entry is out at a time", () => {
  const queue = new KeyedQueue<number>(10);
  queue.push("a", 1);
  queue.push("a", 2);
  queue.push("b", 3);
  assert.deepEqual(queue.take(), { key: "a", item: 1 });
  assert.deepEqual(queue.take(), { key: "b", item: 3 });
  assert.equal(queue.take(), undefined);
  queue.done("b");
  assert.equal(queue.take(), undefined);
  queue.done("a");
  assert.deepEqual(queue.take(), { key: "a", item: 2 });
});

test("a full one drops the oldest entry, also behind a key that is out", () => {
  const queue = new KeyedQueue<number>(2);
  for (const item of [1, 2, 3]) queue.push("a", item);
  queue.push("b", 4);
  assert.equal(queue.size, 2);
  assert.deepEqual(queue.take(), { key: "a", item: 3 });
  queue.push("a", 5);
  assert.deepEqual(queue.take(), { key: "b", item: 4 });
  queue.push("a", 6);
  queue.push("a", 7);
  queue.done("a");
  assert.deepEqual(queue.take(), { key: "a", item: 6 });
  queue.clear();
  queue.done("a");
  assert.deepEqual([queue.size, queue.take()], [0, undefined]);
});

test("property: whatever takers do, each key keeps its order and nothing is lost", () => {
  const step = fc.oneof(
    fc.record({ push: fc.constantFrom("a", "b", "c") }),
    fc.record({ done: fc.nat(5) }),
    fc.constant("take" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new KeyedQueue<number>(100);
      const pushed = new Map<string, number[]>();
      const taken = new Map<string, number[]>();
      const out: string[] = [];
      let count = 0;
      const take = () => {
        const next = queue.take();
        if (!next) return false;
        assert.ok(!out.includes(next.key));
        out.push(next.key);
        taken.set(next.key, [...(taken.get(next.key) ?? []), next.item]);
        return true;
      };
      for (const one of steps) {
        if (one === "take") take();
        else if ("push" in one) {
          pushed.set(one.push, [...(pushed.get(one.push) ?? []), ++count]);
          queue.push(one.push, count);
        } else {
          const [key] = out.splice(one.done, 1);
          if (key !== undefined) queue.done(key);
        }
      }
      do for (const key of out.splice(0)) queue.done(key);
      while (take());
      assert.equal(queue.size, 0);
      assert.deepEqual(Object.fromEntries(taken), Object.fromEntries(pushed));
    }),
  );
});
