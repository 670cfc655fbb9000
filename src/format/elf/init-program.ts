/** Machines that the program below exists for, as Node.js names them. */
export type ProgramMachine = "x64" | "arm64";

const LOAD_ADDRESS = 0x400000;
const HEADERS_BYTES = 64 + 56;
const ELF_MACHINE = { x64: 62, arm64: 183 } as const;

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
  arm64: [
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
  ].flatMap((word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24]),
};

const SIGACTION_BYTES = 32;

/**
 * The first process of namespaces that a pod's containers share: a static executable of some 200
 * bytes that holds them alive. As it ignores SIGCHLD, the kernel itself reaps the orphans that it
 * inherits (sigaction(2), "NOTES"). As the first process of its namespace it feels no signal from
 * within. Source of the format: elf(5).
 */
export function initProgram(machine: ProgramMachine): Uint8Array {
  const code = CODE[machine];
  const bytes = new Uint8Array(HEADERS_BYTES + code.length + SIGACTION_BYTES);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bits, little-endian, version 1
  u16(16, 2); // ET_EXEC
  u16(18, ELF_MACHINE[machine]);
  u32(20, 1);
  u64(24, LOAD_ADDRESS + HEADERS_BYTES); // entry
  u64(32, 64); // program headers
  u16(52, 64);
  u16(54, 56);
  u16(56, 1);
  u32(64, 1); // PT_LOAD
  u32(68, 5); // readable, executable
  u64(80, LOAD_ADDRESS);
  u64(88, LOAD_ADDRESS);
  u64(96, bytes.length);
  u64(104, bytes.length);
  u64(112, 0x10000); // the largest page size of either machine
  bytes.set(code, HEADERS_BYTES);
  u64(HEADERS_BYTES + code.length, 1); // SIG_IGN
  return bytes;
}
