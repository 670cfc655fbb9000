import type { ProgramStep } from "./static-program.ts";
import { text } from "./static-program.ts";

const AT_FDCWD = -100;
const O_PATH_CLOEXEC = 0x200000 | 0x80000;
const PR_SET_NO_NEW_PRIVS = 38;
const RULE_PATH_BENEATH = 1;
/** Where the descriptors are put, as the bytes of a program cannot tell what it was given. */
const [DIRECTORY_FD, RULESET_FD] = [400, 401];

/** LANDLOCK_ACCESS_FS_WRITE_FILE, and all that removes or makes files. */
const WRITE_FILE = 1 << 1;
const CHANGE_FILES = 0b1_1111_1111_0000;
const TRUNCATE = 1 << 14;
/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL. */
const ALL_SCOPES = 3;

/**
 * Steps after which a program and its descendants write, make and remove no file but devices, mount
 * nothing and, from version 6 on, reach no other process by a signal. `version` is the kernel's.
 * Source: landlock(7), Documentation/userspace-api/landlock.rst.
 */
export function confineSteps(version: number): ProgramStep[] {
  if (version < 1) return [];
  const access = WRITE_FILE | CHANGE_FILES | (version >= 3 ? TRUNCATE : 0);
  const devices = WRITE_FILE | (version >= 3 ? TRUNCATE : 0);
  const attributes = new Uint8Array(version >= 6 ? 24 : 8);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, access, true);
  if (version >= 6) view.setUint32(16, ALL_SCOPES, true);
  const rule = new Uint8Array(12);
  new DataView(rule.buffer).setUint32(0, devices, true);
  new DataView(rule.buffer).setUint32(8, DIRECTORY_FD, true);
  const keep = (fd: number): ProgramStep => {
    return { call: "dup3", operands: [{ value: "result" }, fd, 0x80000] };
  };
  const { length } = attributes;
  return [
    { call: "landlock_create_ruleset", operands: [{ bytes: () => attributes }, length, 0] },
    keep(RULESET_FD),
    { call: "openat", operands: [AT_FDCWD, text("/dev"), O_PATH_CLOEXEC] },
    keep(DIRECTORY_FD),
    {
      call: "landlock_add_rule",
      operands: [RULESET_FD, RULE_PATH_BENEATH, { bytes: () => rule }, 0],
    },
    { call: "prctl", operands: [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] },
    { call: "landlock_restrict_self", operands: [RULESET_FD, 0] },
  ];
}
