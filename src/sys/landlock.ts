import { libc, SYSCALL } from "./libc.ts";

// SAFETY: no structure is given, so that the call only tells a number.
const createRulesetCall = libc.func("syscall", "long", ["long", "void *", "size_t", "uint"]);

const CREATE_RULESET_VERSION = 1;

/** Version of Landlock's interface; 0 where the kernel has it not, or not enabled. */
export function landlockVersion(): number {
  const version = Number(
    createRulesetCall(SYSCALL.landlockCreateRuleset, null, 0, CREATE_RULESET_VERSION),
  );
  return Math.max(0, version);
}
