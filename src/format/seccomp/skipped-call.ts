import type { BpfInstruction } from "./compile.ts";
import {
  AUDIT_ARCHITECTURES,
  type SyscallArchitecture,
  syscallNumbers,
} from "./syscall-numbers.ts";

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO_0 = 0x00050000;
/** Offsets in struct seccomp_data. */
const OFFSET = { number: 0, architecture: 4, firstArgument: 16 } as const;

/**
 * A filter that lets one call with one value of its first argument succeed without being done, and
 * allows everything else. @throws RangeError for a name that is no system call
 */
export function skippedCall(
  architecture: SyscallArchitecture,
  { name, firstArgument }: { name: string; firstArgument: number },
): BpfInstruction[] {
  const number = syscallNumbers(architecture).get(name);
  if (number === undefined) throw new RangeError(`There is no system call "${name}"`);
  const load = (value: number) => ({ code: LOAD, jumpTrue: 0, jumpFalse: 0, value });
  const unless = (value: number, jumpFalse: number) => {
    return { code: JUMP_EQUAL, jumpTrue: 0, jumpFalse, value };
  };
  const answer = (value: number) => ({ code: RETURN, jumpTrue: 0, jumpFalse: 0, value });
  return [
    load(OFFSET.architecture),
    unless(AUDIT_ARCHITECTURES[architecture], 5),
    load(OFFSET.number),
    unless(number, 3),
    load(OFFSET.firstArgument),
    unless(firstArgument, 1),
    answer(ERRNO_0),
    answer(ALLOW),
  ];
}
