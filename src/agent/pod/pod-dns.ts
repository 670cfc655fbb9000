import type { Pod, PodDNSConfig } from "../../api/generated/types/core-v1.ts";

/** What resolvers need to know of the cluster and of the node. */
export interface DnsFacts {
  clusterDnsIp: string;
  clusterDomain: string;
  /** Text of the node's own resolv.conf. */
  nodeResolvConf: string;
}

interface ResolverConfig {
  nameservers: string[];
  searches: string[];
  options: string[];
}

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const HOSTNAME_MAX = 63;
/** What the kernel has room for. */
const FQDN_MAX = 64;
/** glibc gives up at longer names. */
const SEARCH_LENGTH_MAX = 253;
const SEARCH_LINE_MAX = 2048;

/**
 * Text of the pod's /etc/resolv.conf by `dnsPolicy` and `dnsConfig`. `onLimit` is told, in a
 * kubelet's words, what resolvers would not take. Source: resolv.conf(5).
 */
export function resolvConf(
  pod: Pod,
  facts: DnsFacts,
  onLimit: (message: string) => void = () => {},
): string {
  const config = baseConfig(pod, facts);
  if (pod.spec?.dnsConfig) merge(config, pod.spec.dnsConfig);
  const servers = config.nameservers.slice(0, NAMESERVERS_MAX);
  if (servers.length < config.nameservers.length) {
    const applied = `the applied nameserver line is: ${servers.join(" ")}`;
    onLimit(`Nameserver limits were exceeded, some nameservers have been omitted, ${applied}`);
  }
  const searches = searchesWithinLimits(config.searches);
  if (searches.length < config.searches.length) {
    const applied = `the applied search line is: ${searches.join(" ")}`;
    onLimit(`Search Line limits were exceeded, some search paths have been omitted, ${applied}`);
  }
  const lines = servers.map((ip) => `nameserver ${ip}`);
  if (searches.length > 0) lines.unshift(`search ${searches.join(" ")}`);
  if (config.options.length > 0) lines.push(`options ${config.options.join(" ")}`);
  return `${lines.join("\n")}\n`;
}

function searchesWithinLimits(all: readonly string[]): string[] {
  const kept = all.slice(0, SEARCHES_MAX).filter(({ length }) => length <= SEARCH_LENGTH_MAX);
  while (kept.join(" ").length > SEARCH_LINE_MAX) kept.pop();
  return kept;
}

function baseConfig(pod: Pod, facts: DnsFacts): ResolverConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  const node = parseResolvConf(facts.nodeResolvConf);
  const onNode = pod.spec?.hostNetwork && policy !== "ClusterFirstWithHostNet";
  if (policy === "Default" || onNode || !facts.clusterDnsIp) return node;
  const domain = facts.clusterDomain;
  const own = [`${pod.metadata?.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    nameservers: [facts.clusterDnsIp],
    searches: unique([...own, ...node.searches]),
    options: ["ndots:5"],
  };
}

function parseResolvConf(text: string): ResolverConfig {
  const config: ResolverConfig = { nameservers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && values[0]) config.nameservers.push(values[0]);
    if (keyword === "search") config.searches = values;
    if (keyword === "options") config.options.push(...values);
  }
  const searches = config.searches.filter((name) => name !== ".");
  config.searches = searches.map((name) => name.replace(/\.$/, ""));
  config.options = [...optionsByName(config.options).values()];
  return config;
}

function merge(config: ResolverConfig, extra: PodDNSConfig): void {
  config.nameservers = unique([...config.nameservers, ...(extra.nameservers ?? [])]);
  config.searches = unique([...config.searches, ...(extra.searches ?? [])]);
  const options = optionsByName(config.options);
  for (const { name = "", value } of extra.options ?? []) {
    options.set(name, value ? `${name}:${value}` : name);
  }
  config.options = [...options.values()];
}

/** The last of each name counts. */
function optionsByName(options: readonly string[]): Map<string, string> {
  return new Map(options.map((text) => [text.split(":")[0] ?? text, text]));
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Names that a pod goes by on its own network. */
export interface PodHostname {
  /** As the kernel is told. */
  hostname: string;
  /** Without a domain; absent where that is the same. */
  short?: string;
  /** Fully qualified, when the pod has a subdomain. */
  fqdn?: string;
}

/**
 * Hostname by `hostname`, `subdomain` and `setHostnameAsFQDN`; the node's on its network.
 * @throws RangeError for a name that is too long
 */
export function podHostname(
  pod: Pod,
  options: { clusterDomain: string; nodeHostname: string },
): PodHostname {
  const { hostname, subdomain, setHostnameAsFQDN, hostNetwork } = pod.spec ?? {};
  if (hostNetwork) return { hostname: options.nodeHostname };
  const short = (hostname || pod.metadata?.name || "").slice(0, HOSTNAME_MAX).replace(/[-.]+$/, "");
  if (!subdomain) return { hostname: short };
  const fqdn = `${short}.${subdomain}.${pod.metadata?.namespace}.svc.${options.clusterDomain}`;
  if (!setHostnameAsFQDN) return { hostname: short, fqdn };
  if (fqdn.length <= FQDN_MAX) return { hostname: fqdn, short, fqdn };
  const figures = `${FQDN_MAX} characters is the max, ${fqdn.length} characters requested`;
  const what = `FQDN ${fqdn} is too long (${figures})`;
  throw new RangeError(`failed to construct FQDN from pod hostname and cluster domain, ${what}`);
}

const HOSTS_HEAD = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/** Text of the pod's /etc/hosts; on the node's network, the node's own file comes first. */
export function hostsFile(
  pod: Pod,
  options: { podIp: string | undefined; names: PodHostname; nodeHosts: string },
): string {
  const { podIp, names, nodeHosts } = options;
  let text: string;
  if (pod.spec?.hostNetwork) {
    text = `# Kubernetes-managed hosts file (host network).\n${nodeHosts.trimEnd()}\n`;
  } else {
    text = `# Kubernetes-managed hosts file.\n${HOSTS_HEAD}`;
    const { hostname, short = hostname, fqdn } = names;
    const own = fqdn ? [fqdn, short] : [short];
    if (podIp) text += `${podIp}\t${own.join("\t")}\n`;
  }
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return text;
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join("\t")}\n`);
  return `${text}\n# Entries added by HostAliases.\n${lines.join("")}`;
}
