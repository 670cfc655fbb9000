/** Name of the profile of containers that ask for no other. */
export const DEFAULT_PROFILE_NAME = "nephos-default";

/** Of /proc, only processes' own files and what the kernel namespaces may be written. */
const READ_ONLY_PROC = [
  "/proc/[^1-9s]*",
  "/proc/[^1-9s]*/**",
  "/proc/s[^ey]*",
  "/proc/sys/[^kn]**",
  "/proc/sys/kernel/[^smh]**",
  "/proc/sys/kernel/s[^eh]**",
];
const UNSEEN = ["/proc/sysrq-trigger", "/proc/kcore", "/proc/kmem", "/proc/mem"];
const READ_ONLY_SYS = [
  "/sys/[^f]*/**",
  "/sys/f[^s]*/**",
  "/sys/fs/[^c]*/**",
  "/sys/fs/c[^g]*/**",
  "/sys/fs/cg[^r]*/**",
  "/sys/firmware/**",
];
/** Those who may send signals: runtimes under a profile of their distribution, and nobody's. */
const SENDERS = ["unconfined", "crun", "runc", "conmon"];

/**
 * A profile in the language of apparmor.d(5): it takes away what no container needs even where a
 * capability or a bug would allow it: mounts, settings of the whole node, processes of others.
 */
export function defaultProfile(): string {
  const own = DEFAULT_PROFILE_NAME;
  return [
    `profile ${own} flags=(attach_disconnected,mediate_deleted) {`,
    "  network,",
    "  capability,",
    "  file,",
    "  umount,",
    "  deny mount,",
    ...SENDERS.map((peer) => `  signal (receive) peer=${peer},`),
    `  signal (send,receive) peer=${own},`,
    `  ptrace (trace,read,tracedby,readby) peer=${own},`,
    ...READ_ONLY_PROC.map((path) => `  deny ${path} wl,`),
    ...READ_ONLY_SYS.map((path) => `  deny ${path} wl,`),
    ...UNSEEN.map((path) => `  deny ${path} rwklx,`),
    "}",
    "",
  ].join("\n");
}
