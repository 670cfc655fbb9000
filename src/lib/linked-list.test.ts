import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Link, LinkedList } from "./linked-list.ts";

test("items leave in the order in which they came, or by their links", () => {
  const list = new LinkedList<string>();
  const a = list.add("a");
  const b = list.add("b");
  const c = list.add("c");
  list.remove(b);
  list.remove(b);
  assert.equal(list.first, "a");
  list.remove(a);
  assert.equal(list.shift(), "c");
  list.remove(c);
  assert.equal(list.shift(), undefined);
  assert.equal(list.first, undefined);
});

test("it is what an array with removals would be, and links that left hold on to nothing", () => {
  const steps = fc.array(fc.oneof(fc.constant("add"), fc.constant("shift"), fc.nat(20)));
  fc.assert(
    fc.property(steps, (actions) => {
      const list = new LinkedList<number>();
      const links: Link<number>[] = [];
      let expected: number[] = [];
      for (const [at, action] of actions.entries()) {
        if (action === "add") {
          links.push(list.add(at));
          expected.push(at);
        } else if (action === "shift") {
          assert.equal(list.shift(), expected.shift());
        } else {
          const link = links[Number(action)];
          if (link) list.remove(link);
          expected = expected.filter((item) => item !== link?.item);
        }
        assert.equal(list.first, expected[0]);
      }
      const left = links.filter(({ isLinked }) => !isLinked);
      assert.ok(left.every(({ previous, next }) => !previous && !next));
      const rest: number[] = [];
      for (let item = list.shift(); item !== undefined; item = list.shift()) rest.push(item);
      assert.deepEqual(rest, expected);
    }),
  );
});
