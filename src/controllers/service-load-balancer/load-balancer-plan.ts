import type { Node, Service } from "../../api/generated/types/core-v1.ts";
import type { Condition } from "../../api/generated/types/meta-v1.ts";
import { formatIpv4, type Ipv4Range, parseIpv4 } from "../../lib/ipv4.ts";
import { findCondition, withCondition, withoutCondition } from "../conditions.ts";
import { balancedNodeAddresses } from "./contract.ts";

/** Where load balancers get their addresses from: the nodes' own, or a pool that leads to them. */
export type AddressSource = { from: "nodes" } | { from: "pool"; range: Ipv4Range };

/** What somebody else holds already. */
export interface Claim {
  /** "service default/web". */
  holder: string;
  addresses: readonly string[];
  /** "TCP/80". */
  ports: readonly string[];
}

/** Addresses for a Service, or why there are none. */
export type Assignment =
  | { addresses: string[] }
  /** `ofPorts`: the Service could have addresses if it asked for other ports. */
  | { problem: string; ofPorts?: boolean };

/** "TCP/80" of every port. */
export function portKeys({ spec }: Service): string[] {
  return (spec?.ports ?? []).map(({ protocol = "TCP", port }) => `${protocol}/${port}`);
}

/** Whether this controller balances for the Service. */
export function isOurs({ spec }: Service): boolean {
  return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined;
}

/** Addresses that the Service gets; what it has it keeps while that is possible. Pure. */
export function assignAddresses(
  service: Service,
  of: { source: AddressSource; nodes: readonly Node[]; others: readonly Claim[] },
): Assignment {
  if (of.source.from === "nodes") return nodeAddresses(service, of);
  const taken = new Set(of.others.flatMap(({ addresses }) => addresses));
  return poolAddress(service, { range: of.source.range, taken });
}

/** Upstream's name for a balancer that cannot have the ports which its Service asks for. */
const PORTS_ERROR = "LoadBalancerPortsError";

export function hasPortsError(service: Service | undefined): boolean {
  return findCondition(service?.status?.conditions, PORTS_ERROR) !== undefined;
}

/** What the conditions say of the ports, beside what others say. Pure. */
export function balancerConditions(
  { metadata, status }: Service,
  of: { assignment: Assignment; nowMs: number },
): Condition[] {
  const { assignment, nowMs } = of;
  const isTaken = "problem" in assignment && assignment.ofPorts === true;
  if (!isTaken) return withoutCondition(status?.conditions, PORTS_ERROR);
  const condition: Condition = {
    type: PORTS_ERROR,
    status: "True",
    reason: "PortsTaken",
    message: assignment.problem,
    lastTransitionTime: "",
    ...(metadata?.generation ? { observedGeneration: metadata.generation } : {}),
  };
  return withCondition(status?.conditions, condition, nowMs);
}

function nodeAddresses(
  service: Service,
  { nodes, others }: { nodes: readonly Node[]; others: readonly Claim[] },
): Assignment {
  const ports = portKeys(service);
  for (const { holder, ports: held } of others) {
    const port = ports.find((key) => held.includes(key));
    if (!port) continue;
    const problem = `port ${port} of the nodes already belongs to ${holder}`;
    return { problem, ofPorts: true };
  }
  const own = nodes.find((node) => ports.includes(`TCP/${kubeletPort(node)}`));
  if (own) {
    const problem = `port ${kubeletPort(own)} of the nodes belongs to their agents`;
    return { problem, ofPorts: true };
  }
  const addresses = balancedNodeAddresses(nodes);
  if (addresses.length === 0) return { problem: "no node is ready to carry it" };
  return { addresses };
}

function poolAddress(
  { spec, status }: Service,
  { range, taken }: { range: Ipv4Range; taken: ReadonlySet<string> },
): Assignment {
  const wanted = spec?.loadBalancerIP;
  const inRange = (address: string) => {
    const offset = parseIpv4(address) - range.base;
    return offset >= 0 && offset < range.size;
  };
  if (wanted) {
    if (!inRange(wanted)) return { problem: `address ${wanted} is not in the pool` };
    if (taken.has(wanted)) return { problem: `address ${wanted} belongs to another service` };
    return { addresses: [wanted] };
  }
  const held = status?.loadBalancer?.ingress?.[0]?.ip;
  if (held && inRange(held) && !taken.has(held)) return { addresses: [held] };
  for (let offset = 0; offset < range.size; offset++) {
    const address = formatIpv4(range.base + offset);
    if (!taken.has(address)) return { addresses: [address] };
  }
  return { problem: "every address of the pool is in use" };
}

function kubeletPort({ status }: Node): number {
  return status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10_250;
}
