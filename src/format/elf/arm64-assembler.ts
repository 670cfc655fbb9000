import type { Bytes, Operand, ProgramStep } from "./static-program.ts";

/** Where bytes of the program lie in memory. */
export type Address = (bytes: Bytes) => number;

/** What the assemblers work on. */
export interface AssemblerInput {
  steps: readonly ProgramStep[];
  /** Where a failed step goes on. */
  exit: ProgramStep;
  numberOf(call: string): number;
  address: Address;
}

/** Where an argument lies above the stack pointer at the start: behind its count and the name. */
export function argumentOffset(at: number): number {
  return 8 + 8 * at;
}

const SYSCALL_REGISTER = 8;
const [LESS, LESS_OR_EQUAL] = [0xb, 0xd];

/** The instructions of a program. Source: Arm Architecture Reference Manual, A64. */
export function assemble({ steps, exit, numberOf, address }: AssemblerInput): number[] {
  const words: number[] = [];
  const jumps: { at: number; condition: number }[] = [];
  let last = 0;
  let skip: { at: number; until: number } | undefined;
  for (const [index, step] of [...steps, exit].entries()) {
    if (skip?.until === index) words[skip.at] = 0xb5000000 | ((words.length - skip.at) << 5);
    if (step === exit) {
      words.push(0x14000000 | ((last - words.length) & 0x3ffffff)); // b to the last step, for ever
      for (const { at, condition } of jumps) {
        words[at] = 0x54000000 | ((words.length - at) << 5) | condition; // b.condition
      }
    }
    last = words.length;
    // The first one last: its register holds the result of the call before.
    for (const [at, operand] of [...step.operands.entries()].toReversed()) {
      words.push(...load(at, operand, address));
    }
    words.push(...move(SYSCALL_REGISTER, numberOf(step.call)), 0xd4000001); // svc #0
    if (step.essential) {
      const condition = step.essential === "some" ? LESS_OR_EQUAL : LESS;
      jumps.push({ at: words.length + 1, condition });
      words.push(0xf100001f, 0); // cmp x0, #0; b.condition
    }
    if (step.childSteps === undefined) continue;
    skip = { at: words.length, until: index + 1 + step.childSteps };
    words.push(0); // cbnz x0
  }
  return words.flatMap((word) => [
    word & 0xff,
    (word >> 8) & 0xff,
    (word >> 16) & 0xff,
    word >>> 24,
  ]);
}

function load(register: number, operand: Operand, address: Address): number[] {
  if (typeof operand === "number") return move(register, operand);
  if ("bytes" in operand) return moveWide(register, address(operand));
  switch (operand.value) {
    case "result":
      return [0xaa0003e0 | register]; // mov register, x0
    case "argument": // ldr register, [sp, #offset]
      return [0xf94003e0 | ((argumentOffset(operand.at) / 8) << 10) | register];
    case "arguments": // add register, sp, #offset
      return [0x910003e0 | (argumentOffset(operand.at) << 10) | register];
    case "environment":
      return [
        0xf94003e0 | register, // ldr register, [sp]
        0x8b206fe0 | (register << 16) | register, // add register, sp, register, uxtx #3
        0x91004000 | (register << 5) | register, // add register, register, #16
      ];
  }
}

function move(register: number, value: number): number[] {
  if (value < 0) return [0x92800000 | (~value << 5) | register]; // movn
  return value > 0xffff ? moveWide(register, value) : [0xd2800000 | (value << 5) | register];
}

function moveWide(register: number, value: number): number[] {
  const [low, high] = [value & 0xffff, value >>> 16];
  return [0xd2800000 | (low << 5) | register, 0xf2a00000 | (high << 5) | register]; // movz, movk
}
