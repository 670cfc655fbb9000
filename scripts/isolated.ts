import { spawn, spawnSync } from "node:child_process";

const SET_UP = [
  "ip link set lo up",
  "ip link add lan0 type veth peer name lan1",
  "ip link set lan0 up",
  "ip link set lan1 up",
  "ip address add 192.0.2.2/24 dev lan0",
  "ip route add default via 192.0.2.1 dev lan0",
  'exec "$@"',
].join(" && ");

const ISOLATED = ["--net", "--mount", "--propagation", "private", "--", "sh", "-c", SET_UP, "sh"];

/**
 * Runs a command in a network and mount namespace of its own: its addresses, rules and mounts
 * cannot meet those of this machine. Answers the exit status.
 */
export function runIsolated(command: readonly string[]): number {
  const { status } = spawnSync("unshare", [...ISOLATED, ...command], { stdio: "inherit" });
  return status ?? 1;
}

/** The same beside others: what it says, both streams together, is there when it ends. */
export function startIsolated(
  command: readonly string[],
): Promise<{ status: number; output: string }> {
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn("unshare", [...ISOLATED, ...command], { stdio: [...stdio] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (bytes: Buffer) => said.push(bytes));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) =>
      resolve({ status: status ?? 1, output: Buffer.concat(said).toString() }),
    );
  });
}
