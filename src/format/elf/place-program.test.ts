import assert from "node:assert/strict";
import { test } from "node:test";
import { placeProgram } from "./place-program.ts";

test("a program that enters groups is small, on either machine", () => {
  for (const machine of ["x64", "arm64"] as const) {
    const plain = placeProgram(machine, { groups: 8, gated: false });
    const gated = placeProgram(machine, { groups: 8, gated: true });
    assert.ok(plain.length < gated.length && gated.length < 1600, `${gated.length}`);
    const moving = placeProgram(machine, { groups: 8, gated: false, mounts: 6 });
    assert.ok(plain.length < moving.length && moving.length < 3000, `${moving.length}`);
  }
});

test("a step that must yield something jumps away on 0 as well", () => {
  const words = (machine: "x64" | "arm64") =>
    Buffer.from(placeProgram(machine, { groups: 1, gated: true })).toString("hex");
  // test rax, rax; jle
  assert.equal(words("x64").split("4885c00f8e").length, 2);
  // cmp x0, #0, before b.le and b.lt
  assert.ok(words("arm64").split("1f0000f1").length > 4);
});
