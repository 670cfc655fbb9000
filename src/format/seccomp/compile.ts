import type { ArgumentRule, SeccompPolicy } from "./runtime-default.ts";
import {
  AUDIT_ARCHITECTURES,
  type SyscallArchitecture,
  syscallNumbers,
} from "./syscall-numbers.ts";

/** One classic BPF instruction. Source: linux/filter.h. */
export interface BpfInstruction {
  code: number;
  jumpTrue: number;
  jumpFalse: number;
  value: number;
}

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const ENOSYS = 38;
const X32_BIT = 0x40000000;
/** Offsets in struct seccomp_data. */
const OFFSET = { number: 0, architecture: 4, arguments: 16 } as const;

type Outcome = number | ArgumentRule;

/**
 * Compiles a policy to a classic BPF filter: a binary search over ranges of numbers, so that a call
 * costs about eight comparisons. Other architectures' calls fail with ENOSYS. Source: seccomp(2).
 */
export function compileSeccomp(
  policy: SeccompPolicy,
  architecture: SyscallArchitecture,
): BpfInstruction[] {
  const search = compileSearch(ranges(policy, architecture));
  const refuse = ret(ERRNO | ENOSYS);
  return [
    { code: LOAD, jumpTrue: 0, jumpFalse: 0, value: OFFSET.architecture },
    { code: JUMP_EQUAL, jumpTrue: 1, jumpFalse: 0, value: AUDIT_ARCHITECTURES[architecture] },
    refuse,
    { code: LOAD, jumpTrue: 0, jumpFalse: 0, value: OFFSET.number },
    { code: JUMP_AT_LEAST, jumpTrue: 0, jumpFalse: 1, value: X32_BIT },
    refuse,
    ...search,
  ];
}

/** The bytes of struct sock_filter[], little-endian as every supported machine is. */
export function encodeBpf(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jumpTrue, jumpFalse, value }, at) => {
    view.setUint16(at * 8, code, true);
    view.setUint8(at * 8 + 2, jumpTrue);
    view.setUint8(at * 8 + 3, jumpFalse);
    view.setUint32(at * 8 + 4, value, true);
  });
  return bytes;
}

function ret(value: number): BpfInstruction {
  return { code: RETURN, jumpTrue: 0, jumpFalse: 0, value };
}

/** Consecutive numbers with one outcome; a range ends where the next begins. */
function ranges(
  policy: SeccompPolicy,
  architecture: SyscallArchitecture,
): { start: number; outcome: Outcome }[] {
  const numbers = syscallNumbers(architecture);
  const outcomes = new Map<number, Outcome>();
  const set = (name: string, outcome: Outcome) => {
    const number = numbers.get(name);
    if (number !== undefined) outcomes.set(number, outcome);
  };
  for (const name of policy.allow) set(name, ALLOW);
  for (const { name, errno } of policy.deny) set(name, ERRNO | errno);
  for (const rule of policy.rules) set(rule.name, rule);
  const found: { start: number; outcome: Outcome }[] = [];
  const last = Math.max(...outcomes.keys());
  for (let number = 0; number <= last + 1; number++) {
    const outcome = outcomes.get(number) ?? ERRNO | ENOSYS;
    if (found.at(-1)?.outcome !== outcome) found.push({ start: number, outcome });
  }
  return found;
}

function compileSearch(parts: readonly { start: number; outcome: Outcome }[]): BpfInstruction[] {
  const [only] = parts;
  if (parts.length === 1 && only) return compileOutcome(only.outcome);
  const middle = Math.floor(parts.length / 2);
  const low = compileSearch(parts.slice(0, middle));
  const high = compileSearch(parts.slice(middle));
  const value = parts[middle]?.start ?? 0;
  // Jump offsets have 8 bits: the branch that is jumped over is `low`.
  if (low.length > 255) throw new RangeError("Seccomp policy is too long for one filter");
  return [{ code: JUMP_AT_LEAST, jumpTrue: low.length, jumpFalse: 0, value }, ...low, ...high];
}

function compileOutcome(outcome: Outcome): BpfInstruction[] {
  if (typeof outcome === "number") return [ret(outcome)];
  const { index, test, values } = outcome.argument;
  const refuse = ERRNO | outcome.errno;
  const onMatch = test === "one-of" ? ALLOW : refuse;
  const load = { code: LOAD, jumpTrue: 0, jumpFalse: 0, value: OFFSET.arguments + 8 * index };
  const code = test === "any-bit" ? JUMP_ANY_BIT : JUMP_EQUAL;
  const tests = values.map((value, at) => ({
    code,
    jumpTrue: values.length - at,
    jumpFalse: 0,
    value,
  }));
  return [load, ...tests, ret(onMatch === ALLOW ? refuse : ALLOW), ret(onMatch)];
}
