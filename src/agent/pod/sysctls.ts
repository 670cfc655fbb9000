import type { Pod } from "../../api/generated/types/core-v1.ts";

/** Settings that a pod may change without touching its neighbours, as upstream has them. */
const SAFE: readonly string[] = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

/** What the kernel keeps for each IPC or network namespace; all else is the node's. */
const IPC: readonly string[] = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];
const NETWORK = "net.";

/** Names with dots, as the kernel's files are found. */
export function sysctlName(name: string): string {
  return name.includes("/") ? name.replaceAll("/", ".") : name;
}

/** The first setting that the pod may not have, and why; undefined when it may have all. */
export function forbiddenSysctl(pod: Pod, allowed: readonly string[]): string | undefined {
  const { hostIPC, hostNetwork, securityContext } = pod.spec ?? {};
  for (const { name: given } of securityContext?.sysctls ?? []) {
    const name = sysctlName(given);
    const quoted = JSON.stringify(name);
    const isIpc = IPC.some((prefix) => name.startsWith(prefix));
    const isNetwork = name.startsWith(NETWORK);
    const listed =
      SAFE.includes(name) || ((isIpc || isNetwork) && allowed.some((one) => covers(one, name)));
    if (!listed) return `${quoted} not allowlisted`;
    if (isIpc && hostIPC) return `${quoted} not allowed with host ipc enabled`;
    if (isNetwork && hostNetwork) return `${quoted} not allowed with host net enabled`;
  }
  return undefined;
}

function covers(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
