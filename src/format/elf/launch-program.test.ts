import assert from "node:assert/strict";
import { test } from "node:test";
import { skippedCall } from "../seccomp/skipped-call.ts";
import { launchProgram } from "./launch-program.ts";

test("a launcher ends with its filter, to which its program points", () => {
  for (const machine of ["x64", "arm64"] as const) {
    const filter = skippedCall(machine, { name: "membarrier", firstArgument: 16 });
    const bytes = launchProgram(machine, { filter, nullDescriptor: 319 });
    const view = new DataView(bytes.buffer);
    const at = bytes.length - filter.length * 8;
    assert.equal(view.getUint16(at - 16, true), filter.length);
    assert.equal(view.getBigUint64(at - 8, true), 0x400000n + BigInt(at));
    assert.equal(at % 8, 0);
    assert.equal(view.getUint32(at + 8 * 6 + 4, true), 0x50000, "errno 0 for the call");
    assert.equal(view.getUint32(at + 8 * 7 + 4, true), 0x7fff0000, "everything else");
  }
});

test("only calls that exist can be skipped", () => {
  assert.throws(() => skippedCall("x64", { name: "absent", firstArgument: 0 }), RangeError);
});
