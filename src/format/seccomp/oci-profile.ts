import type { SeccompPolicy } from "./runtime-default.ts";

/**
 * The policy as `linux.seccomp` of the OCI runtime specification, for runtimes that do not take
 * compiled filters. Calls that their seccomp library does not know are skipped by it.
 */
export function ociSeccomp(policy: SeccompPolicy): object {
  const allow = (names: readonly string[]) => ({ names, action: "SCMP_ACT_ALLOW" });
  const errnos = [...new Set(policy.deny.map((entry) => entry.errno))];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    syscalls: [
      allow(policy.allow),
      ...errnos.map((errnoRet) => ({
        names: policy.deny.filter((entry) => entry.errno === errnoRet).map((entry) => entry.name),
        action: "SCMP_ACT_ERRNO",
        errnoRet,
      })),
      ...policy.rules.flatMap(({ name, argument }) => {
        const { index, test, values } = argument;
        const rule = (op: string, value: number, valueTwo = 0) => ({
          names: [name],
          action: "SCMP_ACT_ALLOW",
          args: [{ index, value, valueTwo, op }],
        });
        if (test === "one-of") return values.map((value) => rule("SCMP_CMP_EQ", value));
        if (test === "none-of") return values.map((value) => rule("SCMP_CMP_NE", value));
        return values.map((mask) => rule("SCMP_CMP_MASKED_EQ", mask, 0));
      }),
    ],
  };
}
