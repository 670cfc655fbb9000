import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, parseCidr, parseIpv4 } from "./ipv4.ts";

test("every address survives a round trip", () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.equal(formatIpv4(parseIpv4(text)), text);
    }),
  );
});

test("a range begins at its first address, whatever bits follow the prefix", () => {
  assert.deepEqual(parseCidr("10.244.3.7/24"), {
    base: parseIpv4("10.244.3.0"),
    prefixLength: 24,
    size: 256,
  });
  assert.equal(parseCidr("0.0.0.0/0").size, 2 ** 32);
});

test("malformed addresses and ranges are refused", () => {
  for (const bad of ["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1.2", "a.b.c.d", "1..2.3"]) {
    assert.throws(() => parseIpv4(bad), RangeError, bad);
  }
  for (const bad of ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "300.0.0.0/8", "a/8"]) {
    assert.throws(() => parseCidr(bad), RangeError, bad);
  }
});
