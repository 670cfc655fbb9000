import { createHash } from "node:crypto";
import type { ServiceEndpoint, ServicePort } from "./contract.ts";

/** The table's fixed surroundings. */
export interface RuleSetOptions {
  /** Name of the nftables table; everything of ours is inside it. */
  table: string;
  /** Pods of this node. */
  podCidr: string;
  /** Pods of all nodes: traffic to them keeps its source. */
  clusterCidr: string;
  serviceCidr: string;
  /** Further nodes of this machine: beyond it, nobody knows the way to them. */
  hiddenCidr?: string;
  /** Host ends of pod links start so. */
  linkPrefix: string;
  /** Source of traffic that must come back through this node. */
  nodeAddress: string;
  /** Service addresses that the node itself answers on. */
  localAddresses: readonly string[];
}

/** Everything that one service port (or host port) adds to the table. */
export interface RenderedPort {
  /** Chain name to its rules. */
  chains: ReadonlyMap<string, readonly string[]>;
  /** Set name to its definition. */
  sets: ReadonlyMap<string, string>;
  /** "map key" to its value ("" for a set). */
  elements: ReadonlyMap<string, string>;
}

/** Set on packets whose answers must pass this node again; instances on a machine differ. */
function masqueradeMark(table: string): string {
  return `0x4e${shortHash(table).slice(0, 6)}`;
}

/** Commands that replace the whole table by an empty one with its fixed chains. */
export function baseRules(options: RuleSetOptions): string {
  const { table, linkPrefix } = options;
  const t = `ip ${table}`;
  const pods = `"${linkPrefix}*"`;
  const local = options.localAddresses.length > 0 ? `{ ${options.localAddresses.join(", ")} }` : "";
  return [
    `add table ${t}`,
    `delete table ${t}`,
    `add table ${t}`,
    `add map ${t} services { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    `add map ${t} nodeports { type inet_proto . inet_service : verdict; }`,
    `add set ${t} dead-nodeports { type inet_proto . inet_service; }`,
    `add set ${t} hairpin { type ipv4_addr . ipv4_addr; }`,
    `add set ${t} cluster { type ipv4_addr; flags interval; elements = { ${options.clusterCidr} }; }`,
    `add chain ${t} raw { type filter hook prerouting priority raw; }`,
    `add rule ${t} raw iifname ${pods} ip daddr 127.0.0.0/8 drop`,
    `add chain ${t} masquerade-later`,
    `add rule ${t} masquerade-later meta mark set ${masqueradeMark(table)}`,
    `add chain ${t} dispatch`,
    `add rule ${t} dispatch ip daddr . meta l4proto . th dport vmap @services`,
    `add rule ${t} dispatch fib daddr type local meta l4proto . th dport vmap @nodeports`,
    `add chain ${t} prerouting { type nat hook prerouting priority dstnat; }`,
    `add rule ${t} prerouting jump dispatch`,
    `add chain ${t} output { type nat hook output priority -100; }`,
    `add rule ${t} output jump dispatch`,
    `add chain ${t} postrouting { type nat hook postrouting priority srcnat; }`,
    ...sourceRules(options).map((rule) => `add rule ${t} postrouting ${rule}`),
    `add chain ${t} refuse`,
    `add rule ${t} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ${t} refuse reject`,
    `add chain ${t} forward { type filter hook forward priority filter; }`,
    ...(local ? [`add rule ${t} forward ip daddr ${local} accept`] : []),
    `add rule ${t} forward ip daddr ${options.serviceCidr} ct state new goto refuse`,
    `add chain ${t} local-output { type filter hook output priority filter; }`,
    ...(local ? [`add rule ${t} local-output ip daddr ${local} accept`] : []),
    `add rule ${t} local-output ip daddr ${options.serviceCidr} ct state new goto refuse`,
    `add chain ${t} input { type filter hook input priority filter; }`,
    `add rule ${t} input meta l4proto . th dport @dead-nodeports ct state new goto refuse`,
    "",
  ].join("\n");
}

function sourceRules(options: RuleSetOptions): string[] {
  const { linkPrefix, nodeAddress, podCidr, clusterCidr, hiddenCidr } = options;
  const mark = masqueradeMark(options.table);
  const hidden = hiddenCidr ? `{ ${podCidr}, ${hiddenCidr} }` : podCidr;
  const toPods = `oifname "${linkPrefix}*"`;
  return [
    `ip saddr . ip daddr @hairpin snat to ${nodeAddress}`,
    `ip saddr 127.0.0.0/8 ${toPods} snat to ${nodeAddress}`,
    `meta mark ${mark} ${toPods} snat to ${nodeAddress}`,
    `meta mark ${mark} masquerade`,
    `ip saddr ${hidden} ip daddr != ${clusterCidr} oifname != { "lo", "${linkPrefix}*" } masquerade`,
  ];
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function dnatTo(protocol: string, endpoints: readonly ServiceEndpoint[]): string {
  const [only] = endpoints;
  if (endpoints.length === 1 && only) {
    return `meta l4proto ${protocol} dnat to ${only.ip}:${only.port}`;
  }
  const choices = endpoints.map(({ ip, port }, at) => `${at} : ${ip} . ${port}`).join(", ");
  const choose = `numgen random mod ${endpoints.length} map { ${choices} }`;
  return `meta l4proto ${protocol} dnat ip to ${choose}`;
}

/** Chain that picks an endpoint, with one chain and set per endpoint when clients stick. */
function choiceChains(
  rendered: { chains: Map<string, string[]>; sets: Map<string, string> },
  chain: string,
  port: Pick<ServicePort, "protocol" | "affinitySeconds"> & {
    endpoints: readonly ServiceEndpoint[];
  },
): void {
  const protocol = port.protocol.toLowerCase();
  if (!port.affinitySeconds) {
    rendered.chains.set(chain, [dnatTo(protocol, port.endpoints)]);
    return;
  }
  const sticky: string[] = [];
  const targets = port.endpoints.map((endpoint) => {
    const name = `${chain}-${shortHash(`${endpoint.ip}:${endpoint.port}`)}`;
    const clients = `clients-${name}`;
    rendered.sets.set(
      clients,
      `{ type ipv4_addr; flags dynamic, timeout; timeout ${port.affinitySeconds}s; }`,
    );
    rendered.chains.set(name, [
      `update @${clients} { ip saddr }`,
      `meta l4proto ${protocol} dnat to ${endpoint.ip}:${endpoint.port}`,
    ]);
    sticky.push(`ip saddr @${clients} goto ${name}`);
    return name;
  });
  const choices = targets.map((name, at) => `${at} : goto ${name}`).join(", ");
  rendered.chains.set(chain, [
    ...sticky,
    `numgen random mod ${targets.length} vmap { ${choices} }`,
  ]);
}

/**
 * Chains for what comes through a node's own address. With the policy Local, strangers keep their
 * address and reach pods of this node alone; the cluster itself reaches all, as by ClusterIP.
 */
function externalChains(
  rendered: { chains: Map<string, string[]>; sets: Map<string, string> },
  id: string,
  port: ServicePort,
): { leads: boolean; leadsAll: boolean } {
  const { chains } = rendered;
  if (port.endpoints.length === 0) return { leads: false, leadsAll: false };
  const local = port.localExternalEndpoints;
  const all = local ? `all-${id}` : `ext-${id}`;
  choiceChains(rendered, all, port);
  chains.get(all)?.unshift("jump masquerade-later");
  if (!local) return { leads: true, leadsAll: true };
  if (local.length > 0) choiceChains(rendered, `ext-${id}`, { ...port, endpoints: local });
  const near = [`ip saddr @cluster goto ${all}`, `fib saddr type local goto ${all}`];
  chains.set(`ext-${id}`, [...near, ...(chains.get(`ext-${id}`) ?? [])]);
  return { leads: true, leadsAll: local.length > 0 };
}

/**
 * What comes to a balanced address leads to the Service or nowhere: the address may be the node's
 * own, on which other programs listen.
 */
function balancedChain(chain: string, { sourceRanges }: ServicePort): string[] {
  if (sourceRanges?.length === 0) return ["drop"];
  const strangers = sourceRanges ? [`ip saddr != { ${sourceRanges.join(", ")} } drop`] : [];
  return [...strangers, `jump ${chain}`, "drop"];
}

/** Renders a service port; the same input gives the same output. */
export function renderServicePort(port: ServicePort): RenderedPort {
  const id = shortHash(`${port.id}/${port.protocol}`);
  const protocol = port.protocol.toLowerCase();
  const chains = new Map<string, string[]>();
  const sets = new Map<string, string>();
  const elements = new Map<string, string>();
  const internal = port.localInternalEndpoints ?? port.endpoints;
  const translated = port.virtualIps.filter((ip) => !servesItself(ip, port.port, internal));
  if (internal.length > 0 && translated.length > 0) {
    choiceChains({ chains, sets }, `svc-${id}`, { ...port, endpoints: internal });
    for (const ip of translated) {
      elements.set(`services ${ip} . ${protocol} . ${port.port}`, `goto svc-${id}`);
    }
  }
  const { externalIps = [], balancedIps = [] } = port;
  if (port.nodePort !== undefined || externalIps.length > 0 || balancedIps.length > 0) {
    const external = externalChains({ chains, sets }, id, port);
    if (port.nodePort !== undefined) {
      const nodePort = `${protocol} . ${port.nodePort}`;
      if (external.leads) elements.set(`nodeports ${nodePort}`, `goto ext-${id}`);
      if (!external.leadsAll) elements.set(`dead-nodeports ${nodePort}`, "");
    }
    if (external.leads && balancedIps.length > 0) {
      chains.set(`lb-${id}`, balancedChain(`ext-${id}`, port));
    }
    const leadTo = (ip: string, chain: string) => {
      if (external.leads && !servesItself(ip, port.port, port.endpoints)) {
        elements.set(`services ${ip} . ${protocol} . ${port.port}`, `goto ${chain}`);
      }
    };
    for (const ip of externalIps) leadTo(ip, `ext-${id}`);
    for (const ip of balancedIps) leadTo(ip, `lb-${id}`);
  }
  for (const { ip } of port.endpoints) {
    if (!port.virtualIps.includes(ip)) elements.set(`hairpin ${ip} . ${ip}`, "");
  }
  return { chains, sets, elements };
}

/**
 * Whether somebody listens on the virtual address itself, as the API server does. Translating it
 * to itself would break the connections that were opened before the rules were loaded.
 */
function servesItself(ip: string, port: number, endpoints: readonly ServiceEndpoint[]): boolean {
  const [only] = endpoints;
  return endpoints.length === 1 && only?.ip === ip && only.port === port;
}

/** A port of the node that leads to one pod. */
export interface HostPortRule {
  hostIp?: string;
  hostPort: number;
  protocol: string;
  podIp: string;
  containerPort: number;
}

/** Renders a host port. */
export function renderHostPort(rule: HostPortRule): RenderedPort {
  const protocol = rule.protocol.toLowerCase();
  const chain = `host-${shortHash(`${rule.hostIp ?? ""}:${rule.hostPort}/${protocol}`)}`;
  const everywhere = !rule.hostIp || rule.hostIp === "0.0.0.0";
  const key = everywhere
    ? `nodeports ${protocol} . ${rule.hostPort}`
    : `services ${rule.hostIp} . ${protocol} . ${rule.hostPort}`;
  return {
    chains: new Map([
      [chain, [`meta l4proto ${protocol} dnat to ${rule.podIp}:${rule.containerPort}`]],
    ]),
    sets: new Map(),
    elements: new Map([
      [key, `goto ${chain}`],
      [`hairpin ${rule.podIp} . ${rule.podIp}`, ""],
    ]),
  };
}
