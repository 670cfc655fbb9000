import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createAddressPool } from "./address-pool.ts";

test("an owner keeps its address and a released one rests", () => {
  const pool = createAddressPool("10.244.3.0/24");
  assert.equal(pool.gateway, "10.244.3.1");
  assert.equal(pool.allocate("a"), "10.244.3.2");
  assert.equal(pool.allocate("a"), "10.244.3.2");
  pool.release("a");
  assert.equal(pool.allocate("b"), "10.244.3.3");
});

test("a full range says so, and a claim of a foreign address is refused", () => {
  const pool = createAddressPool("10.0.0.0/30");
  assert.equal(pool.allocate("a"), "10.0.0.2");
  assert.throws(() => pool.allocate("b"), /no address is left/);
  assert.equal(pool.claim("b", "10.0.0.2"), false);
  assert.equal(pool.claim("b", "10.1.0.2"), false);
  assert.equal(pool.claim("a", "10.0.0.2"), true);
});

test("no two owners ever share an address", () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pool = createAddressPool("10.0.0.0/27");
      const held = new Map<string, string>();
      for (const [allocate, owner] of steps) {
        if (allocate) held.set(`${owner}`, pool.allocate(`${owner}`));
        else if (held.delete(`${owner}`)) pool.release(`${owner}`);
        assert.equal(new Set(held.values()).size, held.size);
      }
    }),
  );
});
