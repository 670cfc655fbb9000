import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { filterSteps, type Launch } from "./launch-program.ts";
import { type Bytes, type ProgramStep, staticProgram, text } from "./static-program.ts";

const AT_FDCWD = -100;
const O_WRONLY_CLOEXEC = 1 | 0x80000;
const PR_SET_DUMPABLE = 4;
const SIGCHLD = 17;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const AT_EMPTY_PATH = 0x1000;
const MNT_DETACH = 2;
/** nosuid, nodev, noexec. */
const MS_CONFINED = 2 | 4 | 8;
const MS_BIND_ALL = 0x1000 | 0x4000;
const MS_SLAVE_ALL = 0x4000 | 0x80000;
const MS_REMOUNT_READ_ONLY = 1 | 0x20 | 0x1000;
const CLONE_NEWNET = 0x4000_0000;
/** CLONE_NEWNS, NEWUTS, NEWIPC and NEWUSER. */
const CLONE_OWN = 0x20000 | 0x400_0000 | 0x800_0000 | 0x1000_0000;
const NOT_FOUND_EXIT_CODE = 127;
const NOBODY = 65534;
const NEW_ROOT = "/tmp";

/** What the program is given by number. */
export interface KernelDescriptors {
  networkNamespace: number;
  /** The program to run. */
  program: number;
  /** A pipe; what is written to it takes /proc away. */
  procRead: number;
}

/**
 * Runs a program with the arguments that follow its own as one that trusts nobody: as nobody,
 * without capabilities, in a user, mount, IPC and UTS namespace of its own and the network
 * namespace that it is given, in an empty read-only root with nothing but /proc, which a child of
 * it takes away when told. As gVisor does in three processes of its own, whose start takes as many
 * times 10 ms. Source: gVisor, runsc/sandbox/sandbox.go and runsc/cmd/chroot.go.
 */
export function kernelProgram(
  machine: SyscallArchitecture,
  { launch, descriptors }: { launch: Launch; descriptors: KernelDescriptors },
): Uint8Array {
  const { networkNamespace, program, procRead } = descriptors;
  const empty = text("");
  return staticProgram(machine, {
    steps: [
      { call: "setsid", operands: [] },
      { call: "setns", operands: [networkNamespace, CLONE_NEWNET], essential: true },
      { call: "close", operands: [networkNamespace] },
      ...filterSteps(launch),
      ...nobody(),
      ...emptyRoot(),
      ...procTaker(procRead),
      { call: "close", operands: [procRead] },
      { call: "fcntl", operands: [program, F_SETFD, FD_CLOEXEC], essential: true },
      {
        call: "execveat",
        operands: [
          program,
          empty,
          { value: "arguments", at: 1 },
          { value: "environment" },
          AT_EMPTY_PATH,
        ],
      },
      { call: "exit_group", operands: [NOT_FOUND_EXIT_CODE] },
    ],
  });
}

/** Nobody, alone in a user namespace: there is no one else whom it could become. */
function nobody(): ProgramStep[] {
  const ids = [NOBODY, NOBODY, NOBODY];
  const mapping = `${NOBODY} ${NOBODY} 1`;
  return [
    { call: "setgroups", operands: [0, 0], essential: true },
    { call: "setresgid", operands: ids, essential: true },
    { call: "setresuid", operands: ids, essential: true },
    // Its files in /proc would be root's, in which it has to write.
    { call: "prctl", operands: [PR_SET_DUMPABLE, 1, 0, 0, 0], essential: true },
    { call: "unshare", operands: [CLONE_OWN], essential: true },
    ...write("/proc/self/setgroups", "deny"),
    ...write("/proc/self/uid_map", mapping),
    ...write("/proc/self/gid_map", mapping),
  ];
}

function write(file: string, content: string): ProgramStep[] {
  const bytes: Bytes = { bytes: () => new TextEncoder().encode(content) };
  return [
    { call: "openat", operands: [AT_FDCWD, text(file), O_WRONLY_CLOEXEC], essential: true },
    { call: "write", operands: [{ value: "result" }, bytes, content.length], essential: true },
  ];
}

function emptyRoot(): ProgramStep[] {
  const root = text(NEW_ROOT);
  const proc = text(`${NEW_ROOT}/proc`);
  const here = text(".");
  const step = (call: string, ...operands: ProgramStep["operands"]): ProgramStep => {
    return { call, operands, essential: true };
  };
  return [
    step("mount", 0, text("/"), 0, MS_SLAVE_ALL, 0),
    step("mount", text("gvisor-root"), root, text("tmpfs"), MS_CONFINED, 0),
    step("mkdirat", AT_FDCWD, proc, 0o755),
    step("mount", text("/proc"), proc, 0, MS_BIND_ALL, 0),
    step("mount", 0, root, 0, MS_REMOUNT_READ_ONLY | MS_CONFINED, 0),
    step("chdir", root),
    // The old root comes to lie over the new one, and goes.
    step("pivot_root", here, here),
    step("umount2", here, MNT_DETACH),
    step("chdir", text("/")),
  ];
}

/** A child that waits for one byte, takes /proc away, and ends. */
function procTaker(procRead: number): ProgramStep[] {
  const steps: ProgramStep[] = [
    // Its arguments lie where it may write.
    { call: "read", operands: [procRead, { value: "arguments", at: 1 }, 1], essential: true },
    { call: "umount2", operands: [text("/proc"), MNT_DETACH], essential: true },
    { call: "exit_group", operands: [0] },
  ];
  const clone = { call: "clone", operands: [SIGCHLD, 0, 0, 0, 0], essential: true };
  return [{ ...clone, childSteps: steps.length }, ...steps];
}
