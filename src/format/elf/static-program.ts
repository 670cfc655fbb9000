/** Machines that programs are written for, as Node.js names them. */
export type ProgramMachine = "x64" | "arm64";

/** Where a program begins in memory, its headers included. */
const LOAD_ADDRESS = 0x400000;
const HEADERS_BYTES = 64 + 56;
const ELF_MACHINE = { x64: 62, arm64: 183 } as const;

/** Address of what follows `codeBytes` of instructions. */
export function dataAddress(codeBytes: number): number {
  return LOAD_ADDRESS + HEADERS_BYTES + codeBytes;
}

/** The bytes of instructions that are words of 32 bits. */
export function wordBytes(words: readonly number[]): number[] {
  return words.flatMap((word) => [
    word & 0xff,
    (word >> 8) & 0xff,
    (word >> 16) & 0xff,
    word >>> 24,
  ]);
}

/**
 * A static executable that begins with the first instruction of `code`, right behind which `data`
 * lies in memory that cannot be written. Source: elf(5).
 */
export function staticProgram(
  machine: ProgramMachine,
  { code, data }: { code: readonly number[]; data: Uint8Array },
): Uint8Array {
  const bytes = new Uint8Array(HEADERS_BYTES + code.length + data.length);
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
  bytes.set(data, HEADERS_BYTES + code.length);
  return bytes;
}
