import assert from "node:assert/strict";
import { test } from "node:test";
import { initProgram } from "./init-program.ts";
import { staticProgram } from "./static-program.ts";

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

test("steps of a child are passed over by its parent, on either machine", () => {
  const exit = { call: "exit_group", operands: [0] };
  const clone = { call: "clone", operands: [17, 0, 0, 0, 0] };
  for (const machine of ["x64", "arm64"] as const) {
    const plain = staticProgram(machine, { steps: [clone, exit, exit] });
    const branching = staticProgram(machine, { steps: [{ ...clone, childSteps: 1 }, exit, exit] });
    const added = branching.length - plain.length;
    assert.equal(machine === "x64" ? added >= 8 : added >= 0, true);
    if (machine === "x64") continue;
    const view = new DataView(branching.buffer);
    const words = Array.from({ length: (branching.length - 120) / 4 }, (_, at) =>
      view.getUint32(120 + at * 4, true),
    );
    const jump = words.findIndex((word) => word >>> 24 === 0xb5);
    const [target, svc] = [jump + (((words[jump] ?? 0) >>> 5) & 0x7ffff), 0xd4000001];
    assert.equal(words[jump - 1], svc, "it looks at the result of the clone");
    assert.equal(words[target - 1], svc, "it goes on behind the child's last step");
    assert.equal(words.slice(jump, target).filter((word) => word === svc).length, 1);
  }
});
