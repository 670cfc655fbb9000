import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { type ProgramStep, staticProgram, text } from "./static-program.ts";

const AT_FDCWD = -100;
const CLONE_NEWNS = 0x20000;
const MS_REC_PRIVATE = 0x4000 | 0x40000;
/** MNT_DETACH and UMOUNT_NOFOLLOW. */
const UNMOUNT_FLAGS = 2 | 8;
/** OPEN_TREE_CLONE and OPEN_TREE_CLOEXEC. */
const TAKE_ONE = 1 | 0x80000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const [STDIN, STDOUT] = [0, 1];

/**
 * A static executable that makes a mount namespace of its own, which no mount of the node's reaches
 * any more, takes `needless` mounts away there, tells so by a byte on its standard output and holds
 * the namespace until its standard input ends. Before, it moves a mount to the directory `probe`
 * and away again; it ends with code 126 where the kernel, since Linux 5.2, cannot.
 */
export function mountsProgram(
  machine: SyscallArchitecture,
  { needless, probe }: { needless: readonly string[]; probe: string },
): Uint8Array {
  const [root, directory] = [text("/"), text(probe)];
  const step = (call: string, ...operands: ProgramStep["operands"]): ProgramStep => {
    return { call, operands, essential: true };
  };
  const argument = { value: "arguments", at: 1 } as const;
  return staticProgram(machine, {
    steps: [
      step("unshare", CLONE_NEWNS),
      step("mount", 0, root, 0, MS_REC_PRIVATE, 0),
      step("open_tree", AT_FDCWD, root, TAKE_ONE),
      step(
        "move_mount",
        { value: "result" },
        text(""),
        AT_FDCWD,
        directory,
        MOVE_MOUNT_F_EMPTY_PATH,
      ),
      step("umount2", directory, UNMOUNT_FLAGS),
      // One that is gone meanwhile is as well.
      ...needless.map((target) => ({ call: "umount2", operands: [text(target), UNMOUNT_FLAGS] })),
      step("write", STDOUT, root, 1),
      // Its argument lies where it may write.
      step("read", STDIN, argument, 1),
      { call: "exit_group", operands: [0] },
    ],
  });
}
