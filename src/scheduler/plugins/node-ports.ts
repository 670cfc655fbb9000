import type { HostPort } from "../pod/pod-profile.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";

const EVERY_ADDRESS = "0.0.0.0";

/** A port of the node is bound once per protocol and address; "0.0.0.0" means every address. */
export const nodePorts: SchedulerPlugin = {
  name: "NodePorts",
  filter({ state, profile }) {
    if (profile.hostPorts.length === 0) return undefined;
    return {
      slotOnly: true,
      begin: () => true,
      test(slot) {
        const node = state.nodes[slot] as NodeEntry;
        if (node.ports.size === 0) return 0;
        for (const port of profile.hostPorts) if (!isPortFree(node, port)) return 1;
        return 0;
      },
      explain: () => ({
        reasons: ["node(s) didn't have free ports for the requested pod ports"],
      }),
    };
  },
  hint(event, { profile }) {
    if (event.kind === "node-added") return true;
    if (event.kind !== "pod-removed") return false;
    const freed = event.pod.profile.hostPorts;
    return profile.hostPorts.some((one) => freed.some((other) => conflicts(one, other)));
  },
};

function isPortFree(node: NodeEntry, { protocol, port, ip }: HostPort): boolean {
  const bound = node.ports.get(`${protocol}/${port}`);
  if (!bound) return true;
  return ip !== EVERY_ADDRESS && !bound.has(ip) && !bound.has(EVERY_ADDRESS);
}

function conflicts(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS;
}
