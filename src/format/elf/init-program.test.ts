import assert from "node:assert/strict";
import { test } from "node:test";
import { initProgram } from "./init-program.ts";

test("the first process of a sandbox is a small static executable of its machine", () => {
  for (const [machine, code] of [
    ["x64", 62],
    ["arm64", 183],
  ] as const) {
    const bytes = initProgram(machine);
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint32(0), 0x7f454c46);
    assert.equal(view.getUint16(18, true), code);
    assert.equal(view.getBigUint64(24, true), 0x400078n, "starts behind the headers");
    assert.equal(view.getBigUint64(96, true), BigInt(bytes.length), "is loaded whole");
    assert.ok(bytes.length < 300);
    // The action of SIGCHLD ends the program: SIG_IGN, no flags, no restorer, no mask.
    assert.deepEqual([...bytes.subarray(-32)], [1, ...Array.from({ length: 31 }, () => 0)]);
  }
});
