import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BoundedQueue } from "./bounded-queue.ts";

test("entries come out in order and the oldest are dropped when it is full", () => {
  const action = fc.option(fc.integer(), { nil: undefined, freq: 3 });
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 400 }),
      fc.integer({ min: 1, max: 90 }),
      (all, max) => {
        const queue = new BoundedQueue<number>(max);
        const model: number[] = [];
        let dropped = 0;
        for (const item of all) {
          if (item === undefined) {
            assert.equal(queue.shift(), model.shift());
            continue;
          }
          queue.push(item);
          if (model.push(item) > max) {
            model.shift();
            dropped++;
          }
        }
        assert.deepEqual([queue.size, queue.dropped], [model.length, dropped]);
        while (model.length > 0) assert.equal(queue.shift(), model.shift());
      },
    ),
  );
});
