import type { AddressSource } from "../controllers/service-load-balancer/load-balancer-plan.ts";
import { formatIpv4, type Ipv4Range, parseCidr } from "../lib/ipv4.ts";
import { dns1123SubdomainErrors } from "../lib/names.ts";

/** Address ranges of a cluster and the addresses that follow from them. */
export interface ClusterNetwork {
  clusterCidr: string;
  serviceCidr: string;
  clusterDomain: string;
  /** First address of the Service range: `default/kubernetes`. */
  apiServerIp: string;
  /** Tenth address of the Service range: `kube-system/kube-dns`. */
  dnsIp: string;
  /** Range of `nodeIp`. */
  nodeCidr: string;
  /** Address of a further node of this machine; `index` counts from 1. */
  nodeIp(index: number): string;
}

/** What a cluster's network is planned from. */
export interface ClusterNetworkOptions {
  clusterCidr: string;
  serviceCidr: string;
  clusterDomain: string;
  /** Where Services of type LoadBalancer get addresses. */
  loadBalancer?: AddressSource | undefined;
}

/** @throws RangeError for what is malformed, too small, or stands for two things */
export function planClusterNetwork(options: ClusterNetworkOptions): ClusterNetwork {
  const { serviceCidr, clusterCidr, clusterDomain, loadBalancer } = options;
  const services = rangeOf("--service-cidr", { text: serviceCidr, prefixMax: 24 });
  const pods = rangeOf("--cluster-cidr", { text: clusterCidr, prefixMax: 22 });
  const named: [string, Ipv4Range][] = [
    ["--service-cidr", services],
    ["--cluster-cidr", pods],
  ];
  if (loadBalancer?.from === "pool") named.push(["--load-balancer", loadBalancer.range]);
  for (const [at, [name, range]] of named.entries()) {
    for (const [other, otherRange] of named.slice(0, at)) {
      if (overlap(range, otherRange)) {
        throw new RangeError(`${other} and ${name} share addresses; choose ranges apart`);
      }
    }
  }
  if (dns1123SubdomainErrors(clusterDomain).length > 0) {
    const wanted = "a DNS name in lower case such as cluster.local";
    throw new RangeError(`--cluster-domain must be ${wanted}, not "${clusterDomain}"`);
  }
  // The last /24 of the cluster range: pods get theirs from the front.
  const nodes = pods.base + pods.size - 256;
  return {
    clusterCidr,
    serviceCidr,
    clusterDomain,
    apiServerIp: formatIpv4(services.base + 1),
    dnsIp: formatIpv4(services.base + 10),
    nodeCidr: `${formatIpv4(nodes)}/24`,
    nodeIp: (index) => formatIpv4(nodes + index + 1),
  };
}

function rangeOf(
  flag: string,
  { text, prefixMax }: { text: string; prefixMax: number },
): Ipv4Range {
  const range = parsed(flag, text);
  if (range.prefixLength > prefixMax) {
    throw new RangeError(`${flag} must be /${prefixMax} or larger, not "${text}"`);
  }
  return range;
}

function parsed(flag: string, text: string): Ipv4Range {
  try {
    return parseCidr(text);
  } catch (error) {
    throw new RangeError(`${flag}: ${(error as Error).message}`, { cause: error });
  }
}

function overlap(one: Ipv4Range, other: Ipv4Range): boolean {
  return one.base < other.base + other.size && other.base < one.base + one.size;
}
