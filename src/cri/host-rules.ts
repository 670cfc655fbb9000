import type { PodHostPort } from "../agent/network/pod-network.ts";

/** What the rules of a node depend on. */
export interface HostRuleOptions {
  /** Name of the nftables table; everything of ours is inside it. */
  table: string;
  podCidr: string;
  /** Where sandboxes keep their address: pods of all nodes. */
  clusterCidr: string;
  /** Host ends of sandbox links start so. */
  linkPrefix: string;
  /** Source of traffic that must come back through this node. */
  gateway: string;
}

/**
 * Commands that replace the whole table: host ports lead to sandboxes, and what leaves the cluster
 * goes out under the node's own address. Services are somebody else's, as of kube-proxy.
 */
export function hostRules(options: HostRuleOptions, ports: readonly PodHostPort[]): string {
  const { table, podCidr, clusterCidr, linkPrefix, gateway } = options;
  const t = `ip ${table}`;
  const ours = `"${linkPrefix}*"`;
  const addresses = [...new Set(ports.map(({ podIp }) => podIp))];
  return [
    `add table ${t}`,
    `delete table ${t}`,
    `add table ${t}`,
    `add chain ${t} raw { type filter hook prerouting priority raw; }`,
    `add rule ${t} raw iifname ${ours} ip daddr 127.0.0.0/8 drop`,
    `add chain ${t} ports`,
    ...ports.map((port) => `add rule ${t} ports ${portRule(port)}`),
    `add chain ${t} prerouting { type nat hook prerouting priority dstnat; }`,
    `add rule ${t} prerouting fib daddr type local jump ports`,
    `add chain ${t} output { type nat hook output priority -100; }`,
    `add rule ${t} output fib daddr type local jump ports`,
    `add chain ${t} postrouting { type nat hook postrouting priority srcnat; }`,
    ...addresses.map(
      (ip) => `add rule ${t} postrouting ip saddr ${ip} ip daddr ${ip} snat to ${gateway}`,
    ),
    `add rule ${t} postrouting ip saddr 127.0.0.0/8 oifname ${ours} snat to ${gateway}`,
    `add rule ${t} postrouting ip saddr ${podCidr} ip daddr != ${clusterCidr} ` +
      `oifname != { "lo", ${ours} } masquerade`,
    "",
  ].join("\n");
}

function portRule({ hostIp, hostPort, protocol, podIp, containerPort }: PodHostPort): string {
  const everywhere = !hostIp || hostIp === "0.0.0.0";
  const where = everywhere ? "" : `ip daddr ${hostIp} `;
  return `${where}${protocol.toLowerCase()} dport ${hostPort} dnat to ${podIp}:${containerPort}`;
}
