import assert from "node:assert/strict";
import { test } from "node:test";
import { type BpfInstruction, compileSeccomp, encodeBpf } from "./compile.ts";
import { runtimeDefaultPolicy } from "./runtime-default.ts";
import {
  AUDIT_ARCHITECTURES,
  type SyscallArchitecture,
  syscallNumbers,
} from "./syscall-numbers.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;

/** Runs a filter as the kernel does, on the calls' data. */
function evaluate(
  program: readonly BpfInstruction[],
  call: { architecture: number; number: number; arguments?: readonly number[] },
): number {
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const { code, jumpTrue, jumpFalse, value } = program[at] ?? { code: -1, value: 0 };
    const jump = (taken: boolean) => (at += (taken ? jumpTrue : jumpFalse) ?? 0);
    if (code === 0x06) return value;
    else if (code === 0x20 && value === 0) accumulator = call.number;
    else if (code === 0x20 && value === 4) accumulator = call.architecture;
    else if (code === 0x20) accumulator = (call.arguments?.[(value - 16) / 8] ?? 0) >>> 0;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else assert.fail(`instruction ${code} at ${at}`);
  }
}

for (const architecture of ["x64", "arm64"] as const satisfies SyscallArchitecture[]) {
  const numbers = syscallNumbers(architecture);
  const ask = (name: string, args: readonly number[] = [], capabilities: string[] = []) =>
    evaluate(compileSeccomp(runtimeDefaultPolicy(architecture, capabilities), architecture), {
      architecture: AUDIT_ARCHITECTURES[architecture],
      number: numbers.get(name) ?? -1,
      arguments: args,
    });

  test(`the compiled default profile decides each call of ${architecture} by its policy`, () => {
    const policy = runtimeDefaultPolicy(architecture, []);
    for (const name of policy.allow) assert.equal(ask(name), ALLOW, name);
    for (const { name, errno } of policy.deny) assert.equal(ask(name), 0x50000 | errno, name);
    for (const name of ["mount", "unshare", "setns", "bpf", "keyctl", "io_uring_setup"]) {
      assert.equal(ask(name), EPERM, name);
    }
    for (const name of ["read", "execve", "futex", "openat2", "mseal"]) {
      assert.equal(ask(name), ALLOW, name);
    }
    assert.equal(ask("clone3"), ENOSYS);
  });

  test(`arguments decide on ${architecture}: namespaces, personalities, address families`, () => {
    assert.equal(ask("clone", [0x11]), ALLOW);
    assert.equal(ask("clone", [0x10000000]), EPERM);
    assert.equal(ask("personality", [0xffffffff]), ALLOW);
    assert.equal(ask("personality", [0x0040000]), EPERM);
    assert.equal(ask("socket", [2]), ALLOW);
    assert.equal(ask("socket", [40]), EPERM);
  });

  test(`a capability of ${architecture} opens the calls that are meant for it`, () => {
    assert.equal(ask("mount", [], ["CAP_SYS_ADMIN"]), ALLOW);
    assert.equal(ask("clone", [0x10000000], ["CAP_SYS_ADMIN"]), ALLOW);
    assert.equal(ask("clock_settime", [], ["CAP_SYS_ADMIN"]), EPERM);
    assert.equal(ask("clock_settime", [], ["CAP_SYS_TIME"]), ALLOW);
    assert.equal(ask("kexec_load", [], ["CAP_SYS_ADMIN", "CAP_SYS_BOOT"]) & ~1, 0x50000);
  });
}

test("other architectures, the x32 ABI and calls of the future do not exist", () => {
  const program = compileSeccomp(runtimeDefaultPolicy("x64", []), "x64");
  const x64 = AUDIT_ARCHITECTURES.x64;
  assert.equal(evaluate(program, { architecture: 0x40000003, number: 1 }), ENOSYS);
  assert.equal(evaluate(program, { architecture: x64, number: 0x40000001 }), ENOSYS);
  assert.equal(evaluate(program, { architecture: x64, number: 4000 }), ENOSYS);
  assert.equal(encodeBpf(program).length, program.length * 8);
});
