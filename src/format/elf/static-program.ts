import { type SyscallArchitecture, syscallNumbers } from "../seccomp/syscall-numbers.ts";
import { type Address, assemble as assembleArm64 } from "./arm64-assembler.ts";
import { assemble as assembleX64 } from "./x64-assembler.ts";

/** What a system call is given: a number of 32 bits, the address of bytes, or a value. */
export type Operand = number | Bytes | RunTimeValue;

/** Bytes that the program holds, which may depend on their own address. */
export interface Bytes {
  bytes(address: number): Uint8Array;
}

/**
 * A value that only the running program knows: the result of the call before, the environment, an
 * argument by its number from 1 to 30, the array of arguments from there on.
 */
export type RunTimeValue =
  | { value: "result" | "environment" }
  | { value: "argument" | "arguments"; at: number };

/** One call of a program. */
export interface ProgramStep {
  call: string;
  operands: readonly Operand[];
  /** When it fails, or with "some" yields 0, the program ends with code 126. */
  essential?: boolean | "some";
  /** How many steps after this one only a process takes for which its result is 0: a child. */
  childSteps?: number;
}

/** A program that makes system calls, one after another, and the last one for ever. */
export interface StaticProgram {
  steps: readonly ProgramStep[];
}

/** A text as the kernel takes it. */
export function text(value: string): Bytes {
  return { bytes: () => new TextEncoder().encode(`${value}\0`) };
}

/** Where a program begins in memory, its headers included. */
const LOAD_ADDRESS = 0x400000;
const HEADERS_BYTES = 64 + 56;
const ELF_MACHINE = { x64: 62, arm64: 183 } as const;
const FAILED_EXIT_CODE = 126;
const ALIGNMENT = 8;

/**
 * A static executable of a few hundred bytes, whose bytes cannot be written. Source: elf(5),
 * syscall(2), "Architecture calling conventions".
 */
export function staticProgram(machine: SyscallArchitecture, program: StaticProgram): Uint8Array {
  const assemble = machine === "x64" ? assembleX64 : assembleArm64;
  const numbers = syscallNumbers(machine);
  const numberOf = (call: string) => {
    const number = numbers.get(call);
    if (number === undefined) throw new RangeError(`There is no system call "${call}"`);
    return number;
  };
  const exit = { call: "exit_group", operands: [FAILED_EXIT_CODE] };
  const code = (address: Address) => assemble({ ...program, exit, numberOf, address });
  const start = LOAD_ADDRESS + HEADERS_BYTES;
  // Where bytes lie does not change how long the instructions are.
  const codeBytes = aligned(code(() => start).length);
  const layout = layOut(program, start + codeBytes);
  return executable(ELF_MACHINE[machine], { ...layout, codeBytes, code: code(layout.address) });
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

/** Puts the bytes that the steps refer to behind each other. */
function layOut({ steps }: StaticProgram, start: number): { address: Address; data: Uint8Array[] } {
  const addresses = new Map<Bytes, number>();
  const data: Uint8Array[] = [];
  let next = start;
  for (const operand of steps.flatMap(({ operands }) => operands)) {
    if (typeof operand === "number" || !("bytes" in operand)) continue;
    const bytes = operand.bytes(next);
    addresses.set(operand, next);
    data.push(bytes);
    next += aligned(bytes.length);
  }
  return { address: (operand) => addresses.get(operand) ?? 0, data };
}

function executable(
  machine: number,
  { code, codeBytes, data }: { code: readonly number[]; codeBytes: number; data: Uint8Array[] },
): Uint8Array {
  const dataBytes = data.reduce((sum, { length }) => sum + aligned(length), 0);
  const bytes = new Uint8Array(HEADERS_BYTES + codeBytes + dataBytes);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bits, little-endian, version 1
  u16(16, 2); // ET_EXEC
  u16(18, machine);
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
  let at = HEADERS_BYTES + codeBytes;
  for (const part of data) {
    bytes.set(part, at);
    at += aligned(part.length);
  }
  return bytes;
}
