/** Names of capabilities; the index is the bit. Source: linux/capability.h. */
export const CAPABILITIES: readonly string[] = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
  "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO " +
  "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
  "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
  "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

/** The mask of all of them. */
export const ALL_CAPABILITIES: bigint = maskUpTo("CHECKPOINT_RESTORE");

/** The mask of the capabilities that a kernel has whose newest one is that. */
export function maskUpTo(newest: string): bigint {
  return (1n << BigInt(CAPABILITIES.indexOf(`CAP_${newest}`) + 1)) - 1n;
}

/** What a container has unless its pod says otherwise: the set that Docker made usual. */
export const DEFAULT_CAPABILITIES: readonly string[] = (
  "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW " +
  "SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

/** What is added to, and taken from, the default set; "ALL" is every capability. */
export interface CapabilityChoice {
  add?: readonly string[];
  drop?: readonly string[];
  privileged?: boolean;
  /** Mask of what the giver has itself: more cannot be given. */
  available: bigint;
}

/** The capabilities of a container, in the order of their bits. Drops of "ALL" go first. */
export function chooseCapabilities(choice: CapabilityChoice): string[] {
  const full = (name: string) => (/^cap_/i.test(name) ? name : `CAP_${name}`).toUpperCase();
  const add = new Set((choice.add ?? []).map(full));
  const drop = new Set((choice.drop ?? []).map(full));
  const everything = choice.privileged || add.has("CAP_ALL");
  const base = everything ? CAPABILITIES : drop.has("CAP_ALL") ? [] : DEFAULT_CAPABILITIES;
  const chosen = new Set([...base, ...add]);
  for (const name of drop) if (!add.has(name)) chosen.delete(name);
  return CAPABILITIES.filter(
    (name, bit) => chosen.has(name) && (choice.available & (1n << BigInt(bit))) !== 0n,
  );
}
