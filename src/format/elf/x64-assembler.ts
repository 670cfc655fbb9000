import { type AssemblerInput, argumentOffset } from "./arm64-assembler.ts";
import type { Operand } from "./static-program.ts";

/** Registers of a call's arguments: rdi, rsi, rdx, r10, r8, r9. */
const ARGUMENTS = [7, 6, 2, 10, 8, 9];
const JUMP_BYTES = 5;

/** The instructions of a program. Source: Intel 64 Architectures Manual, volume 2. */
export function assemble(input: AssemblerInput): number[] {
  const { steps, exit, numberOf, address } = input;
  const code: number[] = [];
  const jumps: number[] = [];
  let last = 0;
  let skip: { at: number; until: number } | undefined;
  for (const [index, { call, operands, essential, childSteps }] of [...steps, exit].entries()) {
    if (skip?.until === index) code.splice(skip.at - 4, 4, ...le32(code.length - skip.at));
    const isExit = call === exit.call && operands === exit.operands;
    if (isExit) {
      code.push(0xe9, ...le32(last - code.length - JUMP_BYTES)); // jmp to the last step, for ever
      for (const at of jumps) code.splice(at - 4, 4, ...le32(code.length - at));
    }
    last = code.length;
    operands.forEach((operand, at) => code.push(...load(ARGUMENTS[at] ?? 0, operand, address)));
    code.push(0x48, 0xc7, 0xc0, ...le32(numberOf(call)), 0x0f, 0x05); // mov rax, number; syscall
    if (essential) {
      const condition = essential === "some" ? 0x8e : 0x88;
      code.push(0x48, 0x85, 0xc0, 0x0f, condition, ...le32(0)); // test rax, rax; jle or js
      jumps.push(code.length);
    }
    if (childSteps === undefined) continue;
    code.push(0x48, 0x85, 0xc0, 0x0f, 0x85, ...le32(0)); // test rax, rax; jne
    skip = { at: code.length, until: index + 1 + childSteps };
  }
  return code;
}

function load(register: number, operand: Operand, address: AssemblerInput["address"]): number[] {
  const [low, high] = [register & 7, register > 7];
  if (typeof operand === "number" || "bytes" in operand) {
    const value = typeof operand === "number" ? operand : address(operand);
    return [high ? 0x49 : 0x48, 0xc7, 0xc0 | low, ...le32(value)]; // mov register, value
  }
  const rex = high ? 0x4c : 0x48;
  switch (operand.value) {
    case "result":
      return [high ? 0x49 : 0x48, 0x89, 0xc0 | low]; // mov register, rax
    case "argument": // mov register, [rsp + offset]
      return [rex, 0x8b, 0x84 | (low << 3), 0x24, ...le32(argumentOffset(operand.at))];
    case "arguments": // lea register, [rsp + offset]
      return [rex, 0x8d, 0x84 | (low << 3), 0x24, ...le32(argumentOffset(operand.at))];
    case "environment":
      // mov register, [rsp]; lea register, [rsp + register * 8 + 16]
      return [rex, 0x8b, 0x04 | (low << 3), 0x24].concat([
        high ? 0x4e : 0x48,
        0x8d,
        0x44 | (low << 3),
        0xc4 | (low << 3),
        16,
      ]);
  }
}

function le32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}
