import { type BpfInstruction, encodeBpf } from "../seccomp/compile.ts";
import { dataAddress, type ProgramMachine, staticProgram, wordBytes } from "./static-program.ts";

/**
 * seccomp(SECCOMP_SET_MODE_FILTER, 0, program), whose outcome does not matter; then
 * execve(argv[1], &argv[1], environment), or exit(127). At its start the stack holds argc, the
 * arguments, 0 and the environment. What follows the instructions is the `struct sock_fprog`.
 */
const CODE: Readonly<Record<ProgramMachine, readonly number[]>> = {
  x64: [
    [0xb8, 0x3d, 1, 0, 0], // mov eax, 317 (seccomp)
    [0xbf, 1, 0, 0, 0], // mov edi, 1
    [0x31, 0xf6], // xor esi, esi
    [0x48, 0x8d, 0x15, 45, 0, 0, 0], // lea rdx, [rip + 45]
    [0x0f, 0x05], // syscall
    [0x48, 0x8b, 0x7c, 0x24, 16], // mov rdi, [rsp + 16]
    [0x48, 0x8d, 0x74, 0x24, 16], // lea rsi, [rsp + 16]
    [0x48, 0x8b, 0x14, 0x24], // mov rdx, [rsp]
    [0x48, 0x8d, 0x54, 0xd4, 16], // lea rdx, [rsp + rdx * 8 + 16]
    [0xb8, 59, 0, 0, 0], // mov eax, 59 (execve)
    [0x0f, 0x05], // syscall
    [0xbf, 127, 0, 0, 0], // mov edi, 127
    [0xb8, 60, 0, 0, 0], // mov eax, 60 (exit)
    [0x0f, 0x05], // syscall
    [0x90, 0x90, 0x90, 0x90, 0x90], // nop
  ].flat(),
  arm64: wordBytes([
    0xd2800020, // mov x0, #1
    0xd2800001, // mov x1, #0
    0x100001c2, // adr x2, #56
    0xd28022a8, // mov x8, #277 (seccomp)
    0xd4000001, // svc #0
    0xf9400be0, // ldr x0, [sp, #16]
    0x910043e1, // add x1, sp, #16
    0xf94003e2, // ldr x2, [sp]
    0x8b020c22, // add x2, x1, x2, lsl #3
    0xd2801ba8, // mov x8, #221 (execve)
    0xd4000001, // svc #0
    0xd2800fe0, // mov x0, #127
    0xd2800ba8, // mov x8, #93 (exit)
    0xd4000001, // svc #0
    0xd503201f, // nop
    0xd503201f, // nop
  ]),
};

const SOCK_FPROG_BYTES = 16;

/**
 * A static executable that runs the program which its arguments name, by path, behind a seccomp
 * filter that all its descendants keep. Without the privilege to set one it runs it without.
 * Source: seccomp(2), execve(2).
 */
export function launchProgram(
  machine: ProgramMachine,
  filter: readonly BpfInstruction[],
): Uint8Array {
  const code = CODE[machine];
  const instructions = encodeBpf(filter);
  const data = new Uint8Array(SOCK_FPROG_BYTES + instructions.length);
  const view = new DataView(data.buffer);
  view.setUint16(0, filter.length, true);
  view.setBigUint64(8, BigInt(dataAddress(code.length) + SOCK_FPROG_BYTES), true);
  data.set(instructions, SOCK_FPROG_BYTES);
  return staticProgram(machine, { code, data });
}
