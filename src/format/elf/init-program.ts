import { type ProgramMachine, staticProgram, wordBytes } from "./static-program.ts";

/**
 * rt_sigaction(SIGCHLD, {SIG_IGN}, NULL, 8), then ppoll(NULL, 0, NULL, NULL) for ever. What follows
 * the instructions is the `struct sigaction`: handler 1 (SIG_IGN), no flags, no mask.
 */
const CODE: Readonly<Record<ProgramMachine, readonly number[]>> = {
  x64: [
    [0xb8, 13, 0, 0, 0], // mov eax, 13 (rt_sigaction)
    [0xbf, 17, 0, 0, 0], // mov edi, 17 (SIGCHLD)
    [0x48, 0x8d, 0x35, 29, 0, 0, 0], // lea rsi, [rip + 29]
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
    [0x0f, 0x05], // syscall
    [0xb8, 15, 1, 0, 0], // wait: mov eax, 271 (ppoll)
    [0x31, 0xff], // xor edi, edi
    [0x31, 0xf6], // xor esi, esi
    [0x31, 0xd2], // xor edx, edx
    [0x45, 0x31, 0xd2], // xor r10d, r10d
    [0x0f, 0x05], // syscall
    [0xeb, 0xee], // jmp wait
    [0x90], // nop
  ].flat(),
  arm64: wordBytes([
    0xd2800220, // mov x0, #17 (SIGCHLD)
    0x100001e1, // adr x1, #60
    0xd2800002, // mov x2, #0
    0xd2800103, // mov x3, #8
    0xd28010c8, // mov x8, #134 (rt_sigaction)
    0xd4000001, // svc #0
    0xd2800000, // wait: mov x0, #0
    0xd2800001, // mov x1, #0
    0xd2800002, // mov x2, #0
    0xd2800003, // mov x3, #0
    0xd2800004, // mov x4, #0
    0xd2800928, // mov x8, #73 (ppoll)
    0xd4000001, // svc #0
    0x17fffff9, // b wait
    0xd503201f, // nop
    0xd503201f, // nop
  ]),
};

const SIGACTION_BYTES = 32;
const SIG_IGN = 1;

/**
 * The first process of namespaces that a pod's containers share: a static executable of some 200
 * bytes that holds them alive. As it ignores SIGCHLD, the kernel itself reaps the orphans that it
 * inherits (sigaction(2), "NOTES"). As the first process of its namespace it feels no signal from
 * within.
 */
export function initProgram(machine: ProgramMachine): Uint8Array {
  const action = new Uint8Array(SIGACTION_BYTES);
  action[0] = SIG_IGN;
  return staticProgram(machine, { code: CODE[machine], data: action });
}
