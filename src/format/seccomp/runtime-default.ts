import { type SyscallArchitecture, syscallNumbers } from "./syscall-numbers.ts";

/** What a filter does with a call. */
export type SeccompAction = { action: "allow" } | { action: "errno"; errno: number };

/** A comparison of the low 32 bits of an argument. */
export interface ArgumentTest {
  index: number;
  /** "any-bit": allow unless one of the bits is set; "one-of": allow only these values. */
  test: "any-bit" | "one-of" | "none-of";
  values: readonly number[];
}

/** A call that is allowed when its argument passes, and else fails with `errno`. */
export interface ArgumentRule {
  name: string;
  argument: ArgumentTest;
  errno: number;
}

/** A policy: what is in no list fails with ENOSYS, as on a kernel that does not know it. */
export interface SeccompPolicy {
  allow: readonly string[];
  deny: readonly { name: string; errno: number }[];
  rules: readonly ArgumentRule[];
}

const EPERM = 1;
const ENOSYS = 38;
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}. */
const NAMESPACE_FLAGS = 0x7e020000;
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];
const AF_VSOCK = 40;

/** Calls that reach the node as a whole: what a capability opens, and what nothing opens. */
const GUARDED: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN:
    "bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr " +
    "move_mount open_tree perf_event_open pivot_root quotactl quotactl_fd setdomainname " +
    "sethostname setns syslog umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_MODULE: "create_module delete_module finit_module init_module query_module",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise",
  CAP_SYS_RAWIO: "ioperm iopl",
  CAP_SYS_TIME: "clock_settime settimeofday",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYS_NICE: "migrate_pages move_pages",
  CAP_SYSLOG: "",
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  nothing:
    "_sysctl add_key afs_syscall get_kernel_syms getpmsg io_uring_enter io_uring_register " +
    "io_uring_setup kexec_file_load kexec_load keyctl nfsservctl putpmsg request_key swapoff " +
    "swapon sysfs tuxcall uselib userfaultfd ustat vserver",
};

/**
 * The profile "RuntimeDefault": everything that a process needs for its own work. What would change
 * the node (mounts, namespaces, modules, clocks, keyrings, raw I/O, io_uring) fails with EPERM
 * unless the container has the capability that is meant for it.
 */
export function runtimeDefaultPolicy(
  architecture: SyscallArchitecture,
  capabilities: readonly string[],
): SeccompPolicy {
  const denied = new Set<string>();
  for (const [capability, names] of Object.entries(GUARDED)) {
    if (capabilities.includes(capability)) continue;
    for (const name of names.split(" ")) denied.add(name);
  }
  const administrator = capabilities.includes("CAP_SYS_ADMIN");
  const rules: ArgumentRule[] = [
    {
      name: "personality",
      argument: { index: 0, test: "one-of", values: PERSONALITIES },
      errno: EPERM,
    },
    { name: "socket", argument: { index: 0, test: "none-of", values: [AF_VSOCK] }, errno: EPERM },
  ];
  if (!administrator) {
    rules.push({
      name: "clone",
      argument: { index: 0, test: "any-bit", values: [NAMESPACE_FLAGS] },
      errno: EPERM,
    });
    denied.add("clone3"); // its flags lie in memory: callers fall back to clone
  }
  const known = [...syscallNumbers(architecture).keys()];
  const special = new Set([...denied, ...rules.map((rule) => rule.name)]);
  return {
    allow: known.filter((name) => !special.has(name)),
    deny: known
      .filter((name) => denied.has(name))
      .map((name) => ({ name, errno: name === "clone3" ? ENOSYS : EPERM })),
    rules,
  };
}
