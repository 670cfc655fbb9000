import { spawnSync } from "node:child_process";

const SET_UP = [
  "ip link set lo up",
  "ip link add lan0 type veth peer name lan1",
  "ip link set lan0 up",
  "ip link set lan1 up",
  "ip address add 192.0.2.2/24 dev lan0",
  "ip route add default via 192.0.2.1 dev lan0",
  'exec "$@"',
].join(" && ");

/**
 * Runs a command in a network and mount namespace of its own: its addresses, rules and mounts
 * cannot meet those of this machine. Answers the exit status.
 */
export function runIsolated(command: readonly string[]): number {
  const isolated = ["--net", "--mount", "--propagation", "private", "--", "sh", "-c", SET_UP, "sh"];
  const { status } = spawnSync("unshare", [...isolated, ...command], { stdio: "inherit" });
  return status ?? 1;
}
